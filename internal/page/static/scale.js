// Scales: where values stand along an axis.
//
// A scale is {low, high, map, back, ticks, foot}: map brings a value onto the
// line from low to high, back returns from there, ticks are [value, label], and
// foot is the value that bars and areas rise from.

// along is the distance of a value from the low end of an axis of a length.
export const along = (s, v, length) => (s.map(v) - s.low) / (s.high - s.low) * length;

// holds says whether a value is between the ends.
export const holds = (s, v) => s.map(v) >= s.low && s.map(v) <= s.high;

const same = (v) => v;

// valueScale is the scale of values, about count ticks long. It begins at zero
// unless fromZero is false, and ends at ticks unless exact.
export function valueScale(values, wish, count, { fromZero = true, exact = false, log = wish.yLog, unit = "" } = {}) {
  if (log) return valuePowers(values.filter((v) => v > 0), wish, count);
  const [least, most] = range(values);
  let low = wish.yMin ?? (fromZero ? Math.min(least, 0) : least), high = wish.yMax ?? (fromZero ? Math.max(most, 0) : most);
  if (!(high > low)) high = low + 1;
  if (!exact) {
    const step = stepOf(low, high, count);
    if (wish.yMax === null) high = Math.ceil(high / step - 1e-9) * step; // the topmost line is above all values
    if (wish.yMin === null) low = Math.floor(low / step + 1e-9) * step;
  }
  return { low, high, map: same, back: same, ticks: ticks(low, high, count).map((v) => [v, number(v) + unit]), foot: footOf(low, high, fromZero) };
}

// footOf is zero or, out of sight of it, the end that is nearer to it; points
// have their axis below them.
function footOf(low, high, fromZero) {
  if (low > 0 || !fromZero && high < 0) return low;
  return Math.min(high, 0);
}

// valuePowers ends at powers of ten; what is not above zero stands at its foot.
function valuePowers(values, wish, count) {
  const [least, most] = range(values), power = (v, round) => 10 ** round(Math.log10(v));
  const low = wish.yMin > 0 ? wish.yMin : power(least || 1, Math.floor);
  let high = wish.yMax > 0 ? wish.yMax : power(most, Math.ceil);
  if (!(high > low)) high = low * 10;
  return { ...powers(low, high, count), foot: low };
}

// powers is a scale from one value above zero to another by their logarithms.
function powers(low, high, count) {
  const least = Math.log10(low);
  return { low: least, high: Math.log10(high), map: (v) => (v > 0 ? Math.log10(v) : least), back: (v) => 10 ** v, ticks: logTicks(low, high, count).map((v) => [v, number(v)]), foot: low };
}

// placeScale is the scale of the x axis over a width; band leaves half a place
// at both ends for bars.
export function placeScale(d, wish, width, band) {
  if (d.axis === "category") return labelScale(d.labels, width, band ? .5 : 0);
  const log = logarithmic(d, wish), xs = d.series.flatMap((s) => s.points.map((p) => p.x));
  const [least, most] = log && !xs.length ? [1, 10] : range(xs);
  let low = wish.xMin ?? least, high = wish.xMax ?? most;
  if (log) {
    if (!(low > 0)) low = least;
    return high > low ? powers(low, high, Math.max(2, Math.floor(width / 70))) : powers(low / 2, low * 2, 3);
  }
  if (!(high > low)) { const around = d.axis === "time" ? 3e4 : .5; high = low + around; low -= around; }
  const at = d.axis === "time" ? timeTicks(low, high, Math.max(2, Math.floor(width / 90))).map((v) => [v, timeLabel(v, high - low)]) :
    ticks(low, high, Math.max(2, Math.floor(width / 80))).map((v) => [v, number(v)]);
  return { low, high, map: same, back: same, ticks: at, foot: low };
}

// logarithmic says whether the x axis is one by powers; only numbers have such.
export const logarithmic = (d, wish) => wish.xLog && d.axis === "number";

function labelScale(labels, width, around) {
  const every = Math.ceil(labels.length / Math.max(1, Math.floor(width / 74))), room = Math.max(5, Math.floor(width / labels.length * every / 6.6));
  const at = labels.map((l, i) => [i, shorten(l, room)]).filter(([i]) => i % every === 0);
  const low = -around, high = labels.length - 1 + around;
  return { low, high: high > low ? high : low + 1, map: same, back: same, ticks: at, foot: low };
}

export const shorten = (text, room) => (text.length > room ? text.slice(0, room - 1) + "…" : text);

// stepOf is a round distance of lines, about count of them.
function stepOf(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
}

function ticks(low, high, count) {
  const step = stepOf(low, high, count), out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

// logTicks are powers of ten, at most count, or where there are hardly any
// their halves and fifths, too.
function logTicks(low, high, count) {
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9), out = [];
  const every = Math.max(1, Math.ceil((last - first + 1) / count));
  for (let p = first; p <= last; p += every) out.push(10 ** p);
  if (out.length > 2 || every > 1) return out;
  const between = [];
  for (let p = first - 1; p <= last; p++) for (const m of [1, 2, 5]) between.push(Number((m * 10 ** p).toPrecision(1)));
  return between.filter((v) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9));
}

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800].map((s) => s * 1000);

function timeTicks(low, high, count) {
  const step = timeSteps.find((s) => (high - low) / s <= count) ?? (high - low) / count;
  const out = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) out.push(v);
  return out;
}

export function timeLabel(ms, span) {
  const t = new Date(ms).toISOString();
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

// range is the least and greatest of numbers; spreading a large array into
// Math.max would overflow the stack.
export function range(list) {
  let a = Infinity, b = -Infinity;
  for (const v of list) { if (v < a) a = v; if (v > b) b = v; }
  return a > b ? [0, 1] : [a, b];
}
