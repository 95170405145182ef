// The API of the environment, with the token that a link was exchanged for.
// It is kept per origin, which includes the port; there is no cookie.

import { parse } from "./exact.js";

const key = "acalocal-token";

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail.message);
    this.status = status;
    this.details = detail.details ?? [];
  }
}

// fragment reads the link's part behind "#".
export function fragment() {
  return new URLSearchParams(location.hash.slice(1));
}

// login exchanges the code of a link for the token and takes the code out of
// the address.
export async function login() {
  const f = fragment();
  const code = f.get("code");
  if (!code) return localStorage.getItem(key) !== null;
  f.delete("code");
  history.replaceState(null, "", location.pathname + (f.size ? "#" + f : ""));
  const resp = await fetch("/acalocal/v1/session", { method: "POST", body: JSON.stringify({ code }) });
  if (resp.ok) localStorage.setItem(key, (await resp.json()).token);
  return localStorage.getItem(key) !== null;
}

// onLogin is told when a link has let this browser in, in another tab.
export function onLogin(f) {
  addEventListener("storage", (e) => { if (e.key === key && e.newValue !== null) f(); });
}

let refused = () => {};
export function onRefused(f) { refused = f; }

// call sends a request and returns the answer; body is sent as JSON.
export async function call(path, { body, signal } = {}) {
  const resp = await send("/acalocal/v1/" + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { Authorization: "Bearer " + localStorage.getItem(key) },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal, cache: "no-store",
  });
  if (resp.ok) return resp;
  if (resp.status === 401) refused();
  let detail = { message: resp.status + " " + resp.statusText };
  try { detail = (await resp.json()).error ?? detail; } catch { /* no JSON: the status says it */ }
  throw new ApiError(resp.status, detail);
}

// send is fetch that says in our words that nobody answers.
async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new ApiError(0, { message: "The environment does not answer. Is it up? See \"acalocal status\"." });
  }
}

export async function json(path, options) { return parse(await (await call(path, options)).text()); }

// lines yields the values of a stream that has begun, one JSON value a line.
export async function* lines(resp) {
  const reader = resp.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const line of parts) if (line) yield JSON.parse(line);
  }
}
