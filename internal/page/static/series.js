// What a chart shows of a table, as Azure Monitor chooses it: the x axis is the
// column that xcolumn names, else the first time or else the first column;
// strings beside it split the rows into series; numbers are drawn.

const numeric = new Set(["int", "long", "real", "decimal"]);
const bars = new Set(["barchart", "columnchart", "piechart"]);

export const maxSeries = 40;

// read returns {axis, labels, series: [{name, points: [{x, y}]}]}, or null when
// nothing can be drawn.
export function read(table, render) {
  const kind = render.visualization?.toLowerCase() ?? "";
  const r = assign(table.columns, render, bars.has(kind));
  if (!r.y.length) return null;
  const type = r.x < 0 ? "" : table.columns[r.x].type;
  const axis = type === "datetime" ? "time" : numeric.has(type) && !bars.has(kind) ? "number" : "category";
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
      if (!series.has(name)) series.set(name, { name, points: [] });
      series.get(name).points.push({ x, y: v });
    }
  }
  if (!series.size) return null;
  const list = [...series.values()];
  if (axis !== "category") for (const s of list) s.points.sort((a, b) => a.x - b.x);
  if (render.accumulate === "true") for (const s of list) for (let i = 1; i < s.points.length; i++) s.points[i].y += s.points[i - 1].y;
  return {
    axis, labels: [...labels.keys()], series: list.slice(0, maxSeries), more: Math.max(0, list.length - maxSeries),
    xTitle: render.xtitle ?? (r.x >= 0 ? table.columns[r.x].name : ""), yTitle: render.ytitle ?? "",
  };
}

function position(v, axis, labels) {
  if (axis === "time") return v === null ? null : Date.parse(v);
  if (axis === "number") return v === null ? null : Number(v);
  const label = v === null || v === undefined ? "" : String(v);
  if (!labels.has(label)) labels.set(label, labels.size);
  return labels.get(label);
}

function assign(columns, render, isBars) {
  const find = (name) => columns.findIndex((c) => c.name === name);
  const named = (list) => (list ?? "").split(",").map((n) => find(n.trim())).filter((i) => i >= 0);
  let x = find(render.xcolumn);
  if (x < 0 && !isBars) x = columns.findIndex((c) => c.type === "datetime");
  const y = named(render.ycolumns), split = named(render.series);
  const free = (i) => i !== x && !split.includes(i) && !y.includes(i);
  if (x < 0 && columns.length > 1) x = columns.findIndex((_, i) => free(i));
  columns.forEach((c, i) => {
    if (!free(i)) return;
    if (numeric.has(c.type) && !render.ycolumns) y.push(i);
    else if (["string", "guid", "bool"].includes(c.type) && !render.series) split.push(i);
  });
  return { x, y, split };
}
