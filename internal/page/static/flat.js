// Charts without an x axis: bars that lie, pies, and cards.

import { el, svg } from "./dom.js";
import { number, shorten } from "./scale.js";
import { asCategories, shares, stack } from "./series.js";
import { inPlaces, scaleOf, summary, text } from "./plot.js";

// Bars that are drawn at most, and room in pixels: of a heading, and of the
// number after a bar.
const mostRows = 200, heading = 24, after = 84;

// rows draws bars that lie, in panels one below another.
export function rows(raw, width) {
  const view = inPlaces(raw), { wish } = view, list = view.labels.slice(0, mostRows);
  const label = Math.min(Math.max(...list.map((l) => l.length), 4) * 6.8 + 14, width * .38);
  const root = svg("svg", { class: "plot tall", role: "img", "aria-label": summary(view) });
  let top = 0;
  const line = (x, s, cls) => { root.append(text(x, top + 15, s, "start", cls)); top += heading; };
  if (wish.xTitle) line(0, wish.xTitle);
  for (const panel of view.panels) {
    if (panel.name) line(label, panel.name, "value");
    top += rowsOf(root.appendChild(svg("g", { class: "panel", transform: `translate(0 ${top})` })), panel, view, list, label, width);
  }
  if (wish.yTitle) line(label, wish.yTitle);
  root.setAttribute("viewBox", `0 0 ${width} ${top}`);
  root.style.height = top + "px";
  return root;
}

// rowsOf draws the bars of a panel and returns its height. Each axis has a
// scale of its own; a lane is the place of a series beside others.
function rowsOf(group, panel, view, list, label, width) {
  const { wish, stacked } = view, count = panel.axes.reduce((n, a) => n + a.series.length, 0);
  const lanes = stacked ? 1 : Math.max(count, 1), thick = Math.max(20, lanes * 14), step = thick + 10, height = list.length * step + 12;
  list.forEach((l, i) => group.append(text(label - 8, i * step + thick / 2 + 10, shorten(l, Math.floor(label / 6.8)), "end", "value")));
  let lane = 0;
  for (const axis of panel.axes) {
    const series = stacked ? stack(wish.kind === "stacked100" ? shares(axis.series) : axis.series) : axis.series;
    const bar = barScale(scaleOf(series, wish, stacked, 2, { exact: true }), label, width);
    for (const s of series) {
      for (const p of s.points) if (p.x < list.length) group.append(...barOf(p, s, list[p.x], bar, { y: p.x * step + 6 + lane * thick / lanes, height: thick / lanes, stacked }));
      if (!stacked) lane++;
    }
    if (bar.below) group.append(svg("line", { class: "axis", x1: bar.zero, x2: bar.zero, y1: 0, y2: height }));
  }
  return height;
}

// barScale places bars beside their labels, with room for numbers at both ends.
function barScale(scale, label, width) {
  const { low, high, map, foot } = scale, below = map(foot) > low, left = label + (below ? 60 : 0);
  const per = (width - left - after) / (high - low || 1), inside = (v) => Math.min(Math.max(map(v), low), high);
  return { below, zero: left + (map(foot) - low) * per, length: (from, to) => (inside(to) - inside(from)) * per, foot };
}

function barOf(p, s, label, bar, { y, height, stacked }) {
  const from = stacked ? p.from : bar.foot, start = bar.zero + bar.length(bar.foot, from), length = bar.length(from, p.y), w = Math.abs(length);
  const x = length < 0 ? start - w : start;
  const rect = svg("rect", { class: "fill " + s.cls, x, y, width: Math.max(w, p.y ? 1 : 0), height: height - 1, rx: 3 }, svg("title", {}, `${label} · ${s.name}: ${p.own ?? p.y}`));
  return stacked ? [rect] : [rect, text(length < 0 ? x - 6 : x + w + 6, y + height / 2 + 4, number(p.y), length < 0 ? "end" : "start", "value")];
}

function totals(d) {
  const sums = d.labels.map(() => 0);
  for (const s of d.series) for (const p of s.points) sums[p.x] += Math.max(p.y, 0);
  return sums;
}

export function pie(raw, width, height) {
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
    const tail = `: ${number(v)} (${(v / sum * 100).toFixed(1)}%)`, room = Math.max(4, Math.floor((width - namesAt.x - 19) / 6.2) - tail.length);
    return shorten(name, room) + tail;
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

export function card(d) {
  return el("div", { class: "cards" }, ...d.values.map(([name, v]) => el("div", { class: "card-value" }, v, el("small", {}, name))));
}
