// Charts with an x axis: panels one below another over the same x axis, each
// with one or more y axes, and the marks on them.

import { el, svg } from "./dom.js";
import { along, holds, number, placeScale, range, shorten, valueScale } from "./scale.js";
import { asCategories, shares, stack } from "./series.js";

// Room in pixels around the plot; heading is above a panel of several.
const margin = { top: 12, right: 18, bottom: 34, left: 56 }, heading = 26, leastPanel = 70, leastWidth = 160;
const labelWidth = 6.8; // of a character, at most

// plot returns the drawing of a kind of marks: {draw, fromZero, band}.
export function plot(marks) {
  return (view, width, height) => {
    const f = frame(marks.band ? inPlaces(view) : view, marks, width, height);
    for (const panel of f.panels) for (const axis of panel.axes) marks.draw(axis, f, panel);
    if (!marks.band) hover(f, view.box);
    return f.root;
  };
}

// inPlaces makes categories of the x axis of a view, in its panels, too.
export function inPlaces(view) {
  const d = asCategories(view), named = new Map(d.series.map((s) => [s.name, s]));
  return { ...d, panels: view.panels.map((p) => ({ ...p, axes: p.axes.map((a) => ({ ...a, series: a.series.map((s) => named.get(s.name)) })) })) };
}

// frame lays panels and axes out and draws them; marks go on {plane, x, y}.
function frame(view, marks, room, height) {
  const { wish, panels } = view, many = panels.length > 1 || (view.split && panels[0].name !== "");
  const above = many ? heading : 0, top = margin.top + (many && wish.yTitle ? 8 : 0);
  const each = Math.max((height - top - margin.bottom) / panels.length - above, many ? leastPanel : 0);
  const total = many ? top + margin.bottom + panels.length * (each + above) : height;
  const list = panels.map((p, i) => ({ name: p.name, top: top + above + i * (each + above), height: each, axes: p.axes.map((a) => valueAxis(a, view, marks, each)) }));
  const sides = sidesOf(list, view.split && !panels[0].name), left = sides.left;
  const width = Math.max(room, left + sides.right + leastWidth), inner = { w: width - left - sides.right, h: each };
  const places = placeScale(view, wish, inner.w, marks.band), x = (v) => left + along(places, v, inner.w);
  const root = svg("svg", { class: "plot", viewBox: `0 0 ${width} ${total}`, role: "img", "aria-label": summary(view) });
  if (total > height) { root.classList.add("tall"); root.style.height = total + "px"; }
  if (width > room) root.style.width = width + "px"; // on a phone, several axes leave no room: the chart scrolls
  const f = { root, view, places, x, left, inner, width, top, bottom: total - margin.bottom, panels: list };
  for (const panel of list) drawPanel(f, panel);
  drawPlaces(f, total);
  if (wish.yTitle) root.append(text(many ? 4 : left, many ? 11 : 9, wish.yTitle, "start"));
  return f;
}

// valueAxis is a y axis: its series, as they are drawn, and its scale.
function valueAxis(axis, { wish, stacked }, marks, height) {
  const series = stacked ? stack(wish.kind === "stacked100" ? shares(axis.series) : axis.series) : axis.series;
  const inside = marks.band ? series : series.map((s) => ({ points: s.points.filter((p) => inRange(p.x, wish)) }));
  return { ...axis, series, scale: scaleOf(inside, wish, stacked, Math.max(2, Math.floor(height / 60)), { fromZero: marks.fromZero }) };
}

const inRange = (x, { xMin, xMax }) => (xMin === null || x >= xMin) && (xMax === null || x <= xMax);

// scaleOf is the scale of series, in percent when they are shares. Sums have
// no place on a logarithmic one.
export function scaleOf(series, wish, stacked, count, options) {
  const unit = stacked && wish.kind === "stacked100" ? "%" : "";
  return valueScale(series.flatMap((s) => s.points.map((p) => p.y)), wish, count, { ...options, log: wish.yLog && !stacked, unit });
}

// sidesOf gives each of several axes its place, left and right by turns, and
// returns the room that all take.
function sidesOf(panels, several) {
  if (!several) {
    for (const p of panels) p.axes[0].at = 0;
    return { left: margin.left, right: margin.right };
  }
  const room = { left: 4, right: 4 };
  panels[0].axes.forEach((a, i) => {
    const widest = Math.max(...a.scale.ticks.map(([, label]) => label.length));
    a.side = i % 2 ? "right" : "left";
    a.room = widest * labelWidth + 32; // labels, their tick, and the name upright beside them
    a.at = room[a.side] - 4;
    room[a.side] += a.room;
  });
  return { left: Math.max(room.left, 24), right: Math.max(room.right, margin.right) };
}

let clips = 0;

// drawPanel draws the axes of a panel and makes the plane for its marks, beyond
// which nothing of them is seen.
function drawPanel(f, panel) {
  const { root, left, inner } = f, group = root.appendChild(svg("g", { class: "panel" })), right = left + inner.w;
  if (panel.name) group.append(text(left, panel.top - 8, panel.name, "start", "value"));
  panel.axes.forEach((axis, i) => {
    axis.y = (v) => panel.top + panel.height - along(axis.scale, v, panel.height);
    axis.foot = axis.y(axis.scale.foot);
    const labels = group.appendChild(svg("g", { class: "y-axis" }));
    if (i === 0) for (const [v] of axis.scale.ticks) labels.append(svg("line", { class: "gridline", x1: left, x2: right, y1: axis.y(v), y2: axis.y(v) }));
    if (axis.side) drawNamedAxis(labels, axis, panel, left, right);
    else for (const [v, label] of axis.scale.ticks) labels.append(text(left - 8, axis.y(v) + 4, label, "end"));
  });
  group.append(svg("line", { class: "axis", x1: left, x2: right, y1: panel.axes[0].foot, y2: panel.axes[0].foot }));
  const id = "plane-" + clips++, edge = 5; // circles at the edge are whole
  group.append(svg("clipPath", { id }, svg("path", { d: `M${left - edge},${panel.top - edge}h${inner.w + 2 * edge}v${panel.height + 2 * edge}h${-inner.w - 2 * edge}Z` })));
  panel.plane = group.appendChild(svg("g", { "clip-path": `url(#${id})` }));
}

// drawNamedAxis draws one of several axes: its line, labels, and name, in the
// colour of its series when that is one.
function drawNamedAxis(group, axis, panel, left, right) {
  const out = axis.side === "left" ? -1 : 1, x = axis.side === "left" ? left - axis.at : right + axis.at;
  if (axis.series.length === 1) group.classList.add("own", axis.series[0].cls);
  group.append(svg("line", { class: "axis", x1: x, x2: x, y1: panel.top, y2: panel.top + panel.height }));
  for (const [v, label] of axis.scale.ticks) {
    group.append(svg("line", { class: "axis", x1: x, x2: x + out * 4, y1: axis.y(v), y2: axis.y(v) }), text(x + out * 7, axis.y(v) + 4, label, out < 0 ? "end" : "start"));
  }
  const middle = panel.top + panel.height / 2, upright = x + out * (axis.room - 15), room = Math.floor(panel.height / 6.2);
  const name = text(upright, middle, shorten(axis.name, room), "middle");
  name.setAttribute("transform", `rotate(${90 * out} ${upright} ${middle})`);
  group.append(name);
}

// drawPlaces draws the x axis below the last panel. The last label stays within
// the chart.
function drawPlaces({ root, places, x, left, inner, bottom, width, view }, total) {
  const group = root.appendChild(svg("g", { class: "x-axis" }));
  for (const [v, label] of places.ticks) {
    const fits = x(v) + label.length * labelWidth / 2 <= width;
    group.append(fits ? text(x(v), bottom + 18, label, "middle") : text(width - 1, bottom + 18, label, "end"));
  }
  if (view.wish.xTitle) root.append(text(left + inner.w / 2, total - 2, view.wish.xTitle, "middle"));
}

export function text(x, y, s, anchor, cls = "") {
  return svg("text", { x, y, "text-anchor": anchor, class: cls }, s);
}

export function summary({ wish, series }) {
  const ends = (s) => range(s.points.map((p) => p.y)).map(number).join(" to ");
  return `${wish.chart}${wish.title ? ", " + wish.title : ""}. ${series.slice(0, 4).map((s) => `${s.name}: ${ends(s)}`).join("; ")}`;
}

// --- marks ---

const path = (points) => "M" + points.map((p) => p.map((n) => n.toFixed(1)).join(",")).join("L");
const at = (s, f, axis) => s.points.map((p) => [f.x(p.x), axis.y(p.y)]);

export const lines = {
  fromZero: true,
  draw(axis, f, { plane }) {
    for (const s of axis.series.filter((s) => s.points.length)) {
      const on = at(s, f, axis);
      plane.append(svg("path", { class: "line " + s.cls, d: path(on) }));
      if (on.length < 60) for (const [x, y] of on) plane.append(svg("circle", { class: "fill " + s.cls, cx: x, cy: y, r: on.length === 1 ? 4 : 2.5 }));
    }
  },
};

export const areas = {
  fromZero: true,
  draw(axis, f, { plane }) {
    for (const s of axis.series.filter((s) => s.points.length)) {
      const on = at(s, f, axis);
      if (on.length === 1) plane.append(svg("circle", { class: "fill " + s.cls, cx: on[0][0], cy: on[0][1], r: 4 })); // it has no area
      if (f.view.stacked) {
        plane.append(svg("path", { class: "stack fill " + s.cls, d: path([...on, ...s.points.toReversed().map((p) => [f.x(p.x), axis.y(p.from)])]) + "Z" }));
        continue;
      }
      plane.append(svg("path", { class: "area fill " + s.cls, d: path([[on[0][0], axis.foot], ...on, [on.at(-1)[0], axis.foot]]) + "Z" }), svg("path", { class: "line " + s.cls, d: path(on) }));
    }
  },
};

export const points = {
  fromZero: false,
  draw(axis, f, { plane }) {
    for (const s of axis.series) for (const [x, y] of at({ points: s.points.slice(0, 20000) }, f, axis)) plane.append(svg("circle", { class: "fill " + s.cls, cx: x.toFixed(1), cy: y.toFixed(1), r: 3, "fill-opacity": .7 }));
  },
};

export const columns = {
  fromZero: true, band: true,
  draw(axis, f, { plane, axes }) {
    // Series of all axes of a panel stand beside each other.
    const labels = f.view.labels, lanes = f.view.stacked ? 1 : axes.reduce((n, a) => n + a.series.length, 0);
    const first = axes.slice(0, axes.indexOf(axis)).reduce((n, a) => n + a.series.length, 0);
    const slot = Math.min(f.inner.w / Math.max(labels.length, 1) * .78, 40 + 50 * lanes), each = slot / Math.max(lanes, 1);
    axis.series.forEach((s, n) => {
      for (const p of s.points) {
        const from = f.view.stacked ? axis.y(p.from) : axis.foot, to = axis.y(p.y), left = f.x(p.x) - slot / 2 + (f.view.stacked ? 0 : (first + n) * each);
        plane.append(svg("rect", { class: "fill " + s.cls, x: left, y: Math.min(from, to), width: Math.max(each - 1, 1), height: Math.max(Math.abs(from - to), p.y ? 1 : 0), rx: 2 },
          svg("title", {}, `${labels[p.x]} · ${s.name}: ${p.own ?? p.y}`)));
      }
    });
  },
};

// --- the pointer ---

// hover shows the values of all panels at the place of the pointer.
function hover(f, box) {
  const { root, view, places, inner } = f, d = view;
  const series = f.panels.flatMap((p) => p.axes.flatMap((a) => a.series)).map((s) => ({ ...s, points: s.points.filter((p) => holds(places, p.x)) }));
  const cross = root.appendChild(svg("line", { class: "cross off", y1: f.top, y2: f.bottom }));
  const tip = box.appendChild(el("div", { class: "tip", hidden: true }));
  root.addEventListener("pointermove", (e) => {
    const r = root.getBoundingClientRect(), { width, height } = root.viewBox.baseVal, zoom = Math.min(r.width / width, r.height / height);
    const px = (e.clientX - r.left - (r.width - width * zoom) / 2) / zoom, away = (p) => Math.abs(f.x(p.x) - px);
    const place = places.back(places.low + (px - f.left) / inner.w * (places.high - places.low));
    const near = series.map((s) => [s, closest(s.points, place, away)]).filter(([, p]) => p);
    if (!near.length) return;
    const { x } = near.reduce((best, [, p]) => (away(p) < away(best) ? p : best), near[0][1]);
    cross.setAttribute("x1", f.x(x));
    cross.setAttribute("x2", f.x(x));
    cross.classList.remove("off");
    const here = near.filter(([, p]) => p.x === x).map(([s, p]) => [s, p.own ?? p.y]).sort((a, b) => b[1] - a[1]).slice(0, 12);
    tip.replaceChildren(el("b", {}, d.axis === "time" ? new Date(x).toISOString().slice(0, 19).replace("T", " ") : d.axis === "number" ? number(x) : d.labels[x]),
      ...here.map(([s, v]) => el("div", { class: s.cls }, el("span", { class: "ink" }, "■ "), `${s.name}  ${number(v)}`)));
    tip.hidden = false;
    const b = box.getBoundingClientRect(), left = e.clientX - b.left + 14;
    tip.style.left = (left + tip.offsetWidth > box.clientWidth ? left - tip.offsetWidth - 28 : left) + "px";
    tip.style.top = e.clientY - b.top + box.scrollTop + 10 + "px";
  });
  root.addEventListener("pointerleave", () => { tip.hidden = true; cross.classList.add("off"); });
}

// closest is the point at a place or the nearer of those beside it.
function closest(points, place, away) {
  let low = 0, high = points.length - 1;
  while (low < high) { const mid = (low + high) >> 1; if (points[mid].x < place) low = mid + 1; else high = mid; }
  const a = points[low - 1], b = points[low];
  return a && (!b || away(a) < away(b)) ? a : b;
}
