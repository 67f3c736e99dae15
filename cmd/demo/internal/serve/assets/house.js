// The picture of the house: its stages, and dots for the events that flow
// through them. A dot stands for a number of events that grows with the rate.

import { count, put, short } from "./format.js";

const names = ["producers", "intake", "enqueue", "batcher", "flusher", "sink", "router", "routes", "gone"];

// Where the boxes stand, as x, y, width, height.
const wide = {
  size: [1000, 236],
  boxes: {
    producers: [8, 34, 118, 74], intake: [186, 14, 134, 114], enqueue: [370, 34, 100, 74], batcher: [520, 34, 100, 74],
    flusher: [670, 34, 112, 74], sink: [846, 24, 146, 94], router: [670, 158, 112, 64], routes: [846, 158, 146, 64],
    gone: [186, 158, 134, 64],
  },
};
const narrow = {
  size: [360, 560],
  boxes: {
    producers: [8, 8, 150, 64], intake: [8, 112, 150, 104], enqueue: [8, 256, 150, 64], batcher: [8, 360, 150, 64],
    flusher: [8, 466, 150, 76], sink: [212, 466, 140, 76], router: [212, 350, 140, 64], routes: [212, 236, 140, 64],
    gone: [212, 124, 140, 64],
  },
};
const pipes = [
  { from: "producers", to: "intake", kind: "offered", of: (f) => f.per_second.offered },
  { from: "intake", to: "enqueue", kind: "offered", of: moved },
  { from: "enqueue", to: "batcher", kind: "offered", of: moved },
  { from: "batcher", to: "flusher", kind: "offered", of: moved },
  { from: "flusher", to: "sink", kind: "delivered", of: (f) => f.per_second.delivered },
  { from: "flusher", to: "router", kind: "lost", of: (f) => f.per_second.rerouted + f.per_second.lost },
  { from: "router", to: "routes", kind: "rerouted", of: (f) => f.per_second.rerouted },
  { from: "intake", to: "gone", kind: "dropped", of: (f) => f.per_second.dropped },
];

const beat = 60; // milliseconds from one step of the dots to the next, at least

// What flows faster than that, in events per second, fills its pipe, and nothing
// moves: the machine is busy, and what draws would take from what is measured.
const torrent = 200_000;

function moved(f) {
  return f.per_second.delivered + f.per_second.rerouted + f.per_second.lost;
}

function svg(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

export class House {
  constructor(into, text) {
    this.into = into;
    this.text = text;
    this.small = matchMedia("(max-width: 760px)");
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.small.addEventListener("change", () => this.build());
    this.still.addEventListener("change", () => this.build());
    this.build();
  }

  build() {
    const plan = this.small.matches ? narrow : wide;
    const root = svg("svg", { viewBox: `0 0 ${plan.size.join(" ")}`, role: "img", "aria-labelledby": "house-h", "aria-describedby": this.text.id });
    this.lines = {};
    this.boxes = {};
    this.resting = false;
    this.flows = pipes.map((pipe) => {
      const path = svg("path", { class: "pipe " + pipe.kind, d: between(plan.boxes[pipe.from], plan.boxes[pipe.to]) });
      root.append(path);
      return { ...pipe, path, dots: [], rate: 0, carry: 0 };
    });
    this.dots = svg("g", { "aria-hidden": "true" });
    root.append(this.dots);
    for (const name of names) {
      const [x, y, w, h] = plan.boxes[name];
      const group = svg("g", {});
      this.boxes[name] = svg("rect", { class: "box", x, y, width: w, height: h, rx: 9 });
      group.append(this.boxes[name]);
      if (name === "intake") {
        this.tank = { y: y + 1, h: h - 2 };
        this.water = svg("rect", { class: "water", x: x + 1, y: y + h, width: w - 2, height: 0, rx: 8 });
        group.append(this.water);
      }
      const middle = y + h / 2;
      const put = (kind, dy) => {
        const t = svg("text", { class: kind, x: x + w / 2, y: middle + dy, "text-anchor": "middle" });
        group.append(t);
        return t;
      };
      put("name", -11).textContent = { gone: "dropped", intake: "intake" }[name] || name;
      this.lines[name] = [put("figure", 8), put("unit", 24)];
      root.append(group);
    }
    this.into.replaceChildren(root);
    if (this.last) this.show(this.last);
  }

  show(f) {
    this.last = f;
    const s = f.stats, per = f.per_second, main = s.sinks[0], route = s.sinks[1];
    const dropped = s.evicted.count + s.evicted.bytes + s.rejected.full;
    const cut = s.batches.size + s.batches.bytes + s.batches.age + s.batches.flush + s.batches.close;
    const set = (name, figure, unit) => {
      put(this.lines[name][0], figure);
      put(this.lines[name][1], unit);
    };
    set("producers", f.state === "running" ? count(f.producers) : "0", f.rate === 0 ? "flat out" : short(f.rate) + "/s");
    set("intake", count(s.depth), "of " + count(f.settings.queue) + (s.waiting ? `, ${s.waiting} wait` : ""));
    set("enqueue", short(moved(f)), "events/s");
    set("batcher", count(cut), "batches");
    set("flusher", count(s.in_flight), "in flight");
    set("sink", short(per.delivered) + "/s", f.stalled ? "stalled" : main.breaker === "none" ? f.settings.sink : "breaker " + main.breaker.replace("_", " "));
    set("router", short(per.rerouted + per.lost) + "/s", count(s.rerouted + s.lost.failed + s.lost.panic) + " refused");
    set("routes", route ? short(per.rerouted) + "/s" : "none", route ? count(s.rerouted) + " taken" : count(s.lost.failed + s.lost.panic) + " lost");
    set("gone", short(per.dropped) + "/s", count(dropped) + " in all");
    const share = Math.min(1, s.depth / f.settings.queue);
    this.water.setAttribute("y", this.tank.y + this.tank.h * (1 - share));
    this.water.setAttribute("height", this.tank.h * share);
    this.water.classList.toggle("high", share > 0.9);
    this.boxes.sink.classList.toggle("hot", f.stalled || main.breaker === "open");
    this.boxes.gone.classList.toggle("hot", per.dropped > 0);
    for (const flow of this.flows) {
      flow.rate = f.state === "closed" ? 0 : flow.of(f);
      flow.path.classList.toggle("full", flow.rate >= torrent);
    }
    put(this.text, `${short(per.offered)} events a second come in, the sink takes ${short(per.delivered)}` +
      (per.rerouted ? `, the fallback ${short(per.rerouted)}` : "") + (per.dropped ? `, ${short(per.dropped)} are dropped` : "") +
      (per.lost ? `, ${short(per.lost)} are lost` : "") + `. The queue is ${Math.round(100 * share)} % full.`);
    this.run();
  }

  // run moves the dots for as long as there are any to move, in steps that the
  // eye takes for a flow; sixty a second would cost four times as much.
  run() {
    if (this.calm()) return this.rest();
    if (this.moving) return;
    this.moving = true;
    this.resting = false;
    let last = performance.now();
    const step = (now) => {
      if (this.calm()) {
        this.moving = false;
        return;
      }
      const dt = Math.min(0.2, (now - last) / 1000);
      last = now;
      let alive = false;
      for (const flow of this.flows) alive = this.move(flow, dt) || alive;
      if (alive) setTimeout(() => requestAnimationFrame(step), beat);
      else this.moving = false;
    };
    requestAnimationFrame(step);
  }

  get torrent() {
    return this.flows.some((flow) => flow.rate >= torrent);
  }

  calm() {
    return this.still.matches || this.torrent;
  }

  move(flow, dt) {
    const length = (flow.length ??= flow.path.getTotalLength());
    flow.carry += dt * perSecond(flow.rate);
    for (; flow.carry >= 1; flow.carry--) this.add(flow, 0);
    for (const d of flow.dots) {
      d.at += dt * 80;
      const p = flow.path.getPointAtLength(Math.min(d.at, length));
      d.dot.setAttribute("cx", p.x);
      d.dot.setAttribute("cy", p.y);
      if (d.at >= length) d.dot.remove();
    }
    flow.dots = flow.dots.filter((d) => d.at < length);
    return flow.dots.length > 0 || flow.rate > 0;
  }

  // rest shows one dot in each pipe that carries something and is not full, and
  // moves nothing.
  rest() {
    for (const flow of this.flows) {
      const wanted = flow.rate > 0 && flow.rate < torrent ? 1 : 0;
      if (flow.dots.length === wanted && this.resting) continue;
      for (const d of flow.dots) d.dot.remove();
      flow.dots = [];
      if (wanted) this.add(flow, flow.path.getTotalLength() / 2);
    }
    this.resting = true;
  }

  add(flow, at) {
    const p = flow.path.getPointAtLength(at);
    const dot = svg("circle", { class: "dot " + flow.kind, r: 3.2, cx: p.x, cy: p.y });
    this.dots.append(dot);
    flow.dots.push({ dot, at });
  }
}

// perSecond is how many dots stand for a rate: one more for each doubling.
const perSecond = (rate) => (rate > 0 ? Math.min(14, 0.6 + 0.7 * Math.log2(1 + rate)) : 0);

// between is a straight pipe from the edge of one box to that of another, which
// is beside it, above or below it, or above it to the right.
function between([x, y, w, h], [u, v, a, b]) {
  const across = Math.min(y + h, v + b) - Math.max(y, v);
  if (across > 0) {
    const at = Math.max(y, v) + across / 2;
    return u > x ? `M${x + w} ${at}H${u}` : `M${x} ${at}H${u + a}`;
  }
  const along = Math.min(x + w, u + a) - Math.max(x, u);
  const at = Math.max(x, u) + along / 2;
  if (along > 0) return v > y ? `M${at} ${y + h}V${v}` : `M${at} ${y}V${v + b}`;
  return `M${x + w} ${y + 14}L${u} ${v + b / 2}`;
}
