// The reader's language: texts and numbers.

import { translations } from "./translations.js";

const STORAGE_KEY = "etiquette-language";
let language = storedLanguage() ?? preferredLanguage();

function storedLanguage() {
  try {
    const name = localStorage.getItem(STORAGE_KEY);
    return Object.hasOwn(translations, name) ? name : null;
  } catch {
    return null; // the browser may forbid storage
  }
}

function preferredLanguage() {
  const names = navigator.languages.map((each) => each.slice(0, 2).toLowerCase());
  return names.find((each) => Object.hasOwn(translations, each)) ?? "en";
}

export const currentLanguage = () => language;

export function setLanguage(name) {
  language = name;
  try {
    localStorage.setItem(STORAGE_KEY, name);
  } catch {
    // Without storage, the choice lasts until the page is closed.
  }
}

/** Return a text in the reader's language; the values fill its placeholders. */
export function text(key, ...values) {
  const found = translations[language][key];
  return typeof found === "function" ? found(...values) : found;
}

export const formatPercent = (share) =>
  new Intl.NumberFormat(language, { style: "percent" }).format(share);

/** Format a number with one decimal place. */
export const formatDecimal = (value, signDisplay = "auto") =>
  new Intl.NumberFormat(language, {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
    signDisplay,
  })
    .format(value)
    .replace("-", "\u2212");

export const formatCount = (value) => new Intl.NumberFormat(language).format(value);
