// Lines over the last minutes, drawn on canvases. The past is this page's own:
// the server keeps none, so where the page was not connected there is a gap.

import { el, put, short } from "./format.js";

const span = 180; // seconds
const gap = 2; // seconds without figures that are not bridged
const pace = 1; // seconds from one drawing to the next; a pixel is about half of one

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  constructor(id, lines, format = short) {
    this.canvas = document.getElementById(id);
    this.lines = lines; // {name, colour, of}
    this.format = format;
    this.points = [];
    this.drawn = 0; // when, in seconds
    this.values = lines.map((l) => {
      const value = el("b", {}, "–");
      const swatch = el("i", { class: "swatch " + l.colour + "-bg", "aria-hidden": "true" });
      document.getElementById(id + "-k").append(el("span", {}, swatch, l.name + " ", value));
      return value;
    });
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  add(figures, at) {
    const p = { at, run: figures.run, y: this.lines.map((l) => l.of(figures)) };
    this.points.push(p);
    while (this.points[0].at < at - span) this.points.shift();
    this.values.forEach((v, i) => put(v, this.format(p.y[i])));
    if (at - this.drawn >= pace) this.draw();
  }

  draw() {
    const { canvas, points } = this;
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (width === 0) return;
    this.drawn = performance.now() / 1000;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const top = nice(Math.max(1, ...points.map((p) => Math.max(...p.y))));
    const left = 46, bottom = height - 18, now = points.length ? points[points.length - 1].at : 0;
    const length = Math.min(span, Math.max(30, points.length ? now - points[0].at : 0));
    const x = (at) => width - ((now - at) / length) * (width - left);
    const y = (v) => bottom - (v / top) * (bottom - 8);
    g.font = "11px system-ui, sans-serif";
    g.fillStyle = css("--soft");
    g.strokeStyle = css("--line");
    g.lineWidth = 1;
    g.textAlign = "right";
    for (const share of [0, 0.5, 1]) {
      const at = Math.round(y(top * share)) + 0.5;
      g.beginPath();
      g.moveTo(left, at);
      g.lineTo(width, at);
      g.stroke();
      g.fillText(this.format(top * share), left - 6, at + 4);
    }
    g.fillText("now", width, height - 3);
    g.textAlign = "left";
    g.fillText(Math.round(length) + " s ago", left, height - 3);
    g.lineWidth = 1.75;
    g.lineJoin = "round";
    this.lines.forEach((line, i) => {
      g.strokeStyle = css("--" + line.colour);
      g.beginPath();
      points.forEach((p, n) => {
        const before = points[n - 1];
        if (before && p.at - before.at < gap && p.run === before.run) g.lineTo(x(p.at), y(p.y[i]));
        else g.moveTo(x(p.at), y(p.y[i]));
      });
      g.stroke();
    });
  }
}

// nice is the next round number.
function nice(v) {
  const power = 10 ** Math.floor(Math.log10(v));
  return power * [1, 2, 4, 5, 10].find((m) => m * power >= v * 0.999);
}
