// What the parts of the page share: elements, words in the reader's language, the API.

import { texts } from "./texts.js";

/** The element of the page with an id. */
export const at = (id) => document.getElementById(id);

/** Make an element. Text among the children stays text: nothing here ever parses markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const REMEMBERED = "etiquette-language";
let language = rememberedLanguage() ?? preferredLanguage();

function rememberedLanguage() {
  try {
    const name = localStorage.getItem(REMEMBERED);
    return Object.hasOwn(texts, name) ? name : null;
  } catch {
    return null; // storage may be forbidden
  }
}

function preferredLanguage() {
  const wanted = navigator.languages.map((each) => each.slice(0, 2).toLowerCase());
  return wanted.find((each) => Object.hasOwn(texts, each)) ?? "en";
}

export const currentLanguage = () => language;

export function rememberLanguage(name) {
  language = name;
  try {
    localStorage.setItem(REMEMBERED, name);
  } catch {
    // The choice then holds until the page is closed.
  }
}

/** A text in the reader's language; what is given fills its gaps. */
export function text(name, ...given) {
  const found = texts[language][name];
  return typeof found === "function" ? found(...given) : found;
}

export const asPercent = (share) =>
  new Intl.NumberFormat(language, { style: "percent" }).format(share);

/** With one decimal place. */
export const asDecimal = (value, signDisplay = "auto") =>
  new Intl.NumberFormat(language, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay,
  })
    .format(value)
    .replace("-", "\u2212");

export const asCount = (value) => new Intl.NumberFormat(language).format(value);

/** The API answered with an error; `detail` is its own explanation, perhaps empty. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(`error ${status}`);
    this.status = status;
    this.detail = detail;
  }
}

const PATIENCE_MS = 15_000;

/** Ask the API. The address is relative: the page may lie under any path. */
export async function call(path, { signal, body } = {}) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(path, {
    signal: signal ? AbortSignal.any([signal, patience]) : patience,
    ...(body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new ApiError(response.status, String(problem.detail ?? problem.message ?? ""));
}

const SILENCE_MS = 500;
const unspoken = new Map(); // the newest message of each kind
let speaking;

/** Tell a screen reader, once things have been quiet for a moment. */
export function announce(kind, message) {
  unspoken.set(kind, message);
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    at("spoken").textContent = [...unspoken.values()].join(" ");
    unspoken.clear();
  }, SILENCE_MS);
}
