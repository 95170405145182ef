// Charts for the render operator, drawn as SVG.

import { $, el, svg } from "./dom.js";
import { read } from "./series.js";
import { show } from "./grid.js";

const box = $("chart");
const margin = { top: 12, right: 18, bottom: 34, left: 56 };
let data = null, render = {}, hidden = new Set();

const shapes = {
  timechart: lines, linechart: lines, anomalychart: lines, areachart: areas, stackedareachart: areas,
  scatterchart: points, columnchart: columns, barchart: rows, piechart: pie, card: card,
};

// canDraw says whether an answer has a chart, and makes it the one to draw.
export function setChart(table, wish) {
  render = wish ?? {};
  const kind = render.visualization?.toLowerCase();
  hidden = new Set();
  if (!shapes[kind] && !wish) render = { visualization: guess(table) };
  data = kind === "card" ? values(table) : shapes[render.visualization?.toLowerCase()] ? read(table, render) : null;
  return data !== null;
}

// guess is a chart for a query that asked for none.
function guess(table) {
  return table.columns.some((c) => c.type === "datetime") ? "timechart" : "columnchart";
}

// values are what a card shows: the first row, whatever its types.
function values(table) {
  return table.rows.length ? { series: [], values: table.columns.map((c, i) => [c.name, show(table.rows[0][i], c.type)]) } : null;
}

export function drawChart() {
  if (!data) return;
  const all = data.series.map((s, i) => ({ ...s, cls: "s-" + (i % 8 + 1) }));
  const view = { ...data, series: all.filter((s) => !hidden.has(s.name)) };
  box.replaceChildren();
  if (render.title) box.append(el("h2", {}, render.title));
  const plot = box.appendChild(el("div", { class: "room" }));
  if (all.length > 1 && render.legend !== "hidden") box.append(legend(all));
  if (data.more) box.append(el("p", { class: "dim" }, `${data.more} more series are not drawn`));
  // The plot has the room that title and legend leave.
  const width = Math.max(plot.clientWidth, 260), height = Math.max(plot.clientHeight, 240);
  plot.replaceWith(shapes[render.visualization.toLowerCase()](view, width, height));
}

new ResizeObserver(() => { if (!box.closest("[hidden]")) drawChart(); }).observe(box);

function legend(all) {
  return el("div", { class: "legend", "aria-label": "Series" }, ...all.map((s) => el("button", {
    type: "button", class: s.cls, "aria-pressed": !hidden.has(s.name), title: s.name,
    onclick: () => { if (hidden.has(s.name)) hidden.delete(s.name); else hidden.add(s.name); drawChart(); },
  }, el("span", { class: "dot" }), s.name)));
}

// --- scales and axes ---

// stepOf is a round distance of lines, about count of them.
function stepOf(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
}

function ticks(low, high, count) {
  const step = stepOf(low, high, count), out = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800].map((s) => s * 1000);

function timeTicks(low, high, count) {
  const step = timeSteps.find((s) => (high - low) / s <= count) ?? (high - low) / count;
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(v);
  return out;
}

const iso = (ms) => new Date(ms).toISOString();
function timeLabel(ms, span) {
  const t = iso(ms);
  if (span > 3 * 864e5) return t.slice(5, 10);
  if (span > 864e5) return t.slice(5, 16).replace("T", " ");
  return span >= 6e5 ? t.slice(11, 16) : t.slice(11, 19);
}

export function number(v) {
  const a = Math.abs(v);
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) if (a >= size) return trim(v / (unit === "k" ? 1e3 : size)) + unit;
  return trim(v);
}
const trim = (v) => String(Number(v.toPrecision(4)));

// frame draws axes around a plot and returns its scales.
function frame(d, width, height, { fromZero = true, stackTop = null, band = false } = {}) {
  const ys = d.series.flatMap((s) => s.points.map((p) => p.y));
  if (render.yaxis === "log" && stackTop === null) return axes(d, width, height, band, logScale(ys, height));
  let low = Math.min(...range(ys), fromZero ? 0 : Infinity), high = stackTop ?? range(ys)[1];
  if (fromZero) high = Math.max(high, 0);
  if (Number(render.ymin) === Number(render.ymin) && render.ymin) low = Number(render.ymin);
  if (Number(render.ymax) === Number(render.ymax) && render.ymax) high = Number(render.ymax);
  if (!(high > low)) high = low + 1;
  const wanted = Math.max(2, Math.floor(height / 60)), step = stepOf(low, high, wanted);
  if (!render.ymax) high = Math.ceil(high / step - 1e-9) * step; // the topmost line is above all values
  if (!render.ymin) low = Math.floor(low / step + 1e-9) * step;
  return axes(d, width, height, band, { low, high, ticks: ticks(low, high, wanted), at: (v) => v });
}

// logScale is a scale by powers of ten; what is not above zero stands at its foot.
function logScale(ys, height) {
  const [least, most] = range(ys.filter((v) => v > 0)), low = Math.floor(Math.log10(Number(render.ymin) || least)), high = Math.max(Math.ceil(Math.log10(Number(render.ymax) || most)), low + 1);
  const every = Math.ceil((high - low) / Math.max(2, Math.floor(height / 60))), powers = [];
  for (let p = low; p <= high; p += every) powers.push(10 ** p);
  return { low, high, ticks: powers, at: (v) => (v > 0 ? Math.max(Math.log10(v), low) : low) };
}

// axes draws axes around a plot, with a scale for its values.
function axes(d, width, height, band, scale) {
  const { low, high } = scale;
  let [left, right] = band ? [-0.5, d.labels.length - 0.5] : range(d.series.flatMap((s) => s.points.map((p) => p.x)));
  if (!(right > left)) { left -= d.axis === "time" ? 3e4 : 0.5; right += d.axis === "time" ? 3e4 : 0.5; }
  const inner = { w: width - margin.left - margin.right, h: height - margin.top - margin.bottom };
  const x = (v) => margin.left + (v - left) / (right - left) * inner.w;
  const y = (v) => margin.top + (high - scale.at(v)) / (high - low) * inner.h;
  const root = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(d) });
  for (const v of scale.ticks) {
    root.append(svg("line", { class: "gridline", x1: margin.left, x2: width - margin.right, y1: y(v), y2: y(v) }),
      text(margin.left - 8, y(v) + 4, number(v) + (d.unit ?? ""), "end"));
  }
  root.append(svg("line", { class: "axis", x1: margin.left, x2: width - margin.right, y1: foot(y, scale), y2: foot(y, scale) }));
  for (const [v, label] of xTicks(d, left, right, inner.w)) root.append(text(x(v), height - margin.bottom + 18, label, "middle"));
  if (d.yTitle) root.append(text(margin.left, 9, d.yTitle, "start"));
  if (render.xtitle) root.append(text(margin.left + inner.w / 2, height - 2, render.xtitle, "middle"));
  return { root, x, y, left, right, inner };
}

// foot is where the axis stands: at zero, or at the bottom of a scale without one.
const foot = (y, { low, high, ticks: [first] }) => y(low <= 0 && high >= 0 && first <= 0 ? 0 : first);

// range is the least and greatest of numbers; spreading a large array into
// Math.max would overflow the stack.
function range(list) {
  let a = Infinity, b = -Infinity;
  for (const v of list) { if (v < a) a = v; if (v > b) b = v; }
  return a > b ? [0, 1] : [a, b];
}

function xTicks(d, left, right, width) {
  if (d.axis === "time") return timeTicks(left, right, Math.max(2, Math.floor(width / 90))).map((v) => [v, timeLabel(v, right - left)]);
  if (d.axis === "number") return ticks(left, right, Math.max(2, Math.floor(width / 80))).map((v) => [v, number(v)]);
  const every = Math.ceil(d.labels.length / Math.max(1, Math.floor(width / 74))), room = Math.max(5, Math.floor(width / d.labels.length * every / 6.6));
  return d.labels.map((l, i) => [i, l.length > room ? l.slice(0, room - 1) + "…" : l]).filter(([i]) => i % every === 0);
}

function text(x, y, s, anchor, cls = "") {
  return svg("text", { x, y, "text-anchor": anchor, class: cls }, s);
}

function summary(d) {
  const names = d.series.slice(0, 4).map((s) => `${s.name}: ${number(range(s.points.map((p) => p.y))[0])} to ${number(range(s.points.map((p) => p.y))[1])}`);
  return `${render.visualization}${render.title ? ", " + render.title : ""}. ${names.join("; ")}`;
}

const path = (points) => "M" + points.map((p) => p.map((n) => n.toFixed(1)).join(",")).join("L");

// --- the kinds ---

function lines(d, width, height) {
  const f = frame(d, width, height);
  for (const s of d.series) {
    const at = s.points.map((p) => [f.x(p.x), f.y(p.y)]);
    f.root.append(svg("path", { class: "line " + s.cls, d: path(at) }));
    if (at.length < 60) for (const [x, y] of at) f.root.append(svg("circle", { class: "fill " + s.cls, cx: x, cy: y, r: at.length === 1 ? 4 : 2.5 }));
  }
  hover(d, f, width, height);
  return f.root;
}

function areas(d, width, height) {
  const unstacked = render.visualization === "areachart" && render.kind !== "stacked" && render.kind !== "stacked100";
  if (unstacked) {
    const f = frame(d, width, height);
    for (const s of d.series) {
      const at = s.points.map((p) => [f.x(p.x), f.y(p.y)]);
      f.root.append(svg("path", { class: "area fill " + s.cls, d: path([[at[0][0], f.y(0)], ...at, [at.at(-1)[0], f.y(0)]]) + "Z" }), svg("path", { class: "line " + s.cls, d: path(at) }));
    }
    hover(d, f, width, height);
    return f.root;
  }
  if (render.kind === "stacked100") d = shares(d);
  const xs = [...new Set(d.series.flatMap((s) => s.points.map((p) => p.x)))].sort((a, b) => a - b);
  const base = new Map(xs.map((x) => [x, 0]));
  const layers = d.series.map((s) => {
    const own = new Map(s.points.map((p) => [p.x, p.y]));
    return { s, spans: xs.map((x) => { const from = base.get(x), to = from + (own.get(x) ?? 0); base.set(x, to); return [x, from, to]; }) };
  });
  const f = frame(d, width, height, { stackTop: range([...base.values()])[1] });
  for (const { s, spans } of layers) {
    f.root.append(svg("path", { class: "stack fill " + s.cls, d: path([...spans.map(([x, , to]) => [f.x(x), f.y(to)]), ...spans.toReversed().map(([x, from]) => [f.x(x), f.y(from)])]) + "Z" }));
  }
  hover(d, f, width, height);
  return f.root;
}

function points(d, width, height) {
  const f = frame(d, width, height, { fromZero: false });
  for (const s of d.series) for (const p of s.points.slice(0, 20000)) f.root.append(svg("circle", { class: "fill " + s.cls, cx: f.x(p.x).toFixed(1), cy: f.y(p.y).toFixed(1), r: 3, "fill-opacity": .7 }));
  hover(d, f, width, height);
  return f.root;
}

// asCategories makes labels of times and numbers.
function asCategories(d) {
  if (d.axis === "category") return d;
  const xs = [...new Set(d.series.flatMap((s) => s.points.map((p) => p.x)))].sort((a, b) => a - b), index = new Map(xs.map((x, i) => [x, i]));
  const span = xs.at(-1) - xs[0];
  return { ...d, axis: "category", labels: xs.map((x) => d.axis === "time" ? timeLabel(x, span) : number(x)), series: d.series.map((s) => ({ ...s, points: s.points.map((p) => ({ x: index.get(p.x), y: p.y })) })) };
}

const isStacked = () => render.kind === "stacked" || render.kind === "stacked100";

// shares makes of each value its part of all at the same place, in percent.
function shares(d) {
  const sums = new Map();
  for (const s of d.series) for (const p of s.points) sums.set(p.x, (sums.get(p.x) ?? 0) + p.y);
  return { ...d, unit: "%", series: d.series.map((s) => ({ ...s, points: s.points.map((p) => ({ x: p.x, y: sums.get(p.x) ? p.y / sums.get(p.x) * 100 : 0 })) })) };
}

// barsOf is what bars and columns draw.
function barsOf(raw) {
  const d = asCategories(raw);
  return render.kind === "stacked100" ? shares(d) : d;
}

function totals(d) {
  const sums = d.labels.map(() => 0);
  for (const s of d.series) for (const p of s.points) sums[p.x] += Math.max(p.y, 0);
  return sums;
}

function columns(raw, width, height) {
  const d = barsOf(raw), stacked = isStacked();
  const f = frame(d, width, height, { band: true, stackTop: stacked ? range(totals(d))[1] : null });
  const slot = Math.min(f.inner.w / Math.max(d.labels.length, 1) * .78, 40 + 50 * (isStacked() ? 1 : d.series.length)), each = stacked ? slot : slot / Math.max(d.series.length, 1);
  const top = d.labels.map(() => 0);
  d.series.forEach((s, n) => {
    for (const p of s.points) {
      const from = stacked ? top[p.x] : 0, to = from + p.y;
      if (stacked) top[p.x] = to;
      const y = Math.min(f.y(from), f.y(to));
      const r = svg("rect", { class: "fill " + s.cls, x: f.x(p.x) - slot / 2 + (stacked ? 0 : n * each), y, width: Math.max(each - 1, 1), height: Math.max(Math.abs(f.y(from) - f.y(to)), p.y ? 1 : 0), rx: 2 });
      r.append(svg("title", {}, `${d.labels[p.x]} · ${s.name}: ${p.y}`));
      f.root.append(r);
    }
  });
  return f.root;
}

function rows(raw, width) {
  const d = barsOf(raw), stacked = isStacked();
  const list = d.labels.slice(0, 200), label = Math.min(Math.max(...list.map((l) => l.length), 4) * 6.8 + 14, width * .38);
  const lanes = stacked ? 1 : Math.max(d.series.length, 1), thick = Math.max(20, lanes * 14), step = thick + 10, height = list.length * step + 12;
  const [least, greatest] = range(d.series.flatMap((s) => s.points.map((p) => p.y)));
  const low = stacked ? 0 : Math.min(least, 0), high = Math.max(stacked ? range(totals(d))[1] : greatest, 0);
  const left = label + (low < 0 ? 60 : 0), per = (width - left - 84) / (high - low || 1), zero = left - low * per;
  const root = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(d) });
  root.classList.add("rows");
  root.style.height = height + "px";
  const at = list.map(() => 0), chars = Math.floor(label / 6.8);
  list.forEach((l, i) => root.append(text(label - 8, i * step + thick / 2 + 10, l.length > chars ? l.slice(0, chars - 1) + "…" : l, "end", "value")));
  d.series.forEach((s, n) => {
    for (const p of s.points) {
      if (p.x >= list.length) continue;
      const w = (stacked ? Math.max(p.y, 0) : Math.abs(p.y)) * per, lane = stacked ? thick : thick / lanes;
      const x = zero + (stacked ? at[p.x] : Math.min(p.y, 0) * per), y = p.x * step + 6 + (stacked ? 0 : n * lane);
      at[p.x] += w;
      const r = svg("rect", { class: "fill " + s.cls, x, y, width: Math.max(w, p.y ? 1 : 0), height: lane - 1, rx: 3 });
      r.append(svg("title", {}, `${list[p.x]} · ${s.name}: ${p.y}`));
      root.append(r);
      if (!stacked) root.append(text(p.y < 0 ? x - 6 : x + w + 6, y + lane / 2 + 4, number(p.y), p.y < 0 ? "end" : "start", "value"));
    }
  });
  if (low < 0) root.append(svg("line", { class: "axis", x1: zero, x2: zero, y1: 0, y2: height }));
  return root;
}

function pie(raw, width, height) {
  const d = asCategories(raw), slices = [];
  const whole = d.labels.length > 1 ? totals(d) : d.series.map((s) => s.points.reduce((a, p) => a + Math.max(p.y, 0), 0));
  const names = d.labels.length > 1 ? d.labels : d.series.map((s) => s.name);
  const sum = whole.reduce((a, b) => a + b, 0) || 1;
  const order = whole.map((v, i) => [v, names[i]]).sort((a, b) => b[0] - a[0]);
  const shown = order.length > 8 ? [...order.slice(0, 7), [order.slice(7).reduce((a, [v]) => a + v, 0), `${order.length - 7} others`]] : order;
  // The names stand beside the circle, or on a narrow page below it.
  const below = width < 520, lines = shown.length * 24;
  const r = Math.max(below ? Math.min(height - lines - 20, width * .8) / 2 - 8 : Math.min(height, width * .5) / 2 - 14, 40);
  const cx = below ? width / 2 : Math.min(width * .33, r + 40), cy = below ? r + 8 : height / 2;
  const namesAt = below ? { x: 8, y: 2 * r + 36 } : { x: cx + r + 28, y: cy - lines / 2 + 12 };
  const named = ([v, name]) => {
    const tail = `  ${number(v)}  (${(v / sum * 100).toFixed(1)}%)`, room = Math.max(4, Math.floor((width - namesAt.x - 19) / 6.2) - tail.length);
    return (name.length > room ? name.slice(0, room - 1) + "…" : name) + tail;
  };
  const root = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "piechart. " + shown.map(([v, n]) => `${n}: ${(v / sum * 100).toFixed(1)}%`).join("; ") });
  let angle = -Math.PI / 2;
  shown.forEach(([v, name], i) => {
    const turn = v / sum * 2 * Math.PI, end = angle + turn, cls = "fill s-" + (i % 8 + 1);
    const p = (a, q) => `${(cx + q * Math.cos(a)).toFixed(2)},${(cy + q * Math.sin(a)).toFixed(2)}`;
    const slice = turn > 2 * Math.PI - 1e-6 ? svg("circle", { class: cls, cx, cy, r }) :
      svg("path", { class: "stack " + cls, d: `M${p(angle, r * .58)}L${p(angle, r)}A${r},${r} 0 ${turn > Math.PI ? 1 : 0} 1 ${p(end, r)}L${p(end, r * .58)}A${r * .58},${r * .58} 0 ${turn > Math.PI ? 1 : 0} 0 ${p(angle, r * .58)}Z` });
    slice.append(svg("title", {}, `${name}: ${v}`));
    slices.push(slice);
    const x = namesAt.x, y = namesAt.y + i * 24;
    root.append(svg("rect", { class: cls, x, y: y - 9, width: 11, height: 11, rx: 3 }),
      text(x + 19, y, named([v, name]), "start", "value"));
    angle = end;
  });
  root.prepend(...slices);
  return root;
}

function card(d) {
  return el("div", { class: "cards" }, ...d.values.map(([name, v]) => el("div", { class: "card-value" }, v, el("small", {}, name))));
}

// hover shows the values at the place of the pointer.
function hover(d, f, width, height) {
  const cross = svg("line", { class: "cross off", y1: margin.top, y2: height - margin.bottom });
  f.root.append(cross);
  const tip = el("div", { class: "tip", hidden: true });
  box.append(tip);
  const span = f.right - f.left;
  f.root.addEventListener("pointermove", (e) => {
    const r = f.root.getBoundingClientRect(), zoom = Math.min(r.width / width, r.height / height);
    const px = (e.clientX - r.left - (r.width - width * zoom) / 2) / zoom;
    const at = f.left + (px - margin.left) / f.inner.w * span;
    const near = d.series.map((s) => [s, closest(s.points, at)]).filter(([, p]) => p);
    if (!near.length) return;
    const x = near.reduce((best, [, p]) => Math.abs(p.x - at) < Math.abs(best - at) ? p.x : best, near[0][1].x);
    cross.setAttribute("x1", f.x(x));
    cross.setAttribute("x2", f.x(x));
    cross.classList.remove("off");
    const here = near.filter(([, p]) => p.x === x).sort((a, b) => b[1].y - a[1].y).slice(0, 12);
    tip.replaceChildren(el("b", {}, d.axis === "time" ? iso(x).slice(0, 19).replace("T", " ") : d.axis === "number" ? number(x) : d.labels[x]),
      ...here.map(([s, p]) => el("div", { class: s.cls }, el("span", { class: "ink" }, "■ "), `${s.name}  ${number(p.y)}`)));
    tip.hidden = false;
    const b = box.getBoundingClientRect(), left = e.clientX - b.left + 14;
    tip.style.left = (left + tip.offsetWidth > box.clientWidth ? left - tip.offsetWidth - 28 : left) + "px";
    tip.style.top = e.clientY - b.top + box.scrollTop + 10 + "px";
  });
  f.root.addEventListener("pointerleave", () => { tip.hidden = true; cross.classList.add("off"); });
}

function closest(points, at) {
  let low = 0, high = points.length - 1;
  while (low < high) { const mid = (low + high) >> 1; if (points[mid].x < at) low = mid + 1; else high = mid; }
  const a = points[low - 1], b = points[low];
  return a && (!b || at - a.x < b.x - at) ? a : b;
}
