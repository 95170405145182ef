// JSON that unfolds.

import { el } from "./dom.js";
import * as exact from "./exact.js";

// isJSON says whether a cell holds an object or an array as text.
export function isJSON(v) {
  return typeof v === "string" && v.length > 1 && v.length < 200000 && /^\s*[[{]/.test(v) && parse(v) !== undefined;
}

function parse(v) {
  try {
    const x = exact.parse(v);
    return x !== null && typeof x === "object" ? x : undefined;
  } catch {
    return undefined;
  }
}

// tree is the element for a cell that is JSON, or null when it is none.
export function tree(v) {
  const x = parse(v);
  return x === undefined ? null : el("div", { class: "tree" }, node(x, 0));
}

function node(x, depth) {
  if (x === null || typeof x !== "object") return leaf(x);
  const entries = Object.entries(x), array = Array.isArray(x);
  const label = array ? `[${entries.length}]` : `{${entries.length}}`;
  if (!entries.length) return el("span", { class: "lit" }, array ? "[]" : "{}");
  const list = el("ul");
  fill(list, entries, depth);
  return el("details", { open: depth < 3 }, el("summary", {}, label), list);
}

// fill adds entries to a list, a few hundred at a time.
function fill(list, entries, depth, from = 0) {
  const to = from + 300;
  list.append(...entries.slice(from, to).map(([k, v]) => branch(k, v, depth)));
  if (to >= entries.length) return;
  const more = el("li", {}, el("button", { type: "button", class: "plain", onclick: () => { more.remove(); fill(list, entries, depth, to); } }, `${(entries.length - to).toLocaleString()} more`));
  list.append(more);
}

function branch(key, v, depth) {
  const name = el("span", { class: "key" }, key + ": ");
  if (v === null || typeof v !== "object" || !Object.keys(v).length) return el("li", {}, name, node(v, depth + 1));
  const inner = node(v, depth + 1);
  inner.querySelector("summary").prepend(name);
  return el("li", {}, inner);
}

function leaf(x) {
  return el("span", { class: typeof x === "string" ? "str" : "lit" }, String(x));
}
