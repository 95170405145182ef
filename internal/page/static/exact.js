// JSON in which no digit of a long is lost: numbers of JavaScript are exact up
// to 2^53, those of Kusto up to 2^63.

// parse is JSON.parse with integers that are too large as BigInt, in browsers
// that tell what was written (https://github.com/tc39/proposal-json-parse-with-source).
export function parse(text) {
  return /\d{16}/.test(text) ? JSON.parse(text, large) : JSON.parse(text);
}

function large(_, v, context) {
  const exact = typeof v !== "number" || Number.isSafeInteger(v) || !/^-?\d+$/.test(context?.source ?? "");
  return exact ? v : BigInt(context.source);
}

// stringify is JSON.stringify that can write what parse has read.
export function stringify(v, indent) {
  return JSON.stringify(v, (_, x) => (typeof x === "bigint" ? JSON.rawJSON(String(x)) : x), indent);
}
