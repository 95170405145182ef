// The page: puts the parts together and owns the address, the keys, the lists
// at the side and the state of a query that runs.

import { $, el, tabs, toast, copy } from "./dom.js";
import { call, json, login, onLogin, onRefused, fragment } from "./api.js";
import * as editor from "./editor.js";
import * as grid from "./grid.js";
import { setChart, drawChart } from "./chart.js";
import * as tail from "./tail.js";

const starter = `ContainerAppConsoleLogs_CL
| where Log_s has "error"
| project TimeGenerated, ContainerAppName_s, RevisionName_s, Log_s
| order by TimeGenerated desc
| take 100`;

// --- views ---

const showView = tabs(document.querySelector(".top .views"), (tab) => {
  if (tab.id === "tab-tail") tail.start();
  setAddress();
});
const showPane = tabs(document.querySelector(".result-bar .views"), (tab) => { if (tab.id === "tab-chart") drawChart(); });

// --- the address ---

function setAddress() {
  const f = new URLSearchParams();
  if ($("tab-tail").getAttribute("aria-selected") === "true") f.set("view", "tail");
  if (editor.value().trim()) f.set("q", editor.value());
  if (!rangeFault() && timespan() !== usualRange) f.set("t", timespan());
  history.replaceState(null, "", location.pathname + (f.size ? "#" + f : ""));
}

function readAddress() {
  const f = fragment();
  setTimespan(f.get("t") ?? usualRange);
  if (f.get("view") === "tail") showView($("tab-tail"));
  return f.get("q");
}

// --- the time range ---

const usualRange = "PT1H";

function timespan() {
  const range = $("range").value;
  if (range !== "custom") return range;
  const [from, to] = ["from", "to"].map((id) => $(id).value.replace(/T\d\d:\d\d$/, "$&:00")); // browsers leave out seconds of 0
  return `${from}Z/${to}Z`;
}

// rangeFault says what is wrong with the ends that were chosen, "" for nothing.
function rangeFault() {
  if ($("range").value !== "custom") return "";
  const [from, to] = ["from", "to"].map((id) => $(id).value);
  if (!from || !to) return "The time range needs both ends.";
  return from > to ? "The time range ends before it begins." : "";
}

function setTimespan(t) {
  const custom = /^([\dT:.-]+)Z\/([\dT:.-]+)Z$/.exec(t);
  // A link may have any range that a query takes: it becomes one to choose.
  if (!custom && ![...$("range").options].some((o) => o.value === t)) $("range").add(el("option", { value: t }, t), $("range").options.length - 1);
  $("range").value = custom ? "custom" : t;
  if (custom) [, $("from").value, $("to").value] = custom;
  $("custom").hidden = $("range").value !== "custom";
}

$("range").addEventListener("change", () => {
  const custom = $("range").value === "custom";
  if (custom && !$("from").value) {
    const now = new Date();
    $("to").value = now.toISOString().slice(0, 19);
    $("from").value = new Date(now - 36e5).toISOString().slice(0, 19);
  }
  $("custom").hidden = !custom;
  if (!custom) run();
});

// --- running a query ---

let running = null, latest = null, answer = null;

async function run() {
  const query = editor.value();
  if (!query.trim()) return;
  running?.abort();
  const mine = running = latest = new AbortController(), began = performance.now();
  setAddress();
  remember(query);
  busy(true);
  try {
    if (rangeFault()) throw new Error(rangeFault());
    answer = await json("query", { body: { query, timespan: timespan() }, signal: mine.signal });
    editor.setProblems([]);
    showAnswer(performance.now() - began);
  } catch (e) {
    if (e.name !== "AbortError") { showError(e); if (e.status === 0) whenBack(mine, query); }
    else if (running === mine) $("summary").textContent = "stopped";
  } finally {
    if (running === mine) { running = null; busy(false); }
  }
}

// whenBack runs a query that nobody answered once somebody does, unless
// another was run since. One that was edited since is its author's to run.
async function whenBack(mine, query) {
  say(`${$("blank").textContent}\nThe query is sent again once it does.`, true);
  for (let wait = 500; latest === mine; wait = Math.min(wait * 2, 8000)) {
    await new Promise((done) => setTimeout(done, wait * (1 + Math.random())));
    try {
      await call("info");
    } catch (e) {
      if (e.status === 0) continue;
      return; // it has said what is wrong
    }
    if (latest === mine && editor.value() === query) run();
    else if (latest === mine) say("The environment answers again. Run the query to see its rows.");
    return;
  }
}

function busy(on) {
  $("stop").hidden = !on;
  $("results").setAttribute("aria-busy", on);
  if (on) $("summary").textContent = "running…";
}

function showAnswer(ms) {
  const tables = answer.tables;
  const named = tables.length > 1;
  $("which").hidden = !named;
  $("which").replaceChildren(...tables.map((t, i) => el("option", { value: i }, `${t.name} (${t.rows.length})`)));
  showTable(0, ms);
}

function showTable(i, ms) {
  const t = answer.tables[i] ?? { columns: [], rows: [] };
  grid.showTable(t);
  const drawable = setChart(t, answer.render);
  $("tab-chart").disabled = !drawable;
  const took = ms === undefined ? "" : ms < 1000 ? `, ${Math.round(ms)} ms` : `, ${(ms / 1000).toFixed(1)} s`;
  $("summary").textContent = `${t.rows.length.toLocaleString()} ${t.rows.length === 1 ? "row" : "rows"}${took}${answer.error ? "; " + answer.error.message : ""}`;
  $("csv").hidden = !t.rows.length;
  say(t.rows.length ? "" : `No rows${$("range").value ? " in this time range" : ""}.`);
  showEmpties();
  showPane($(drawable && answer.render && answer.render.visualization !== "table" ? "tab-chart" : "tab-grid"));
}

$("which").addEventListener("change", (e) => showTable(Number(e.target.value)));

function showEmpties() {
  const { hideEmpty, empties } = grid.emptyState();
  $("empties").hidden = !empties;
  $("empties").textContent = hideEmpty ? `Show ${empties} empty columns` : "Hide empty columns";
  $("empties").setAttribute("aria-pressed", !hideEmpty);
}
$("empties").addEventListener("click", () => { grid.toggleEmpty(); showEmpties(); });

function say(text, isError = false) {
  $("blank").textContent = text;
  $("blank").hidden = !text;
  $("blank").classList.toggle("error", isError);
}

function showError(e) {
  const found = e.details?.map((d) => {
    const [start, length] = (d.target ?? "0+0").split("+").map(Number);
    return { start, length, message: d.message };
  }) ?? [];
  editor.setProblems(found);
  answer = { tables: [] };
  grid.showTable({ columns: [], rows: [] });
  showPane($("tab-grid"));
  $("tab-chart").disabled = true;
  $("summary").textContent = "";
  $("csv").hidden = $("empties").hidden = $("which").hidden = true;
  say(found.length ? "The query has a fault: see below the editor." : e.message, true);
}

$("run").addEventListener("click", run);
$("stop").addEventListener("click", () => running?.abort());
$("format").addEventListener("click", async () => {
  try {
    const { text } = await json("kql/format", { body: { text: editor.value() } });
    editor.focus();
    editor.setValue(text);
  } catch (e) { toast(e.message); }
});
$("share").addEventListener("click", () => { setAddress(); copy(location.href, "Link"); });
$("csv").addEventListener("click", () => {
  const url = URL.createObjectURL(new Blob([grid.csv()], { type: "text/csv" }));
  el("a", { href: url, download: "logs.csv" }).click();
  URL.revokeObjectURL(url);
});

// --- history ---

const historyKey = "acalocal-history";
let past = JSON.parse(localStorage.getItem(historyKey) ?? "[]"), at = -1, draft = "";

function remember(query) {
  past = [query, ...past.filter((q) => q !== query)].slice(0, 60);
  at = -1;
  try { localStorage.setItem(historyKey, JSON.stringify(past)); } catch { /* full: this query is not remembered */ }
  showHistory();
}

function showHistory() {
  $("history").replaceChildren(...past.map((q) => el("li", {}, el("button", { type: "button", onclick: () => pick(q) }, el("span", { class: "mono clip" }, q)))));
}

function travel(step) {
  const next = at + step;
  if (next < -1 || next >= past.length) return;
  if (at < 0) draft = editor.value();
  at = next;
  editor.setValue(at < 0 ? draft : past[at]);
}

function pick(query, go = false) {
  showView($("tab-query"));
  editor.setValue(query);
  if (phone.matches) toggleSide(false);
  else editor.focus();
  if (go) run();
}

// --- the lists at the side ---

async function fillSide() {
  const [{ queries }, { tables }] = await Promise.all([json("kql/saved"), json("kql/schema")]);
  $("saved").replaceChildren(...queries.map((q) => el("li", { "data-text": q.name + " " + q.description }, el("button", { type: "button", onclick: () => pick(q.query, true) },
    el("span", { class: "name" }, q.name), el("span", { class: "what" }, q.description)))));
  $("tables").replaceChildren(...tables.map(tableItem));
  editor.setTables(tables.map((t) => t.name));
}

function tableItem(t) {
  const columns = el("ul", { class: "columns", hidden: true }, ...t.columns.map((c) => el("li", {}, el("button", { type: "button", title: "Insert", onclick: () => editor.insert(c.name) },
    c.name, el("span", { class: "type" }, c.type)))));
  const button = el("button", { type: "button", class: "mono", "aria-expanded": false, ondblclick: () => editor.insert(t.name),
    onclick: () => { columns.hidden = !columns.hidden; button.setAttribute("aria-expanded", !columns.hidden); } }, t.name);
  return el("li", { "data-text": t.name + " " + t.columns.map((c) => c.name).join(" ") }, button, columns);
}

$("side-filter").addEventListener("input", (e) => {
  const f = e.target.value.toLowerCase();
  for (const li of $("side").querySelectorAll(".list > li")) li.hidden = !(li.dataset.text ?? li.textContent).toLowerCase().includes(f);
});

function toggleSide(open) {
  const side = $("side"), now = open ?? side.classList.contains("closed");
  side.classList.toggle("closed", !now);
  $("side-toggle").setAttribute("aria-expanded", now);
}
$("side-toggle").addEventListener("click", () => toggleSide());
const phone = matchMedia("(max-width: 760px)");
document.querySelector("main").addEventListener("click", () => { if (phone.matches) toggleSide(false); });

// --- light and dark ---

const themeKey = "acalocal-theme", prefersDark = matchMedia("(prefers-color-scheme: dark)");
function applyTheme() {
  document.documentElement.dataset.theme = localStorage.getItem(themeKey) ?? (prefersDark.matches ? "dark" : "light");
}
prefersDark.addEventListener("change", applyTheme);
$("theme").addEventListener("click", () => {
  localStorage.setItem(themeKey, document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  applyTheme();
});
applyTheme();

// --- keys ---

$("help").addEventListener("click", () => $("keys").showModal());
const typing = (e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);

const withAlt = {
  Digit1: () => showView($("tab-query"), true), Digit2: () => showView($("tab-tail"), true),
  KeyR: () => showPane($("tab-grid"), true), KeyC: () => { if (!$("tab-chart").disabled) showPane($("tab-chart"), true); },
  ArrowUp: () => travel(1), ArrowDown: () => travel(-1),
};
const alone = {
  e: () => { showView($("tab-query")); editor.focus(); },
  g: () => { showPane($("tab-grid")); $("grid").focus(); },
  "/": () => ($("view-tail").hidden ? $("side-filter") : $("tail-filter")).focus(),
  "?": () => $("keys").showModal(),
};

addEventListener("keydown", (e) => {
  if (document.querySelector("dialog[open]")) return;
  if (e.key === "Enter" && (e.ctrlKey || e.metaKey || e.shiftKey && e.target.id === "text")) { e.preventDefault(); run(); return; }
  if (e.key === "Escape" && e.target.id === "text") { $($("pane-grid").hidden ? "tab-chart" : "grid").focus(); return; }
  if (e.key === "Escape" && e.target.id === "tail-filter" && !e.target.value) { $("tail").focus(); return; } // what is written is removed first
  if (e.key === "Escape" && !typing(e)) { grid.closeDrawer(); return; }
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  const act = e.altKey && !e.ctrlKey ? withAlt[e.code] : !e.ctrlKey && !e.metaKey && !e.altKey && !typing(e) ? alone[key] : null;
  if (act) { e.preventDefault(); act(); return; }
  if (e.key === " " && !$("view-tail").hidden && !typing(e) && e.target.tagName !== "BUTTON") { e.preventDefault(); tail.pause(); }
});

// --- start ---

function askForLink(why = "") {
  $("login-why").textContent = why;
  if (!$("login").open) $("login").showModal();
}
$("login").addEventListener("cancel", (e) => e.preventDefault());
onLogin(() => { if ($("login").open) location.reload(); });
onRefused(() => askForLink("The link of this page is no longer good: the environment was made anew."));
addEventListener("hashchange", async () => {
  if (fragment().has("code")) return location.reload();
  const before = timespan(), q = readAddress();
  if (!q || q === editor.value() && before === timespan()) return;
  editor.setValue(q);
  run();
});

async function begin() {
  showHistory();
  if (phone.matches) { toggleSide(false); $("tail-wrap").click(); }
  say("Run a query with Ctrl+Enter, or choose a saved one.");
  if (!await login()) return askForLink();
  const query = readAddress();
  editor.setValue(query ?? past[0] ?? starter);
  try {
    const info = await json("info");
    $("env").textContent = info.environment;
    document.title = `Logs · ${info.environment} · acalocal`;
    await fillSide();
  } catch (e) {
    if (e.status !== 401) say(e.message, true);
    return;
  }
  if (!phone.matches && $("view-tail").hidden) editor.focus();
  if (query) run();
}

begin();
