// The page: takes in figures and has every part show them.

import { Chart } from "./charts.js";
import { brief, clock, put } from "./format.js";
import { House } from "./house.js";
import { Knobs } from "./knobs.js";
import { batches, latency, ledger, misses } from "./panels.js";
import * as saved from "./saved.js";

const $ = (id) => document.getElementById(id);

const house = new House($("house"), $("house-text"));
const knobs = new Knobs();
const charts = [
  new Chart("c-rates", [
    { name: "offered", colour: "offered", of: (f) => f.per_second.offered },
    { name: "delivered", colour: "delivered", of: (f) => f.per_second.delivered },
    { name: "rerouted", colour: "rerouted", of: (f) => f.per_second.rerouted },
    { name: "dropped", colour: "dropped", of: (f) => f.per_second.dropped },
    { name: "lost", colour: "lost", of: (f) => f.per_second.lost },
  ]),
  new Chart("c-depth", [
    { name: "waiting", colour: "offered", of: (f) => f.stats.depth },
    { name: "in flight", colour: "delivered", of: (f) => f.stats.in_flight },
  ]),
  new Chart("c-calls", [
    { name: "p50", colour: "delivered", of: (f) => f.calls.p50 },
    { name: "p99", colour: "offered", of: (f) => f.calls.p99 },
  ], (ns) => brief(ns)),
];

let now = null, told = "";

// idle reports whether figures can be left out: in a torrent, where the machine
// is busy, one look a second does, unless something was turned or has ended.
let shown = 0;
function idle(f) {
  const same = now && f.run === now.run && f.state === now.state && f.stalled === now.stalled && f.rate === now.rate && f.producers === now.producers;
  return same && f.state === "running" && house.torrent && performance.now() - shown < 900;
}

function show(f) {
  if (idle(f)) return;
  shown = performance.now();
  if (!now) performance.mark("first figures");
  now = f;
  put($("title"), f.title);
  put($("run"), String(f.run));
  put($("state"), f.stalled ? f.state + ", stalled" : f.state);
  $("state").className = "pill " + (f.stalled ? "bad" : { running: "good", closing: "odd" }[f.state] || "");
  put($("elapsed"), clock(f.elapsed_ns));
  house.show(f);
  knobs.show(f);
  ledger(f);
  latency(f);
  misses(f);
  batches(f);
  if (f.state !== "closed") for (const c of charts) c.add(f, performance.now() / 1000);
  const verdict = f.outcome ? "Experiment " + f.run + ": " + f.outcome.verdict + (f.outcome.closing ? " (" + f.outcome.closing + ")" : "") + "." : "";
  if (verdict !== told) { // said once
    told = $("verdict").textContent = verdict;
    $("verdict").classList.toggle("bad", verdict !== "" && (f.outcome.books !== "" || verdict.includes("LOST")));
  }
}

function link(text, kind) {
  $("link").textContent = text;
  $("link").className = "pill " + kind;
}

// listen opens the stream, unless nobody looks: a hidden page asks for nothing.
// The browser comes back by itself after most breaks; after a refusal it does
// not, so then we do.
let source = null;
function listen() {
  if (source || document.hidden) return;
  const mine = (source = new EventSource("/events"));
  mine.addEventListener("open", () => link("live", "good"));
  mine.addEventListener("figures", (e) => show(JSON.parse(e.data)));
  mine.addEventListener("error", () => {
    link("reconnecting", "odd");
    if (mine.readyState !== EventSource.CLOSED) return;
    source = null;
    setTimeout(listen, 2000);
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden && source) {
    source.close();
    source = null;
    link("paused", "");
  }
  listen();
});

$("keep").addEventListener("click", () => now && saved.keep(now));
$("forget").addEventListener("click", saved.forget);
saved.show();
listen();
