// What a chart shows of a table, as Azure Monitor chooses it: the x axis is the
// column that xcolumn names, else the first time or else the first column;
// strings beside it split the rows into series; numbers are drawn.

import { number, timeLabel } from "./scale.js";

const numeric = new Set(["int", "long", "real", "decimal"]);
const bars = new Set(["barchart", "columnchart", "piechart"]);

export const maxSeries = 40;

// unfold makes rows of the lists that make-series and the functions of series
// give, when the x axis is one of them: a row becomes as many as its longest list
// has elements. The axis comes first; numbers beside lists are not drawn.
function unfold(table, wish) {
  const cells = table.rows.map((r) => r.map((v, i) => (table.columns[i].type === "dynamic" ? listOf(v) : v)));
  const lists = table.columns.map((c, i) => ({ ...c, i, type: c.type === "dynamic" ? typeOfLists(cells.map((r) => r[i])) : "" })).filter((c) => c.type);
  const x = wish.xColumn ? lists.find((c) => c.name === wish.xColumn) : lists.find((c) => c.type === "datetime") ?? (lists.length > 1 ? lists[0] : undefined);
  const time = !wish.xColumn && table.columns.some((c) => c.type === "datetime"); // that is the axis
  const drawn = lists.filter((c) => c !== x && c.type === "real");
  if (!x || time || !drawn.length) return table;
  const beside = table.columns.map((c, i) => ({ ...c, i })).filter((c) => !numeric.has(c.type) && c.type !== "dynamic"), columns = [x, ...beside, ...drawn];
  const rows = cells.flatMap((r) => {
    const length = Math.max(...[x, ...drawn].map((c) => r[c.i]?.length ?? 0));
    return Array.from({ length }, (_, n) => columns.map((c) => (beside.includes(c) ? r[c.i] : r[c.i]?.[n] ?? null)));
  });
  return { columns, rows };
}

// listOf is the list that a dynamic value is, or null.
function listOf(v) {
  if (typeof v !== "string" || !v.startsWith("[")) return null;
  try { return JSON.parse(v); } catch { return null; }
}

// typeOfLists is the type of the elements of a column of lists: "real",
// "datetime", or "" for what is neither.
function typeOfLists(lists) {
  const all = lists.flatMap((l) => l ?? []).filter((v) => v !== null);
  if (!all.length) return "";
  if (all.every((v) => typeof v === "number" || /^(NaN|-?Infinity)$/.test(v))) return "real";
  return all.every((v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT/.test(v)) ? "datetime" : "";
}

// read returns {axis, labels, series: [{name, column, points: [{x, y}]}]}, or
// null when nothing can be drawn. column is the one that y is of.
export function read(answer, wish) {
  const table = unfold(answer, wish);
  const isBars = bars.has(wish.chart), r = assign(table.columns, wish, isBars);
  if (!r.y.length) return null;
  const type = r.x < 0 ? "" : table.columns[r.x].type;
  const axis = type === "datetime" ? "time" : numeric.has(type) && !isBars ? "number" : "category";
  const labels = new Map(), series = new Map();
  for (const row of table.rows) {
    const x = position(row[r.x], axis, labels);
    if (x === null || Number.isNaN(x)) continue;
    for (const y of r.y) {
      const v = row[y] === null ? NaN : Number(row[y]);
      if (!Number.isFinite(v)) continue;
      const parts = r.split.map((c) => row[c] === null || row[c] === "" ? "(empty)" : String(row[c]));
      if (r.y.length > 1 || !parts.length) parts.push(table.columns[y].name);
      const name = parts.join(" · ");
      if (!series.has(name)) series.set(name, { name, column: table.columns[y].name, points: [] });
      series.get(name).points.push({ x, y: v });
    }
  }
  if (!series.size) return null;
  const list = [...series.values()];
  if (axis !== "category") for (const s of list) s.points.sort((a, b) => a.x - b.x);
  if (wish.accumulate) for (const s of list) for (let i = 1; i < s.points.length; i++) s.points[i].y += s.points[i - 1].y;
  return { axis, labels: [...labels.keys()], series: list.slice(0, maxSeries), more: Math.max(0, list.length - maxSeries) };
}

function position(v, axis, labels) {
  if (axis === "time") return v === null ? null : Date.parse(v);
  if (axis === "number") return v === null ? null : Number(v);
  const label = v === null || v === undefined ? "" : String(v);
  if (!labels.has(label)) labels.set(label, labels.size);
  return labels.get(label);
}

function assign(columns, wish, isBars) {
  const find = (name) => columns.findIndex((c) => c.name === name);
  const named = (list) => list.map(find).filter((i) => i >= 0);
  let x = find(wish.xColumn);
  if (x < 0 && !isBars) x = columns.findIndex((c) => c.type === "datetime");
  const y = named(wish.yColumns), split = named(wish.series);
  const free = (i) => i !== x && !split.includes(i) && !y.includes(i);
  if (x < 0 && columns.length > 1) x = columns.findIndex((_, i) => free(i));
  columns.forEach((c, i) => {
    if (!free(i)) return;
    if (numeric.has(c.type) && !wish.yColumns.length) y.push(i);
    else if (["string", "guid", "bool"].includes(c.type) && !wish.series.length) split.push(i);
  });
  return { x, y, split };
}

// asCategories makes labels of times and numbers.
export function asCategories(d) {
  if (d.axis === "category") return d;
  const xs = places(d.series), index = new Map(xs.map((x, i) => [x, i])), span = xs.at(-1) - xs[0];
  return { ...d, axis: "category", labels: d.axis === "time" ? timeLabels(xs, span) : xs.map(number), series: d.series.map((s) => ({ ...s, points: s.points.map((p) => ({ ...p, x: index.get(p.x) })) })) };
}

// timeLabels are as short as they can be without two that look the same.
function timeLabels(xs, span) {
  const short = xs.map((x) => timeLabel(x, span));
  if (new Set(short).size === xs.length) return short;
  const end = xs.every((x) => x % 60000 === 0) ? 16 : xs.every((x) => x % 1000 === 0) ? 19 : 23;
  return xs.map((x) => new Date(x).toISOString().slice(5, end).replace("T", " "));
}

const places = (series) => [...new Set(series.flatMap((s) => s.points.map((p) => p.x)))].sort((a, b) => a - b);

// shares makes of each value its part of all at the same place, in percent,
// whatever their signs.
export function shares(series) {
  const sums = new Map();
  for (const s of series) for (const p of s.points) sums.set(p.x, (sums.get(p.x) ?? 0) + Math.abs(p.y));
  return series.map((s) => ({ ...s, points: s.points.map((p) => ({ ...p, y: sums.get(p.x) ? p.y / sums.get(p.x) * 100 : 0 })) }));
}

// stack puts each series upon those before it, what is negative below zero: a
// point goes from the sum of those to y; own is its value. Where a series has
// none, it adds nothing.
export function stack(series) {
  const xs = places(series), zero = () => new Map(xs.map((x) => [x, 0])), above = zero(), below = zero();
  return series.map((s) => {
    const values = new Map(), mostly = s.points.some((p) => p.y > 0) ? above : below;
    for (const p of s.points) values.set(p.x, (values.get(p.x) ?? 0) + p.y);
    return { ...s, points: xs.map((x) => {
      const own = values.get(x) ?? 0, side = own > 0 ? above : own < 0 ? below : mostly, from = side.get(x);
      side.set(x, from + own);
      return { x, from, own, y: from + own };
    }) };
  });
}
