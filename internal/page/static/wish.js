// What render asks for: its properties, read once.

// wishOf returns the properties of render as the charts use them. Ends of axes
// that are not given are null; words are in lower case.
export function wishOf(render) {
  const word = (name) => (render[name] ?? "").toLowerCase();
  return {
    chart: word("visualization"), kind: word("kind"), title: render.title ?? "",
    xColumn: render.xcolumn, yColumns: names(render.ycolumns), series: names(render.series),
    xTitle: render.xtitle ?? "", yTitle: render.ytitle ?? "", legend: word("legend") !== "hidden", legendTitle: render.legendtitle ?? "",
    accumulate: word("accumulate") === "true", split: word("ysplit"), xLog: word("xaxis") === "log", yLog: word("yaxis") === "log",
    xMin: end(render.xmin), xMax: end(render.xmax), yMin: end(render.ymin), yMax: end(render.ymax),
  };
}

const names = (list) => (list ?? "").split(",").map((n) => n.trim()).filter((n) => n);

// end is the end of an axis: a number, or a time in milliseconds.
function end(text) {
  if (!text) return null;
  const v = Number.isNaN(Number(text)) ? Date.parse(text) : Number(text);
  return Number.isFinite(v) ? v : null;
}
