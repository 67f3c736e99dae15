// The panels beside the house: the ledger, latency, what was missed, batches.

import { brief, count, el, total } from "./format.js";

const $ = (id) => document.getElementById(id);

// sum draws one equation of the ledger: a beam of the whole above a beam of its
// parts. If they do not have the same length the books do not balance.
function sum(name, whole, parts, scale) {
  const beam = (pieces) => {
    const b = el("div", { class: "beam", "aria-hidden": "true" });
    for (const [kind, n] of pieces) {
      if (n === 0) continue;
      const i = el("i", { class: kind + "-bg" });
      i.style.width = (100 * n) / scale + "%";
      b.append(i);
    }
    return b;
  };
  const key = el("p", { class: "key" });
  parts.forEach(([kind, n], i) => {
    const swatch = el("i", { class: "swatch " + kind + "-bg", "aria-hidden": "true" });
    key.append(el("span", {}, i ? "+ " : "= ", swatch, kind + " ", el("b", {}, count(n))));
  });
  const added = parts.reduce((a, [, n]) => a + n, 0);
  return el("div", { class: "sum" },
    el("span", {}, name), el("span", { class: "figure-big" }, count(whole)), beam([[name, whole]]),
    el("span", {}, "the sum"), el("span", { class: "figure-big" }, count(added)), beam(parts), key);
}

export function ledger(f) {
  const s = f.stats, rejected = total(s.rejected, "full_important"), evicted = s.evicted.count + s.evicted.bytes, lost = total(s.lost);
  const settled = s.delivered + s.rerouted + s.filtered + evicted + lost + s.buffered;
  const scale = Math.max(1, s.offered, s.accepted + rejected, settled);
  $("ledger").replaceChildren(
    sum("offered", s.offered, [["accepted", s.accepted], ["rejected", rejected]], scale),
    sum("accepted", s.accepted, [["delivered", s.delivered], ["rerouted", s.rerouted], ["filtered", s.filtered], ["evicted", evicted], ["lost", lost], ["buffered", s.buffered]], scale));
  const fits = s.offered === s.accepted + rejected && s.accepted === settled && !(f.outcome && f.outcome.books);
  $("balance").textContent = fits ? "balances" : "does NOT balance";
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
  const head = el("tr", {}, ...["time of", "p50", "p95", "p99", "max"].map((t) => el("th", { scope: "col" }, t)));
  $("latency").replaceChildren(el("thead", {}, head), el("tbody", {}, ...rows.map(([name, n, ...times]) =>
    el("tr", {}, el("th", { scope: "row" }, name), ...times.map((t) => el("td", {}, n && t !== null ? brief(t) : "–"))))));
}

// bars is a table with a bar for each figure.
function bars(table, rows) {
  const most = Math.max(1, ...rows.map(([, n]) => n));
  table.replaceChildren(el("tbody", {}, ...rows.map(([name, n, kind]) => {
    const bar = el("i", { class: kind + "-bg" });
    bar.style.width = (100 * n) / most + "%";
    return el("tr", n ? {} : { class: "zero" }, el("th", { scope: "row" }, name), el("td", { class: "bar", "aria-hidden": "true" }, el("div", {}, bar)), el("td", {}, count(n)));
  })));
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
  $("calls").replaceChildren(...pairs.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v))));
}
