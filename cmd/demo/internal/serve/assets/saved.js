// Experiments that were kept, side by side. They are kept by the browser.

import { brief, clock, count, el, rate, short, total } from "./format.js";

const most = 8, place = "penstock experiments";

// store falls back to memory where a browser has no storage for us.
const store = {
  memory: "[]",
  get() {
    try { return localStorage.getItem(place) ?? this.memory; } catch { return this.memory; }
  },
  set(text) {
    this.memory = text;
    try { localStorage.setItem(place, text); } catch { /* it is in memory */ }
  },
};

function all() {
  try {
    const list = JSON.parse(store.get());
    return Array.isArray(list) ? list.filter((e) => e && typeof e.at === "number" && e.figures) : [];
  } catch { return []; }
}

const rows = [
  ["producers", (f) => count(f.producers)], ["rate", (f) => rate(f.rate)], ["sink", (f) => f.settings.sink],
  ["sink takes", (f) => brief(f.faults.latency_ns)], ["fail, panic", (f) => Math.round(f.faults.fail_rate * 100) + " %, " + Math.round(f.faults.panic_rate * 100) + " %"],
  ["queue, batch", (f) => count(f.settings.queue) + ", " + count(f.settings.batch)], ["when full", (f) => f.settings.overflow], ["fallback", (f) => f.settings.fallback],
  ["took", (f) => clock(f.elapsed_ns)], ["offered", (f) => count(f.stats.offered)], ["delivered", (f) => count(f.stats.delivered)],
  ["delivered a second", (f) => short((f.stats.delivered + f.stats.rerouted) / Math.max(f.elapsed_ns / 1e9, 1e-3))],
  ["rerouted", (f) => count(f.stats.rerouted)], ["dropped", (f) => count(f.stats.evicted.count + f.stats.evicted.bytes + f.stats.rejected.full)],
  ["lost", (f) => count(total(f.stats.lost))], ["producer's call p99", (f) => brief(f.calls.p99)], ["sink's call p99", (f) => brief(f.stats.sinks[0].latency.p99_ns)],
  ["books", (f) => (f.outcome ? (f.outcome.books ? "do NOT balance" : "balance") : "still open")],
];

export function keep(f) {
  const { producers, rate, faults, settings, elapsed_ns, stats, calls, outcome, run } = f;
  store.set(JSON.stringify([...all(), { at: Date.now(), figures: { producers, rate, faults, settings, elapsed_ns, stats, calls, outcome, run } }].slice(-most)));
  show();
}

export function forget() {
  store.set("[]");
  show();
}

export function show() {
  const list = all(), into = document.getElementById("saved");
  if (list.length === 0) {
    into.replaceChildren(el("p", { class: "note" }, "None yet. Keep one, change something, restart, and keep that one as well."));
    return;
  }
  const when = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const head = el("tr", {}, el("th", { scope: "col" }, "experiment"), ...list.map((e) => el("th", { scope: "col" }, `${e.figures.run}, ${when.format(e.at)}`)));
  const body = [];
  for (const [name, of] of rows) {
    let texts;
    try { texts = list.map((e) => of(e.figures)); } catch { continue; } // kept by an older page
    const differ = new Set(texts).size > 1;
    body.push(el("tr", {}, el("th", { scope: "row" }, name), ...texts.map((t) => el("td", differ ? { class: "differs" } : {}, t))));
  }
  into.replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}
