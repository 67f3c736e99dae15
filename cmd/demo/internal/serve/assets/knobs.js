// What can be turned and pressed. Every request answers; refusals are shown.

import { brief, count, duration, el, put, rate } from "./format.js";

const $ = (id) => document.getElementById(id);

const rates = [1, 10, 100, 1000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 0];
const latencies = [0, 0.1, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

// nearest is the index of the stop that is nearest to v.
const nearest = (stops, v) => stops.reduce((best, s, i) => (Math.abs(s - v) < Math.abs(stops[best] - v) ? i : best), 0);

const knobs = [
  { id: "producers", of: (f) => f.producers, position: (v) => v, value: (p) => p, show: count, send: (v) => ({ producers: v }) },
  { id: "rate", of: (f) => f.rate, position: (v) => (v === 0 ? rates.length - 1 : nearest(rates.slice(0, -1), v)), value: (p) => rates[p], show: rate, send: (v) => ({ rate: v }) },
  { id: "latency", of: (f) => f.faults.latency_ns / 1e6, position: (v) => nearest(latencies, v), value: (p) => latencies[p], show: (v) => (v ? brief(v * 1e6) : "no time"), send: (v) => ({ latency_ms: v }) },
  { id: "fail", of: (f) => f.faults.fail_rate * 100, position: (v) => v, value: (p) => p, show: (v) => Math.round(v) + " %", send: (v) => ({ fail_rate: v / 100 }) },
  { id: "panic", of: (f) => f.faults.panic_rate * 100, position: (v) => v, value: (p) => p, show: (v) => Math.round(v) + " %", send: (v) => ({ panic_rate: v / 100 }) },
];

// Settings that need a new pipeline, by the names of demo run's flags.
const fields = [
  { flag: "queue", label: "queue", of: (s) => s.queue },
  { flag: "batch", label: "batch", of: (s) => s.batch },
  { flag: "interval", label: "interval", of: (s) => duration(s.interval_ns) },
  { flag: "overflow", label: "when full", of: (s) => s.overflow, among: ["drop-oldest", "drop-newest", "wait"] },
  { flag: "workers", label: "workers", of: (s) => s.workers },
  { flag: "sink", label: "sink", of: (s) => s.sink, among: ["discard", "memory", "file", "slow", "flaky"] },
  { flag: "fallback", label: "fallback", of: (s) => s.fallback, among: ["none", "discard", "memory", "file"] },
  { flag: "retry", label: "attempts", of: (s) => s.retry },
  { flag: "retry-wait", label: "retry after", of: (s) => duration(s.retry_wait_ns) },
  { flag: "breaker", label: "breaker after", of: (s) => s.breaker },
  { flag: "cooldown", label: "cooldown", of: (s) => duration(s.cooldown_ns) },
  { flag: "timeout", label: "time limit", of: (s) => duration(s.timeout_ns) },
];

function say(text, bad = false) {
  $("answer").textContent = text;
  $("answer").className = bad ? "note bad" : "note";
}

// post sends a change and says what came of it.
async function post(what, body, done) {
  try {
    const r = await fetch("/api/" + what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const answer = await r.json();
    say(r.ok ? done(answer) : answer.error, !r.ok);
    return r.ok ? answer : null;
  } catch {
    say("The server does not answer.", true);
    return null;
  }
}

// turner sends what a knob was turned to. While one request is on its way the
// next waits, and only the last of those that wait is sent.
let waiting = null, sending = false;
async function turn(change) {
  waiting = { ...waiting, ...change };
  if (sending) return;
  sending = true;
  while (waiting) {
    const body = waiting;
    waiting = null;
    await post("knobs", body, () => "");
  }
  sending = false;
}

export class Knobs {
  constructor() {
    this.held = new Set(); // knobs that somebody is turning
    for (const k of knobs) {
      const input = $("k-" + k.id);
      input.addEventListener("input", () => {
        this.held.add(k.id);
        this.label(k, k.value(Number(input.value)));
        turn(k.send(k.value(Number(input.value))));
      });
      for (const end of ["change", "blur"]) input.addEventListener(end, () => this.held.delete(k.id));
    }
    for (const f of fields) {
      const id = "s-" + f.flag;
      const input = f.among ? el("select", { id }, ...f.among.map((w) => el("option", {}, w))) : el("input", { id, type: "text", autocomplete: "off", spellcheck: "false", maxlength: "20" });
      $("settings").append(el("label", { for: id }, f.label), input);
    }
    $("settings").addEventListener("submit", (e) => {
      e.preventDefault();
      this.restart();
    });
    $("stall").addEventListener("click", () => turn({ stalled: !this.figures.stalled }));
    $("flush").addEventListener("click", () => {
      say("Flushing …");
      post("flush", {}, (a) => "Flushed in " + brief(a.took_ns) + ".");
    });
    $("close").addEventListener("click", () => post("close", {}, () => "Closing: the rest is being delivered."));
    $("restart").addEventListener("click", () => this.restart());
  }

  restart() {
    const f = this.figures, settings = {
      producers: String(f.producers), rate: String(f.rate), latency: duration(f.faults.latency_ns),
      "fail-rate": String(f.faults.fail_rate), "panic-rate": String(f.faults.panic_rate),
    };
    for (const field of fields) settings[field.flag] = $("s-" + field.flag).value;
    say("Restarting …");
    post("restart", { settings }, (a) => "Experiment " + a.run + " runs.");
  }

  label(k, v) {
    put($("o-" + k.id), k.show(v));
    $("k-" + k.id).setAttribute("aria-valuetext", k.show(v));
  }

  show(f) {
    const fresh = !this.figures || this.figures.run !== f.run;
    this.figures = f;
    for (const k of knobs) {
      if (sending || this.held.has(k.id)) continue; // the figures are older than what was turned to
      $("k-" + k.id).value = k.position(k.of(f));
      this.label(k, k.of(f));
    }
    if (fresh) {
      for (const field of fields) $("s-" + field.flag).value = field.of(f.settings);
      $("command").textContent = ["demo run", ...f.args.map((a) => (a === "" ? '""' : a))].join(" ");
    }
    $("stall").setAttribute("aria-pressed", String(f.stalled));
    put($("stall"), f.stalled ? "Let it go on" : "Stall sink");
    const at = document.activeElement;
    for (const id of ["flush", "close"]) $(id).disabled = f.state !== "running";
    for (const id of ["stall", "k-latency", "k-fail", "k-panic"]) $(id).disabled = f.state === "closed";
    for (const id of ["k-producers", "k-rate"]) $(id).disabled = f.state !== "running";
    if (at?.disabled) $("restart").focus({ preventScroll: true }); // who works by keyboard is not sent back to the top
  }
}
