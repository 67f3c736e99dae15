// Figures for people. Those of one column have the same form, so that they do
// not jump about.

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export const count = (n) => grouped.format(n);

export function short(n) {
  for (const [size, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (n >= 0.9995 * size) return three(n / size) + name;
  }
  return n > 0 && n < 9.95 && n % 1 !== 0 ? n.toFixed(1) : Math.round(n).toString();
}

const three = (v) => v.toFixed(v < 9.995 ? 2 : v < 99.95 ? 1 : 0);

export function brief(ns) {
  for (const [size, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
    if (ns >= size) return three(ns / size) + " " + name;
  }
  return Math.round(ns) + " ns";
}

export function clock(ns) {
  const s = Math.floor(ns / 1e9);
  return s < 60 ? (ns / 1e9).toFixed(1) + " s" : Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
}

export const rate = (n) => (n === 0 ? "flat out" : count(n) + "/s");

// duration is what Go's flags take.
export function duration(ns) {
  if (ns === 0) return "0s";
  if (ns % 1e9 === 0) return ns / 1e9 + "s";
  return ns % 1e6 === 0 ? ns / 1e6 + "ms" : ns / 1e3 + "us";
}

// el makes an element. Texts go in as text, never as markup.
export function el(name, attributes = {}, ...inside) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...inside);
  return e;
}

// put changes a text, if it changes: what stays the same is neither drawn nor
// read out again.
export function put(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

export const total = (reasons, ...leaveOut) =>
  Object.entries(reasons).reduce((sum, [k, n]) => sum + (leaveOut.includes(k) ? 0 : n), 0);
