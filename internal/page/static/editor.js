// The editor: a text area over a painted copy of its text, so that typing,
// selection, undo and screen readers work as the browser makes them.

import { $, el } from "./dom.js";
import { json } from "./api.js";

const text = $("text"), paint = $("paint"), list = $("suggest"), problemList = $("problems");
const kinds = { operator: "|", table: "▦", column: "▪", function: "ƒ", aggregate: "Σ", variable: "x", plugin: "◇", keyword: "k" };
const words = new Set(("where filter project project-away project-keep project-rename project-reorder extend summarize by order sort asc desc nulls first last top take limit distinct count union join kind on " +
  "inner leftouter rightouter fullouter leftanti rightanti leftsemi innerunique lookup mv-expand mv-apply parse parse-where parse-kv make-series default from to step serialize search getschema evaluate render with as " +
  "range datatable print let in has contains startswith endswith has_any has_all has_cs contains_cs between and or not matches regex invoke partition sample sample-distinct top-nested reduce scan declare find fork facet of true false").split(" "));
// One alternative each: comment, string, time span or number, word, the rest.
const token = /(\/\/[^\n]*)|([@hH]*"(?:[^"\\\n]|\\.)*"?|[@hH]*'(?:[^'\\\n]|\\.)*'?)|(\b\d[\d.]*(?:ms|microsecond|tick|[dhms])?\b)|([A-Za-z_][\w]*(?:-(?:away|keep|rename|reorder|expand|apply|where|kv|series|nested|distinct))?)|([^])/g;

let tables = new Set();
let wrong = [];      // ranges with a fault, by start
let items = [], chosen = 0, range = null, asked = 0;
let changed = () => {};

export function setTables(names) { tables = new Set(names); repaint(); }
export function onChange(f) { changed = f; }
export const value = () => text.value;
export const focus = () => text.focus();

export function setValue(v, { keepProblems = false } = {}) {
  // execCommand keeps the change in the browser's undo list.
  if (document.activeElement === text && text.value !== v) {
    text.select();
    document.execCommand("insertText", false, v);
  }
  if (text.value !== v) text.value = v;
  if (!keepProblems) setProblems([]);
  close();
  repaint();
  check();
}

// insert puts a word where the cursor is.
export function insert(word) {
  text.focus();
  if (!document.execCommand("insertText", false, word)) text.setRangeText(word, text.selectionStart, text.selectionEnd, "end");
  repaint();
  check();
}

function classOf([, comment, string, number, word], next) {
  if (comment) return "c";
  if (string) return "s";
  if (number) return "n";
  if (!word) return "";
  if (tables.has(word)) return "t";
  if (next === "(" && !words.has(word)) return "f";
  return words.has(word) ? "k" : "";
}

function repaint() {
  const src = text.value, out = document.createDocumentFragment();
  let w = 0;
  for (const m of src.matchAll(token)) {
    const start = m.index, end = start + m[0].length;
    while (w < wrong.length && wrong[w].start + Math.max(wrong[w].length, 1) <= start) w++;
    const bad = wrong.some((d) => d.start < end && d.start + Math.max(d.length, 1) > start);
    const cls = [classOf(m, src[end]), bad ? "wrong" : ""].filter(Boolean).join(" ");
    const last = out.lastChild;
    if (last && (last.className ?? "") === cls && !m[1]) last.append(m[0]);
    else out.append(cls ? el("span", { class: cls }, m[0]) : plain(m[0]));
  }
  out.append("\n"); // a last empty line has its height
  paint.replaceChildren(out);
}

function plain(s) { const e = document.createElement("span"); e.append(s); return e; }

// --- faults ---

let checkTimer;
function check() {
  clearTimeout(checkTimer);
  checkTimer = setTimeout(async () => {
    const src = text.value;
    if (!src.trim()) return setProblems([]);
    try {
      const found = await json("kql/check", { body: { text: src } });
      if (src === text.value) setProblems(found.diagnostics);
    } catch { /* running the query will say what is wrong */ }
  }, 250);
}

export function setProblems(found) {
  wrong = [...found].sort((a, b) => a.start - b.start);
  problemList.replaceChildren(...wrong.slice(0, 5).map((d) => {
    const before = text.value.slice(0, d.start), line = before.split("\n").length;
    const at = line + ":" + (d.start - before.lastIndexOf("\n"));
    return el("li", {}, el("button", { type: "button", onclick: () => { text.focus(); text.setSelectionRange(d.start, d.start + Math.max(d.length, 1)); } },
      el("span", { class: "at" }, at), d.message));
  }));
  text.setAttribute("aria-invalid", wrong.length > 0);
  repaint();
}

// --- completion ---

async function suggest(force) {
  const at = text.selectionStart, src = text.value, mine = ++asked;
  if (text.selectionEnd !== at) return close();
  const before = src.slice(0, at);
  if (!force && !/[\w]$|\|\s*$/.test(before)) return close();
  if (!force && /^\s*\d|[^\w]\d\w*$/.test(before.slice(-12))) return close();
  let c;
  try { c = await json("kql/complete", { body: { text: src, offset: at } }); } catch { return close(); }
  if (mine !== asked || text.selectionStart !== at || text.value !== src) return;
  range = { start: c.start, length: c.length };
  const word = src.slice(c.start, c.start + c.length);
  items = c.items.slice(0, 60);
  if (!items.length || !force && items.length === 1 && items[0].text === word) return close();
  chosen = 0;
  list.replaceChildren(...items.map((it, i) => el("li", { role: "option", id: "option-" + i, onmousedown: (e) => { e.preventDefault(); chosen = i; accept(); } },
    el("span", { class: "kind", "aria-label": it.kind }, kinds[it.kind] ?? ""), el("span", {}, it.text), el("span", { class: "detail" }, (it.detail ?? "").split(";")[0]))));
  list.hidden = false;
  text.setAttribute("aria-expanded", "true");
  place(c.start);
  mark();
}

function place(offset) {
  const r = rectOf(offset), room = innerHeight - r.bottom;
  list.style.left = Math.max(4, Math.min(r.left - 14, innerWidth - list.offsetWidth - 8)) + "px";
  list.style.top = (room > list.offsetHeight + 8 ? r.bottom + 3 : Math.max(4, r.top - list.offsetHeight - 3)) + "px";
}

// rectOf finds a place of the text on the screen by its painted copy.
function rectOf(offset) {
  const walk = document.createTreeWalker(paint, NodeFilter.SHOW_TEXT);
  let node, left = offset;
  while ((node = walk.nextNode())) {
    if (left <= node.length) break;
    left -= node.length;
  }
  const r = document.createRange();
  r.setStart(node ?? paint, node ? left : 0);
  const rects = r.getClientRects();
  return rects.length ? rects[rects.length - 1] : r.getBoundingClientRect();
}

function mark() {
  [...list.children].forEach((li, i) => li.setAttribute("aria-selected", i === chosen));
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
  text.setAttribute("aria-activedescendant", "option-" + chosen);
}

function close() {
  asked++;
  list.hidden = true;
  items = [];
  text.setAttribute("aria-expanded", "false");
  text.removeAttribute("aria-activedescendant");
}

function accept() {
  const it = items[chosen];
  if (!it) return;
  const call = it.kind === "function" || it.kind === "aggregate";
  text.setSelectionRange(range.start, range.start + range.length);
  const insertText = it.text + (call ? "()" : " ");
  if (!document.execCommand("insertText", false, insertText)) text.setRangeText(insertText, range.start, range.start + range.length, "end");
  if (call) text.setSelectionRange(text.selectionStart - 1, text.selectionStart - 1);
  close();
  repaint();
  check();
}

let suggestTimer;
text.addEventListener("input", () => {
  wrong = wrong.filter((d) => d.start + d.length < text.selectionStart - 1);
  repaint();
  check();
  changed();
  clearTimeout(suggestTimer);
  suggestTimer = setTimeout(() => suggest(false), 90);
});
text.addEventListener("blur", close);
text.addEventListener("click", close);
text.addEventListener("keydown", (e) => {
  if (e.key === " " && e.ctrlKey) { e.preventDefault(); clearTimeout(suggestTimer); suggest(true); return; }
  if (list.hidden || e.ctrlKey || e.metaKey || e.altKey) return;
  const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[e.key];
  if (move) { chosen = Math.max(0, Math.min(items.length - 1, chosen + move)); mark(); e.preventDefault(); return; }
  if (e.key === "Tab" || e.key === "Enter" && !e.shiftKey) { accept(); e.preventDefault(); }
  if (e.key === "Escape") { close(); e.stopPropagation(); }
});
document.querySelector(".editor").addEventListener("scroll", close);
