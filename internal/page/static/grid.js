// The rows of an answer. Only those in sight are in the page, so that a
// hundred thousand scroll like ten.

import { $, el, copy } from "./dom.js";
import { tree, isJSON } from "./tree.js";
import { ansi, strip } from "./ansi.js";
import { stringify } from "./exact.js";

// An answer has 500,000 rows at most, so their heights stay below the 16 million
// pixels that browsers cap heights at.
const rowHeight = 28, overscan = 12;
const grid = $("grid"), drawer = $("drawer");
const numeric = new Set(["int", "long", "real", "decimal"]);

let table = { columns: [], rows: [] }, shown = [], order = null, sort = null, widths = [];
let active = { row: -1, col: 0 }, chosenRow = -1;
let head, body, first = -1, frame = 0;
let hideEmpty = true, empties = 0;

// showTable draws a table; asked says that its order was asked for.
export function showTable(t) {
  table = t;
  order = Uint32Array.from(t.rows.keys());
  sort = null;
  active = { row: -1, col: 0 };
  closeDrawer();
  chooseColumns();
  measure();
  build();
}

export function toggleEmpty() {
  hideEmpty = !hideEmpty;
  chooseColumns();
  measure();
  build();
  return { hideEmpty, empties };
}
export const emptyState = () => ({ hideEmpty, empties });

// chooseColumns leaves out columns in which nothing stands.
function chooseColumns() {
  const all = table.columns.map((_, i) => i);
  const filled = all.filter((i) => table.rows.some((r) => r[i] !== null && r[i] !== ""));
  empties = table.rows.length ? all.length - filled.length : 0;
  shown = hideEmpty && filled.length && table.rows.length ? filled : all;
}

// typeName is the type of a column; times are told as Kusto keeps them.
const typeName = ({ type }) => (type === "datetime" ? "datetime, UTC" : type);

function measure() {
  const every = Math.max(1, Math.floor(table.rows.length / 300)), sample = table.rows.filter((_, i) => i % every === 0);
  widths = shown.map((c) => {
    const name = table.columns[c].name.length + typeName(table.columns[c]).length * 0.8 + 3;
    const longest = sample.reduce((m, r) => Math.max(m, show(r[c], table.columns[c].type).length), 0);
    return Math.round(Math.min(Math.max(name, longest + 1, 6), 64) * 7.6 + 22);
  });
}

function build() {
  head = el("div", { class: "head", role: "row", "aria-rowindex": 1 }, ...shown.map((c, i) => {
    const { name } = table.columns[c], type = typeName(table.columns[c]);
    const cell = el("div", { class: "cell", role: "columnheader", "aria-sort": "none", title: name + ": " + type, onclick: () => sortBy(i) },
      name, el("span", { class: "type" }, type), el("span", { class: "grip", onpointerdown: (e) => resize(e, i), onclick: (e) => e.stopPropagation() }));
    cell.style.width = widths[i] + "px";
    return cell;
  }));
  body = el("div", { class: "body", role: "rowgroup" });
  body.style.height = table.rows.length * rowHeight + "px";
  body.style.width = widths.reduce((a, b) => a + b, 0) + "px";
  grid.setAttribute("aria-rowcount", table.rows.length + 1);
  grid.setAttribute("aria-colcount", shown.length);
  grid.replaceChildren(head, body);
  grid.scrollTop = 0;
  first = -1;
  draw();
}

// draw puts the rows in sight in place. Those that stay in sight are kept, so
// that a frame of scrolling makes a few rows and no more.
function draw() {
  frame = 0;
  const count = Math.ceil(grid.clientHeight / rowHeight) + 2 * overscan;
  const from = Math.max(0, Math.min(Math.floor(grid.scrollTop / rowHeight) - overscan, table.rows.length - count));
  if (from === first) return;
  first = from;
  const to = Math.min(from + count, table.rows.length);
  for (const row of [...body.children]) if (indexOf(row) < from || indexOf(row) >= to) row.remove();
  const kept = body.firstChild ? [indexOf(body.firstChild), indexOf(body.lastChild) + 1] : [to, to];
  body.prepend(...rowsOf(from, kept[0]));
  body.append(...rowsOf(kept[1], to));
}

const indexOf = (row) => Number(row.dataset.row);

function rowsOf(from, to) {
  const rows = [];
  for (let i = from; i < to; i++) rows.push(rowOf(i));
  return rows;
}

function rowOf(i) {
  const data = table.rows[order[i]];
  const row = el("div", { class: "row" + (i === chosenRow ? " chosen" : ""), role: "row", "aria-rowindex": i + 2 }, ...shown.map((c, n) => cellOf(data[c], table.columns[c], i, n)));
  row.style.transform = `translateY(${i * rowHeight}px)`;
  row.dataset.row = i;
  return row;
}

function cellOf(v, column, row, n) {
  const text = show(v, column.type);
  const e = el("div", { class: "cell " + look(v, column), role: "gridcell", "aria-colindex": n + 1, id: `cell-${row}-${n}` }, text);
  e.dataset.col = n;
  e.style.width = widths[n] + "px";
  if (active.row === row && active.col === n) e.classList.add("active");
  return e;
}

function look(v, { type }) {
  if (v === null) return "null";
  if (numeric.has(type)) return "right num";
  if (type === "datetime") return "dt";
  if (type === "dynamic" || v.length < most && isJSON(v)) return "json";
  if (v === "Warning" || v === "Error") return "level";
  return "";
}

const most = 600; // characters of a cell that are shown on its line

// show is a cell on one line.
export function show(v, type) {
  if (v === null) return "null";
  if (type === "datetime") return v.replace("T", " ").replace(/(\.\d{3})\d*Z$|Z$/, "$1");
  const text = String(v), line = strip(text.slice(0, 2 * most)).replace(/\r?\n/g, "⏎ ");
  return line.length > most || text.length > 2 * most ? line.slice(0, most) + "…" : line;
}

function refresh() { first = -1; body.replaceChildren(); draw(); }

grid.addEventListener("scroll", () => { frame ||= requestAnimationFrame(draw); });
new ResizeObserver(() => { if (body) refresh(); }).observe(grid);

// --- sorting, widths ---

function sortBy(i) {
  const c = shown[i], type = table.columns[c].type;
  const descending = sort?.col === c ? !sort.descending : numeric.has(type) || type === "datetime";
  if (sort?.col === c && sort.turns === 1) {
    sort = null; // the third time: as it came
    order = Uint32Array.from(table.rows.keys());
  } else {
    sort = { col: c, descending, turns: sort?.col === c ? 1 : 0 };
    const compare = comparer(type), sign = descending ? -1 : 1, rows = table.rows;
    order = Uint32Array.from(Array.from(rows.keys()).sort((a, b) => {
      const x = rows[a][c], y = rows[b][c];
      return none(x) || none(y) ? none(x) - none(y) : sign * compare(x, y);
    }));
  }
  [...head.children].forEach((h, n) => h.setAttribute("aria-sort", sort && shown[n] === sort.col ? sort.descending ? "descending" : "ascending" : "none"));
  [...head.children].forEach((h, n) => {
    h.querySelector(".arrow")?.remove();
    if (sort && shown[n] === sort.col) h.insertBefore(el("span", { class: "arrow" }, sort.descending ? " ▾" : " ▴"), h.querySelector(".type"));
  });
  closeDrawer();
  grid.scrollTop = 0;
  refresh();
}

// none says that a cell has no place in an order; such cells come last.
const none = (v) => v === null || v === "NaN";

function comparer(type) {
  const key = numeric.has(type) ? (v) => (typeof v === "string" ? Number(v) : v) : type === "timespan" ? ticks : (v) => v;
  return (a, b) => { const x = key(a), y = key(b); return x < y ? -1 : x > y ? 1 : 0; };
}

function ticks(s) {
  const m = /^(-?)(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(s);
  return m ? (m[1] ? -1 : 1) * (((Number(m[2] ?? 0) * 24 + Number(m[3])) * 60 + Number(m[4])) * 60 + Number(m[5])) : 0;
}

function resize(e, i) {
  e.preventDefault();
  e.stopPropagation();
  const start = e.clientX, was = widths[i];
  const move = (m) => {
    widths[i] = Math.max(50, was + m.clientX - start);
    head.children[i].style.width = widths[i] + "px";
    body.style.width = widths.reduce((a, b) => a + b, 0) + "px";
    refresh();
  };
  const up = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", up); };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up);
}

// --- one row ---

function openDrawer(i, focusColumn) {
  chosenRow = i;
  const data = table.rows[order[i]];
  const dl = el("dl");
  table.columns.forEach((c, n) => {
    if (data[n] === null || data[n] === "") return;
    const dd = el("dd");
    const unfolded = c.type === "dynamic" || isJSON(data[n]) ? tree(data[n]) : null;
    dd.append(...(unfolded ? [unfolded] : ansi(String(data[n]))));
    dl.append(el("dt", {}, c.name), dd);
    if (n === focusColumn) queueMicrotask(() => dd.scrollIntoView({ block: "nearest" }));
  });
  drawer.replaceChildren(
    el("header", {}, el("h2", {}, `Row ${i + 1} of ${table.rows.length.toLocaleString()}`),
      el("button", { class: "plain", onclick: () => copy(rowText(data), "Row") }, "Copy"),
      el("button", { class: "plain", onclick: closeDrawer, "aria-label": "Close the row" }, "✕")),
    dl);
  drawer.hidden = false;
  drawer.scrollTop = 0;
  keepInSight();
  refresh();
}

function rowText(data) {
  const o = {};
  table.columns.forEach((c, n) => { o[c.name] = data[n]; });
  return stringify(o, 2);
}

export function closeDrawer() {
  const had = !drawer.hidden;
  drawer.hidden = true;
  chosenRow = -1;
  if (had) { refresh(); grid.focus(); }
  return had;
}

grid.addEventListener("click", (e) => {
  const cell = e.target.closest(".row .cell");
  if (!cell) return;
  active = { row: indexOf(cell.parentNode), col: Number(cell.dataset.col) };
  if (getSelection().isCollapsed) openDrawer(active.row, shown[active.col]);
});

grid.addEventListener("keydown", (e) => {
  if (!table.rows.length) return;
  const page = Math.max(1, Math.floor(grid.clientHeight / rowHeight) - 2);
  const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [page, 0], PageUp: [-page, 0], Home: [-Infinity, 0], End: [Infinity, 0] }[e.key];
  if (step) {
    const first = active.row < 0 && Number.isFinite(step[0]); // the first key shows where one is
    active = { row: first ? 0 : clamp(Math.max(active.row, 0) + step[0], table.rows.length), col: clamp(active.col + step[1], shown.length) };
    reveal();
    e.preventDefault();
    return;
  }
  if (active.row < 0) return;
  const data = table.rows[order[active.row]];
  if (e.key === "Enter") { openDrawer(active.row, shown[active.col]); e.preventDefault(); }
  if (e.key === "s" && !e.ctrlKey) sortBy(active.col);
  if (e.key === "c" && (e.ctrlKey || e.metaKey) && getSelection().isCollapsed) copy(String(data[shown[active.col]] ?? ""), "Cell");
});

const clamp = (n, count) => Math.max(0, Math.min(count - 1, n));

// reveal scrolls to the active cell and, when a row is unfolded, unfolds this one.
function reveal() {
  const top = active.row * rowHeight, space = grid.clientHeight - 32;
  if (top < grid.scrollTop) grid.scrollTop = top;
  if (top + rowHeight > grid.scrollTop + space) grid.scrollTop = top + rowHeight - space;
  keepInSight();
  grid.setAttribute("aria-activedescendant", `cell-${active.row}-${active.col}`);
  if (!drawer.hidden) return openDrawer(active.row);
  draw();
  body.querySelector(".active")?.classList.remove("active");
  $(`cell-${active.row}-${active.col}`)?.classList.add("active");
}

// keepInSight scrolls sideways to the active cell, its beginning first.
function keepInSight() {
  const left = widths.slice(0, active.col).reduce((a, b) => a + b, 0), right = left + widths[active.col];
  if (right > grid.scrollLeft + grid.clientWidth) grid.scrollLeft = right - grid.clientWidth;
  if (left < grid.scrollLeft) grid.scrollLeft = left;
}

// csv is the table as it is sorted.
export function csv() {
  const quote = (v) => { const s = v === null ? "" : String(v); return /[",\r\n]/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s; };
  const out = [table.columns.map((c) => quote(c.name)).join(",")];
  for (const i of order) out.push(table.rows[i].map(quote).join(","));
  return out.join("\r\n") + "\r\n";
}
