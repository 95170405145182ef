// What a chart shows of a table, as Azure Monitor chooses it: the x axis is the
// column that xcolumn names, else the first time or else the first column;
// strings beside it split the rows into series; numbers are drawn.

import { number, timeLabel } from "./scale.js";

const numeric = new Set(["int", "long", "real", "decimal"]);
const bars = new Set(["barchart", "columnchart", "piechart"]);

export const maxSeries = 40;

// read returns {axis, labels, series: [{name, column, points: [{x, y}]}]}, or
// null when nothing can be drawn. column is the one that y is of.
export function read(table, wish) {
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
  return { ...d, axis: "category", labels: xs.map((x) => (d.axis === "time" ? timeLabel(x, span) : number(x))), series: d.series.map((s) => ({ ...s, points: s.points.map((p) => ({ ...p, x: index.get(p.x) })) })) };
}

const places = (series) => [...new Set(series.flatMap((s) => s.points.map((p) => p.x)))].sort((a, b) => a - b);

// shares makes of each value its part of all at the same place, in percent.
export function shares(series) {
  const sums = new Map();
  for (const s of series) for (const p of s.points) sums.set(p.x, (sums.get(p.x) ?? 0) + p.y);
  return series.map((s) => ({ ...s, points: s.points.map((p) => ({ ...p, y: sums.get(p.x) ? p.y / sums.get(p.x) * 100 : 0 })) }));
}

// stack puts each series upon those before it: a point goes from the sum of
// those to y; own is its value. Where a series has none, it adds nothing.
export function stack(series) {
  const xs = places(series), top = new Map(xs.map((x) => [x, 0]));
  return series.map((s) => {
    const values = new Map();
    for (const p of s.points) values.set(p.x, (values.get(p.x) ?? 0) + p.y);
    return { ...s, points: xs.map((x) => {
      const from = top.get(x), own = values.get(x) ?? 0;
      top.set(x, from + own);
      return { x, from, own, y: from + own };
    }) };
  });
}
