// The live tail: what containers print and what the platform says, as it comes.

import { $, el, seriesClass } from "./dom.js";
import { call, lines } from "./api.js";
import { ansi, strip } from "./ansi.js";

const keep = 10000, shown = 1500;
const view = $("tail"), state = $("tail-state"), legendBox = $("tail-legend"), newButton = $("tail-new");
const bad = /\b(error|exception|fatal|critical|panic|traceback)\b/i;

let entries = [], waiting = [], paused = false, matcher = null, muted = new Set(), seen = new Set(), apps = new Set();
let controller = null, frame = 0, queue = [], said = "", newest = -Infinity;

export function start() {
  if (controller) return;
  controller = new AbortController();
  follow(controller.signal);
}

// follow shows the stream for as long as the page is there. What came while
// there was no connection is the newest of the next one.
async function follow(signal) {
  for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 8000)) {
    let live = false;
    try {
      say(entries.length ? "trying again…" : "connecting…", false);
      const resp = await call("stream?tailLines=300", { signal });
      live = true;
      wait = 500;
      say("live", true);
      const known = new Set(entries.map(identity)), since = newest - disorder;
      for await (const e of lines(resp)) if (Date.parse(e.time) >= since && !known.delete(identity(e))) add(e);
    } catch (e) {
      if (signal.aborted) return;
      if (e.status === 401) return say("this page needs a link", false);
    }
    if (live && entries.length) add({ kind: "gap", time: new Date().toISOString(), text: "the connection was lost" });
    say("no connection; trying again…", false);
    await new Promise((done) => setTimeout(done, wait * (1 + Math.random())));
  }
}

const disorder = 10_000; // milliseconds by which an entry may come later than one that was printed after it
const identity = (e) => [e.kind, e.time, e.replica, e.container, e.reason, e.text].join("\n");

function say(text, live) {
  said = text;
  state.textContent = paused && live ? "paused" : text;
  document.body.classList.toggle("live", live);
}

function add(e) {
  if (e.kind !== "gap") newest = Math.max(newest, Date.parse(e.time)); // the clock of the environment
  e.plain = strip(e.text);
  e.bad = e.kind === "console" && bad.test(e.plain);
  if (e.app && !apps.has(e.app)) { apps.add(e.app); $("tail-app").append(el("option", { value: e.app }, e.app)); }
  if (e.revision && !seen.has(e.revision)) { seen.add(e.revision); drawLegend(); }
  entries.push(e);
  if (entries.length > keep) entries.splice(0, entries.length - keep);
  if (paused) { waiting.push(e); if (waiting.length > keep) waiting.shift(); sayNew(); return; }
  queue.push(e);
  frame ||= requestAnimationFrame(flush);
}

// atEnd says whether the newest line is in sight: then it stays there.
const atEnd = () => view.scrollHeight - view.scrollTop - view.clientHeight < 40;

function flush() {
  frame = 0;
  const stick = atEnd();
  const fresh = queue.filter(wanted).slice(-shown).map(line);
  queue = [];
  view.append(...fresh);
  while (view.children.length > shown) view.firstChild.remove();
  if (stick) view.scrollTop = view.scrollHeight;
}

// redraw shows what there is under the filters of now; while it is paused,
// without what waits.
function redraw() {
  queue = [];
  view.replaceChildren(...entries.slice(0, entries.length - waiting.length).filter(wanted).slice(-shown).map(line));
  view.scrollTop = view.scrollHeight;
}

function wanted(e) {
  const app = $("tail-app").value, kind = $("tail-kind").value;
  if (e.kind === "gap") return true;
  if (app && e.app !== app || muted.has(e.revision)) return false;
  if (kind === "bad" ? !(e.bad || e.type === "Warning") : kind && e.kind !== kind) return false;
  return !matcher || matcher.test(e.plain) || matcher.test(e.revision ?? "");
}

function line(e) {
  if (e.kind === "gap") return el("div", { class: "l gap" }, `${clock(e.time)} · ${e.text}`);
  const cls = ["l", seriesClass(e.revision ?? ""), e.kind, e.bad ? "bad" : "", e.type === "Warning" ? "warning" : ""].filter(Boolean).join(" ");
  const text = el("span", { class: "text" });
  if (e.kind === "event") text.append(el("span", { class: "tag" }, e.reason), " ");
  text.append(...(matcher ? highlight(e.plain) : ansi(e.text)));
  const l = el("div", { class: cls }, el("span", { class: "time" }, clock(e.time)),
    el("span", { class: "who", title: e.replica || e.revision || e.app || "" }, e.revision || e.app || "platform"), text);
  if (e.lost) l.prepend(el("span", { class: "gap" }, `${e.lost} lines were too fast to show · `));
  return l;
}

// clock is the time of day of an entry, in UTC as everywhere.
const clock = (time) => time.slice(11, 23).replace("Z", "").padEnd(12, "0");

// highlight marks what the filter found.
function highlight(text) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(new RegExp(matcher.source, matcher.flags + "g"))) {
    if (!m[0]) break;
    out.push(text.slice(from, m.index), el("mark", {}, m[0]));
    from = m.index + m[0].length;
  }
  out.push(text.slice(from));
  return out;
}

function drawLegend() {
  legendBox.replaceChildren(...[...seen].slice(-12).map((r) => el("button", {
    type: "button", class: seriesClass(r), "aria-pressed": !muted.has(r), title: "Show or hide " + r,
    onclick: () => { if (muted.has(r)) muted.delete(r); else muted.add(r); drawLegend(); redraw(); },
  }, el("span", { class: "dot" }), r)));
}

function sayNew() {
  newButton.textContent = `${waiting.length.toLocaleString()} new`;
  newButton.hidden = !waiting.length;
}

export function pause(on = !paused) {
  paused = on;
  $("pause").textContent = on ? "Resume" : "Pause";
  $("pause").setAttribute("aria-pressed", on);
  say(said, document.body.classList.contains("live"));
  if (!on) { waiting = []; sayNew(); redraw(); }
}

// sayFault says what is wrong with the filter.
function sayFault(text) {
  $("tail-fault").textContent = text;
  $("tail-filter").setAttribute("aria-invalid", text !== "");
}

let filterTimer;
$("tail-filter").addEventListener("input", (e) => {
  clearTimeout(filterTimer);
  filterTimer = setTimeout(() => {
    const f = e.target.value, regex = /^\/(.+)\/?$/.exec(f);
    try {
      matcher = !f ? null : regex ? new RegExp(regex[1].replace(/\/$/, ""), "i") : new RegExp(f.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
      sayFault("");
    } catch (err) {
      sayFault(err.message); // what was asked before holds
    }
    redraw();
  }, 120);
});
for (const id of ["tail-app", "tail-kind"]) $(id).addEventListener("change", redraw);
$("tail-wrap").addEventListener("change", (e) => view.classList.toggle("wrap", e.target.checked));
$("tail-clear").addEventListener("click", () => { entries = []; waiting = []; sayNew(); redraw(); });
$("pause").addEventListener("click", () => pause());
newButton.addEventListener("click", () => pause(false));
