// Small helpers to build pages. Text is always set as text, never as HTML.

export const $ = (id) => document.getElementById(id);

// el makes an element: properties starting with "on" are listeners, "class",
// "data-…", "aria-…" and "role" attributes, the rest properties.
export function el(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  set(e, props);
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

const svgNS = "http://www.w3.org/2000/svg";

export function svg(tag, attrs = {}, ...children) {
  const e = document.createElementNS(svgNS, tag);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

function set(e, props) {
  for (const [k, v] of Object.entries(props)) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "class" || k === "role" || k.includes("-")) e.setAttribute(k, v);
    else e[k] = v;
  }
}

let toastTimer;
export function toast(text) {
  const t = $("toast");
  t.textContent = text;
  t.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { t.hidden = true; }, 2500);
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(what + " copied");
  } catch {
    toast("The browser does not allow copying");
  }
}

// seriesClass gives a name a colour that stays the same.
const given = new Map();
export function seriesClass(name) {
  if (!given.has(name)) given.set(name, given.size % 8 + 1);
  return "s-" + given.get(name);
}

// tabs makes a tablist work by mouse and arrows. show is told the chosen tab.
export function tabs(list, show) {
  const all = [...list.querySelectorAll('[role="tab"]')];
  const choose = (tab, focus) => {
    for (const t of all) {
      t.setAttribute("aria-selected", t === tab);
      t.tabIndex = t === tab ? 0 : -1;
      const panel = $(t.getAttribute("aria-controls"));
      if (panel) panel.hidden = t !== tab;
    }
    if (focus) tab.focus();
    show?.(tab);
  };
  list.addEventListener("click", (e) => { const t = e.target.closest('[role="tab"]'); if (t) choose(t); });
  list.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    if (!step) return;
    const visible = all.filter((t) => !t.hidden);
    const i = visible.indexOf(document.activeElement);
    choose(visible[(i + step + visible.length) % visible.length], true);
    e.preventDefault();
  });
  return choose;
}
