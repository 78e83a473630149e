// The page: requests suggestions while a person types, and sends the final tags as feedback.

import { ApiError, callApi } from "./api.js";
import { ChosenTags } from "./chosen-tags.js";
import { announce, byId, create } from "./dom.js";
import { currentLanguage, formatDecimal, setLanguage, text } from "./language.js";
import { sampleQuestions } from "./sample-questions.js";
import { SuggestionList } from "./suggestion-list.js";

const TYPING_PAUSE_MS = 250; // how long after the last key a request is sent
const THINKING_DELAY_MS = 200; // a faster answer needs no "Reading your question"
const MAX_QUESTION_BYTES = 64 * 1024; // the same limit as in the API

const titleField = byId("title");
const bodyField = byId("body");
const suggestionList = new SuggestionList((tag) => chosenTags.add(tag, true));
const chosenTags = new ChosenTags(() => {
  setAskResult(null);
  render();
  refresh();
});

let suggestions = [];
// `key` and `values` are the panel's text; `detail` is an error's explanation.
let status = { phase: "empty", key: "empty", values: [], detail: "" };
let askResult = null; // what "Ask" led to: { key, values, detail, isError }, or null
let lastAnnouncement = "";
let askedPrediction = null; // the prediction that the feedback belongs to: { question, id }
let nextSample = 0;
let shownSample = null;

// --- Suggestions while typing ---

let typingTimer;
let currentRequest = null;

function onTyping() {
  setAskResult(null);
  byId("example").hidden = !canReplaceQuestion();
  clearTimeout(typingTimer);
  typingTimer = setTimeout(refresh, TYPING_PAUSE_MS);
}

const question = () => ({ title: titleField.value, body: bodyField.value });
const isEmpty = () => !(titleField.value + bodyField.value).trim();
const questionBytes = () =>
  new TextEncoder().encode(titleField.value + bodyField.value).length;
const sizeInKilobytes = () => [formatDecimal(questionBytes() / 1024), MAX_QUESTION_BYTES / 1024];

/** Request suggestions. The answer is ignored if a newer request has started meanwhile. */
async function refresh() {
  clearTimeout(typingTimer);
  currentRequest?.abort();
  currentRequest = null;
  if (isEmpty()) return setStatus("empty");
  if (questionBytes() > MAX_QUESTION_BYTES) {
    return setStatus("too_long", { values: sizeInKilobytes() });
  }
  const request = new AbortController();
  currentRequest = request;
  const thinkingTimer = setTimeout(
    () => setStatus("thinking", { newSuggestions: suggestions }),
    THINKING_DELAY_MS,
  );
  try {
    const body = { ...question(), draft: true, explain: true, exclude: chosenTags.all };
    const answer = await callApi("predict", { body, signal: request.signal });
    if (currentRequest !== request) return;
    const quietReason = chosenTags.all.length ? "nothing_more" : (answer.quiet_reason ?? "not_sure");
    const phase = answer.suggestions.length ? "ready" : quietReason;
    setStatus(phase, { newSuggestions: answer.suggestions });
  } catch (error) {
    if (currentRequest === request) setStatus("error", describeError(error));
  } finally {
    clearTimeout(thinkingTimer);
  }
}

/** Return the text key and values for an error, and the API's explanation of it. */
function describeError(error) {
  if (!(error instanceof ApiError)) return { key: "unreachable" };
  return { key: "failed", values: [error.status], detail: error.detail };
}

/** Change what the panel shows, and announce it to screen readers. */
function setStatus(phase, { key = phase, values = [], detail = "", newSuggestions = [] } = {}) {
  suggestions = newSuggestions;
  status = { phase, key, values, detail };
  render();
  if (phase === "thinking") return;
  const tags = suggestions.map((each) => each.tag);
  const message = phase === "ready" ? text("spoken", tags) : text(key, ...values);
  if (message !== lastAnnouncement) announce("suggestions", message);
  lastAnnouncement = message;
}

// --- Ask ---

/** Request a counted prediction, once per question, and send the final tags as its feedback. */
async function ask() {
  const button = byId("ask");
  if (button.getAttribute("aria-disabled") === "true") return;
  if (isEmpty()) return refuseToAsk("askEmpty", titleField);
  if (questionBytes() > MAX_QUESTION_BYTES) {
    return refuseToAsk("too_long", bodyField, sizeInKilobytes());
  }
  if (!chosenTags.addFromField()) return byId("own").focus();
  if (!chosenTags.all.length) return refuseToAsk("askNoTags", byId("own"));
  button.setAttribute("aria-disabled", "true");
  setAskResult({ key: "asking" });
  try {
    const asked = JSON.stringify(question());
    if (askedPrediction?.question !== asked) {
      const { prediction_id: id } = await callApi("predict", { body: question() });
      askedPrediction = { question: asked, id };
    }
    await callApi("feedback", {
      body: {
        prediction_id: askedPrediction.id,
        accepted: chosenTags.accepted,
        final_tags: chosenTags.all,
      },
    });
    setAskResult({ key: "thanks" });
  } catch (error) {
    const { key, values, detail } = describeError(error);
    const askKeys = { unreachable: "askUnreachable", failed: "askFailed" };
    setAskResult({ key: askKeys[key], values, detail, isError: true });
  } finally {
    button.setAttribute("aria-disabled", "false");
  }
}

function refuseToAsk(key, field, values = []) {
  setAskResult({ key, values, isError: true });
  field.focus();
}

function setAskResult(result) {
  askResult = result;
  const box = byId("outcome");
  box.classList.toggle("wrong", Boolean(result?.isError));
  box.replaceChildren(...(result ? [text(result.key, ...(result.values ?? []))] : []));
  if (result?.detail) box.append(create("p", {}, result.detail));
  if (result?.key === "thanks") {
    const another = create("button", { type: "button", class: "quiet" }, text("another"));
    another.addEventListener("click", () => {
      startQuestion({ title: "", body: "" });
      titleField.focus();
    });
    box.append(another);
  }
}

function startQuestion({ title, body }) {
  titleField.value = title;
  bodyField.value = body;
  askedPrediction = null;
  suggestions = [];
  chosenTags.clear();
  byId("example").hidden = !canReplaceQuestion();
}

// --- Sample questions ---

/** Whether the fields hold nothing of the person's own. */
const canReplaceQuestion = () =>
  isEmpty() || (titleField.value === shownSample?.title && bodyField.value === shownSample?.body);

function showSample() {
  shownSample = sampleQuestions[nextSample];
  nextSample = (nextSample + 1) % sampleQuestions.length;
  startQuestion(shownSample);
}

// --- Rendering ---

function render() {
  byId("panel").dataset.state = status.phase;
  byId("state").textContent = text(status.key, ...status.values);
  byId("detail").textContent = status.detail;
  byId("detail").hidden = !status.detail;
  const retry = byId("retry");
  const retryHasFocus = document.activeElement === retry;
  retry.hidden = status.phase !== "error" && !(retryHasFocus && status.phase === "thinking");
  byId("suggestions").setAttribute("aria-busy", String(status.phase === "thinking"));
  const notChosen = suggestions.filter((each) => !chosenTags.all.includes(each.tag));
  suggestionList.render(notChosen, { isFull: chosenTags.isFull });
  if (retryHasFocus && retry.hidden) suggestionList.focus();
}

// --- The model's health, for the operator who opens the page with ?operator ---

let health = null; // { key, line, state }, or null if nobody asked for it

async function showHealth() {
  try {
    const report = await callApi("model/health");
    health = { key: "health", line: report.health, state: report.state };
  } catch (error) {
    health = { key: "noHealth", line: error.detail ?? "", state: "unknown" };
  }
  renderHealth();
}

function renderHealth() {
  const element = byId("health");
  element.hidden = health === null;
  if (health === null) return;
  element.dataset.state = health.state;
  element.textContent = text(health.key, health.line);
}

function changeLanguage(language) {
  setLanguage(language);
  document.documentElement.lang = language;
  document.title = text("document");
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
  for (const button of byId("languages").children) {
    button.setAttribute("aria-pressed", String(button.lang === language));
  }
  renderHealth();
  chosenTags.render();
  setAskResult(askResult);
  render();
}

titleField.addEventListener("input", onTyping);
bodyField.addEventListener("input", onTyping);
byId("example").addEventListener("click", showSample);
byId("retry").addEventListener("click", () => {
  setStatus("thinking");
  refresh();
});
byId("ask").addEventListener("click", ask);
for (const button of byId("languages").children) {
  button.addEventListener("click", () => changeLanguage(button.lang));
}
changeLanguage(currentLanguage());
if (new URLSearchParams(location.search).has("operator")) showHealth();
// A browser may keep the fields' content when the page is reloaded.
if (!isEmpty()) onTyping();
