// The panels beside the house: the ledger, latency, what was missed, batches.

import { brief, count, el, put, total } from "./format.js";

const $ = (id) => document.getElementById(id);

// Equation is one sum of the ledger: a beam of the whole above a beam of its
// parts. If they do not have the same length the books do not balance.
class Equation {
  constructor(name, ...kinds) {
    const beam = (of) => of.map((kind) => el("i", { class: kind + "-bg" }));
    const swatch = (kind) => el("i", { class: "swatch " + kind + "-bg", "aria-hidden": "true" });
    const big = () => el("span", { class: "figure-big" });
    this.whole = big();
    this.sum = big();
    this.beam = beam([name]);
    this.beams = beam(kinds);
    this.counts = kinds.map(() => el("b"));
    $("ledger").append(el("div", { class: "sum" },
      el("span", {}, name), this.whole, el("div", { class: "beam", "aria-hidden": "true" }, ...this.beam),
      el("span", {}, "the sum"), this.sum, el("div", { class: "beam", "aria-hidden": "true" }, ...this.beams),
      el("p", { class: "key" }, ...kinds.map((kind, i) => el("span", {}, i ? "+ " : "= ", swatch(kind), kind + " ", this.counts[i])))));
  }

  show(whole, parts, scale) {
    put(this.whole, count(whole));
    put(this.sum, count(parts.reduce((a, n) => a + n, 0)));
    widen(this.beam[0], whole / scale);
    parts.forEach((n, i) => {
      put(this.counts[i], count(n));
      widen(this.beams[i], n / scale);
    });
  }
}

// widen gives a bar its width, in steps that can be seen.
function widen(bar, share) {
  const width = Math.round(1000 * share) / 10 + "%";
  if (bar.style.width !== width) bar.style.width = width;
}

const intake = new Equation("offered", "accepted", "rejected");
const outcome = new Equation("accepted", "delivered", "rerouted", "filtered", "evicted", "lost", "buffered");

export function ledger(f) {
  const s = f.stats, rejected = total(s.rejected, "full_important"), evicted = s.evicted.count + s.evicted.bytes, lost = total(s.lost);
  const settled = s.delivered + s.rerouted + s.filtered + evicted + lost + s.buffered;
  const scale = Math.max(1, s.offered, s.accepted + rejected, settled);
  intake.show(s.offered, [s.accepted, rejected], scale);
  outcome.show(s.accepted, [s.delivered, s.rerouted, s.filtered, evicted, lost, s.buffered], scale);
  const fits = s.offered === s.accepted + rejected && s.accepted === settled && !(f.outcome && f.outcome.books);
  put($("balance"), fits ? "balances" : "does NOT balance");
  $("balance").className = "pill " + (fits ? "good" : "bad");
}

export function latency(f) {
  const rows = [["a producer's call, last second", f.calls.timed, f.calls.p50, null, f.calls.p99, f.calls.max]];
  for (const s of f.stats.sinks) {
    const l = s.latency;
    rows.push([s.role === "main" ? "a call of the sink" : "a call of " + s.role, l.count, l.p50_ns, l.p95_ns, l.p99_ns, l.max_ns]);
  }
  const a = f.stats.age;
  rows.push(["an event's way to the sink", a.count, a.p50_ns, a.p95_ns, a.p99_ns, a.max_ns]);
  const body = $("latency").tBodies[0];
  while (body.rows.length > rows.length) body.lastChild.remove();
  while (body.rows.length < rows.length) body.append(el("tr", {}, el("th", { scope: "row" }), ...[1, 2, 3, 4].map(() => el("td"))));
  rows.forEach(([name, n, ...times], i) => {
    put(body.rows[i].cells[0], name);
    times.forEach((t, k) => put(body.rows[i].cells[k + 1], n && t !== null ? brief(t) : "–"));
  });
}

// bars is a table with a bar for each figure. Its rows are always the same.
function bars(table, rows) {
  if (table.rows.length === 0) {
    table.append(el("tbody", {}, ...rows.map(([name, , kind]) =>
      el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "bar", "aria-hidden": "true" }, el("div", {}, el("i", { class: kind + "-bg" }))), el("td")))));
  }
  const most = Math.max(1, ...rows.map(([, n]) => n));
  rows.forEach(([, n], i) => {
    const row = table.rows[i];
    row.className = n ? "" : "zero";
    put(row.cells[2], count(n));
    widen(row.querySelector("i"), n / most);
  });
}

export function misses(f) {
  const { evicted, rejected, lost } = f.stats;
  bars($("misses"), [
    ["evicted for newer ones", evicted.count + evicted.bytes, "dropped"],
    ["refused: queue full", rejected.full, "dropped"],
    ["refused: closed", rejected.closed, "dropped"],
    ["refused: gave up waiting", rejected.canceled, "dropped"],
    ["lost: the sink failed", lost.failed, "lost"],
    ["lost: the sink panicked", lost.panic, "lost"],
    ["lost: deadline of Close", lost.deadline, "lost"],
    ["lost: in doubt", lost.in_doubt, "lost"],
    ["lost: an actor died", lost.dead + rejected.dead, "lost"],
  ]);
}

export function batches(f) {
  const b = f.stats.batches, main = f.stats.sinks[0];
  bars($("batches"), [["cut by size", b.size, "delivered"], ["cut by age", b.age, "delivered"], ["cut by Flush", b.flush, "delivered"], ["cut by Close", b.close, "delivered"]]);
  const pairs = [["calls", count(main.calls)], ["failed", count(main.failed)], ["panics", count(main.panics)], ["retries", count(main.retries)],
    ["breaker", main.breaker.replace("_", " ")], ["opened", count(main.opened)]];
  const into = $("calls");
  if (into.children.length === 0) into.append(...pairs.map(([k]) => el("div", {}, el("dt", {}, k), el("dd"))));
  pairs.forEach(([, v], i) => put(into.children[i].lastChild, v));
}
