// The colours that programs write for a terminal: SGR, as in ECMA-48 8.3.117.

import { el } from "./dom.js";

const escape = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -~]?/g;
const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

// strip is a text without what is meant for terminals.
export function strip(text) {
  return text.includes("\x1b") ? text.replace(escape, "") : text;
}

// ansi is a text as nodes, in its colours.
export function ansi(text) {
  if (!text.includes("\x1b")) return [text];
  const out = [], style = new Map();
  let from = 0;
  const push = (s) => { if (s) out.push(style.size ? el("span", { class: [...style.values()].join(" ") }, s) : s); };
  for (const m of text.matchAll(escape)) {
    push(text.slice(from, m.index));
    from = m.index + m[0].length;
    if (m[2] === "m") select(style, m[1].split(/[;:]/).map(Number));
  }
  push(text.slice(from));
  return out;
}

// select changes a style by the parameters of one sequence.
function select(style, codes) {
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i];
    if (c === 0) style.clear();
    else if (c === 1) style.set("weight", "a-bold");
    else if (c === 2) style.set("weight", "a-dim");
    else if (c === 3) style.set("slant", "a-italic");
    else if (c === 4) style.set("line", "a-underline");
    else if (c === 22) style.delete("weight");
    else if (c === 23) style.delete("slant");
    else if (c === 24) style.delete("line");
    else if (c >= 30 && c <= 37) style.set("colour", "a-" + colours[c - 30]);
    else if (c >= 90 && c <= 97) style.set("colour", "a-" + colours[c - 90]);
    else if (c === 39) style.delete("colour");
    else if (c === 38 || c === 48) { // colours beyond the 16, whose contrast nobody knows: the first 16 only
      if (c === 38 && codes[i + 1] === 5 && codes[i + 2] < 16) style.set("colour", "a-" + colours[codes[i + 2] % 8]);
      i += codes[i + 1] === 5 ? 2 : 4;
    }
  }
}
