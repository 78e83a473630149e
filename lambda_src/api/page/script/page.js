// The page: asks for tags while a person types, and sends the final ones as feedback.

import { Chosen } from "./chosen.js";
import { Suggestions } from "./suggestions.js";
import { examples, texts } from "./texts.js";
import {
  ApiError, announce, asDecimal, at, call, currentLanguage, make, rememberLanguage, text,
} from "./tools.js";

const TYPING_PAUSE_MS = 250; // after the last key
const UNNOTICED_MS = 200; // an answer within it needs no "reading"
const MAX_BYTES = 64 * 1024; // as the API limits a question

const title = at("title");
const body = at("body");
const suggestions = new Suggestions((tag) => chosen.add(tag, true));
const chosen = new Chosen(() => {
  outcome(null);
  show();
  refresh();
});

let suggested = [];
let told = { phase: "empty", given: [], detail: "" }; // what the panel says
let noted = null; // what became of asking: { name, given, detail, wrong }
let announced = "";
let counted = null; // the prediction that feedback names: { question, id }
let nextExample = 0;
let shownExample = null;

// --- Tags while one types ---

let pause;
let running = null;

function typed() {
  outcome(null);
  at("example").hidden = !untouched();
  clearTimeout(pause);
  pause = setTimeout(refresh, TYPING_PAUSE_MS);
}

const question = () => ({ title: title.value, body: body.value });
const isEmpty = () => !(title.value + body.value).trim();
const size = () => new TextEncoder().encode(title.value + body.value).length;

/** Ask for tags; an answer that was overtaken by a newer question is dropped. */
async function refresh() {
  clearTimeout(pause);
  running?.abort();
  running = null;
  if (isEmpty()) return tell("empty");
  if (size() > MAX_BYTES) return tell("too_long");
  const mine = new AbortController();
  running = mine;
  const slow = setTimeout(() => tell("thinking", { keep: true }), UNNOTICED_MS);
  try {
    const wanted = { ...question(), draft: true, explain: true, exclude: chosen.all };
    const answer = await call("predict", { body: wanted, signal: mine.signal });
    if (running !== mine) return;
    const quiet = chosen.all.length ? "nothing_more" : (answer.quiet_reason ?? "not_sure");
    tell(answer.suggestions.length ? "ready" : quiet, { tags: answer.suggestions });
  } catch (error) {
    if (running === mine) tell("error", { error });
  } finally {
    clearTimeout(slow);
  }
}

/** Say how the suggestions stand, in the panel and to a screen reader. */
function tell(phase, { tags = [], error = null, keep = false } = {}) {
  if (!keep) suggested = tags;
  const failed = error instanceof ApiError;
  if (phase === "error") told = { phase, name: failed ? "failed" : "away", given: [error.status] };
  else told = { phase, name: phase, given: phase === "too_long" ? kilobytes() : [] };
  told.detail = failed ? error.detail : "";
  show();
  const names = suggested.map((each) => each.tag);
  if (phase === "thinking") return;
  const message = phase === "ready" ? text("spoken", names) : text(told.name, ...told.given);
  if (message !== announced) announce("suggestions", message);
  announced = message;
}

const kilobytes = () => [asDecimal(size() / 1024), MAX_BYTES / 1024];

// --- Asking ---

/** Count the question once, and send the tags that it ended with. */
async function ask() {
  const button = at("ask");
  if (button.getAttribute("aria-disabled") === "true") return;
  if (isEmpty()) return refuse("askEmpty", title);
  if (size() > MAX_BYTES) return refuse("too_long", body, kilobytes());
  if (!chosen.addUnfinished()) return at("own").focus();
  if (!chosen.all.length) return refuse("askNoTags", at("own"));
  button.setAttribute("aria-disabled", "true");
  outcome({ name: "asking" });
  try {
    const asked = JSON.stringify(question());
    if (counted?.question !== asked) {
      const { prediction_id: id } = await call("predict", { body: question() });
      counted = { question: asked, id };
    }
    await call("feedback", {
      body: { prediction_id: counted.id, accepted: chosen.accepted, final_tags: chosen.all },
    });
    outcome({ name: "thanks" });
  } catch (error) {
    const failed = error instanceof ApiError;
    outcome({
      name: failed ? "failed" : "away",
      given: [error.status],
      detail: failed ? error.detail : "",
      wrong: true,
    });
  } finally {
    button.setAttribute("aria-disabled", "false");
  }
}

function refuse(name, field, given = []) {
  outcome({ name, given, wrong: true });
  field.focus();
}

function outcome(note) {
  noted = note;
  const box = at("outcome");
  box.classList.toggle("wrong", Boolean(note?.wrong));
  box.replaceChildren(...(note ? [text(note.name, ...(note.given ?? []))] : []));
  if (note?.detail) box.append(make("p", {}, note.detail));
  if (note?.name === "thanks") {
    const another = make("button", { type: "button", class: "quiet" }, text("another"));
    another.addEventListener("click", () => {
      startOver({ title: "", body: "" });
      title.focus();
    });
    box.append(another);
  }
}

function startOver(start) {
  title.value = start.title;
  body.value = start.body;
  counted = null;
  suggested = [];
  chosen.clear();
  at("example").hidden = !untouched();
}

// --- Examples ---

const untouched = () =>
  isEmpty() || (title.value === shownExample?.title && body.value === shownExample?.body);

function showExample() {
  shownExample = examples[nextExample];
  nextExample = (nextExample + 1) % examples.length;
  startOver(shownExample);
}

// --- Words ---

function show() {
  at("panel").dataset.state = told.phase;
  at("state").textContent = text(told.name ?? told.phase, ...told.given);
  at("detail").textContent = told.detail;
  at("detail").hidden = !told.detail;
  const retry = at("retry");
  const retried = document.activeElement === retry;
  retry.hidden = told.phase !== "error" && !(retried && told.phase === "thinking");
  at("suggestions").setAttribute("aria-busy", String(told.phase === "thinking"));
  const open = suggested.filter((each) => !chosen.all.includes(each.tag));
  suggestions.show(open, { full: chosen.full });
  if (retried && retry.hidden) suggestions.focus();
}

function speak(language) {
  rememberLanguage(language);
  document.documentElement.lang = language;
  document.title = text("document");
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
  for (const button of at("languages").children) {
    button.setAttribute("aria-pressed", String(button.lang === language));
  }
  chosen.show();
  outcome(noted);
  show();
}

title.addEventListener("input", typed);
body.addEventListener("input", typed);
at("example").addEventListener("click", showExample);
at("retry").addEventListener("click", () => {
  tell("thinking");
  refresh();
});
at("ask").addEventListener("click", ask);
for (const button of at("languages").children) {
  button.addEventListener("click", () => speak(button.lang));
}
speak(currentLanguage());
// What a browser kept over a reload is a question, too.
if (!isEmpty()) typed();
