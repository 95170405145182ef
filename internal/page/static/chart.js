// Charts for the render operator, drawn as SVG: which chart, its title, legend
// and notes, and the series that are hidden.

import { $, el } from "./dom.js";
import { read } from "./series.js";
import { show } from "./grid.js";
import { wishOf } from "./wish.js";
import { logarithmic } from "./scale.js";
import { areas, columns, lines, plot, points } from "./plot.js";
import { card, pie, rows } from "./flat.js";

const box = $("chart");
let data = null, wish = wishOf({}), hidden = new Set();

const shapes = {
  timechart: plot(lines), linechart: plot(lines), anomalychart: plot(lines), areachart: plot(areas), stackedareachart: plot(areas),
  scatterchart: plot(points), columnchart: plot(columns), barchart: rows, piechart: pie, card,
};

// maxParts is how many panels or axes a chart is split into, as in Kusto
// (https://learn.microsoft.com/kusto/query/visualization-timechart, as of 2025).
const maxParts = 5;

// setChart says whether an answer has a chart, and makes it the one to draw.
export function setChart(table, render) {
  wish = wishOf(render ?? { visualization: guess(table) });
  hidden = new Set();
  data = wish.chart === "card" ? values(table) : shapes[wish.chart] ? placed(read(table, wish)) : null;
  return data !== null;
}

// guess is a chart for a query that asked for none.
function guess(table) {
  return table.columns.some((c) => c.type === "datetime") ? "timechart" : "columnchart";
}

// values are what a card shows: the first row, whatever its types.
function values(table) {
  return table.rows.length ? { series: [], values: table.columns.map((c, i) => [c.name, show(table.rows[0][i], c.type)]), astray: 0, more: 0 } : null;
}

// placed leaves out what has no place on a logarithmic axis, and counts it.
function placed(d) {
  if (!d) return null;
  const series = logarithmic(d, wish) ? d.series.map((s) => ({ ...s, points: s.points.filter((p) => p.x > 0) })) : d.series;
  const count = (list) => list.reduce((n, s) => n + s.points.length, 0);
  return { ...d, series, astray: count(d.series) - count(series) };
}

// partsOf are series that share a panel or an axis: those of a column or, where
// there is but one, each by itself, as in Kusto's own example of panels.
function partsOf(all) {
  const byColumn = new Set(all.map((s) => s.column)).size > 1;
  const parts = new Map();
  for (const s of all) {
    if (hidden.has(s.name)) continue;
    const name = byColumn ? s.column : s.name;
    if (!parts.has(name)) parts.set(name, { name, series: [] });
    parts.get(name).series.push(s);
  }
  return [...parts.values()];
}

const stackable = new Set(["areachart", "columnchart", "barchart"]);
const isStacked = () => wish.chart === "stackedareachart" || (stackable.has(wish.chart) && (wish.kind === "stacked" || wish.kind === "stacked100"));

// viewOf is what is drawn now: panels of axes, each of some series. What is
// stacked shares its axis, whatever ysplit says of axes.
function viewOf(all) {
  const parts = partsOf(all), drawn = parts.slice(0, maxParts), stacked = isStacked();
  const shown = (list) => list.flatMap((p) => p.series);
  const view = { ...data, wish, box, stacked, split: false, undrawn: 0 };
  if (drawn.length && wish.split === "panels") return { ...view, split: true, series: shown(drawn), panels: drawn.map((p) => ({ name: p.name, axes: [p] })), undrawn: parts.length - drawn.length };
  if (drawn.length && wish.split === "axes" && !stacked) return { ...view, split: true, series: shown(drawn), panels: [{ name: "", axes: drawn }], undrawn: parts.length - drawn.length };
  return { ...view, series: shown(parts), panels: [{ name: "", axes: [{ name: "", series: shown(parts) }] }] };
}

// notes say what is not in the chart.
function notes(view) {
  const note = (n, one, many) => (n ? [el("p", { class: "dim" }, `${n.toLocaleString()} ${n === 1 ? one + " is" : many + " are"} not drawn`)] : []);
  const astray = note(view.astray, "point", "points");
  astray[0]?.append(": a logarithmic axis begins above zero");
  return [...note(view.more, "more series", "more series"), ...note(view.undrawn, wish.split === "axes" ? "more axis" : "more panel", "more " + wish.split), ...astray];
}

export function drawChart() {
  if (!data) return;
  const all = data.series.map((s, i) => ({ ...s, cls: "s-" + (i % 8 + 1) })), view = viewOf(all);
  box.replaceChildren();
  if (wish.title) box.append(el("h2", {}, wish.title));
  const room = box.appendChild(el("div", { class: "room" }));
  const told = all.length > 1 || all.some((s) => s.name !== s.column); // the one series of a column needs no name
  if (told && wish.legend) box.append(legend(all));
  box.append(...notes(view));
  // The plot has the room that title and legend leave.
  room.replaceWith(shapes[wish.chart](view, Math.max(room.clientWidth, 260), Math.max(room.clientHeight, 240)));
}

new ResizeObserver(() => { if (!box.closest("[hidden]")) drawChart(); }).observe(box);

function legend(all) {
  const title = wish.legendTitle ? [el("span", { class: "dim" }, wish.legendTitle)] : [];
  return el("div", { class: "legend", "aria-label": wish.legendTitle || "Series" }, ...title, ...all.map((s) => el("button", {
    type: "button", class: s.cls, "aria-pressed": !hidden.has(s.name), title: s.name,
    onclick: () => { if (hidden.has(s.name)) hidden.delete(s.name); else hidden.add(s.name); drawChart(); },
  }, el("span", { class: "dot" }), s.name)));
}
