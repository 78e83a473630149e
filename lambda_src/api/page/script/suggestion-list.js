// The list of suggested tags, each with its confidence and its explanation.

import { byId, create } from "./dom.js";
import { formatDecimal, formatPercent, text } from "./language.js";

const MAX_SHOWN_TERMS = 6;
// An explanation stays open for this time after the pointer has left it. So the pointer may cross
// a gap, and a list that is shown again under the pointer closes nothing.
const LINGER_MS = 200;
// On a wide screen, an explanation does not cover other suggestions.
const wideScreen = matchMedia("(min-width: 60rem)");

/** The list of suggestions. A click on a suggestion calls `onAccept` with its tag. */
export class SuggestionList {
  #list = byId("suggestions");
  #items = new Map();
  #onAccept;

  constructor(onAccept) {
    this.#onAccept = onAccept;
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      for (const item of this.#items.values()) item.showExplanation(false);
    });
  }

  /** Show suggestions. Elements of tags that stay are reused, so that they keep the focus. */
  render(suggestions, { isFull }) {
    const hadFocus = this.#list.contains(document.activeElement);
    const kept = new Map();
    for (const [index, suggestion] of suggestions.entries()) {
      const { tag } = suggestion;
      const item = this.#items.get(tag) ?? this.#newItem(tag);
      item.update(suggestion, isFull);
      kept.set(tag, item);
      const current = this.#list.children[index];
      if (current !== item.element) this.#list.insertBefore(item.element, current ?? null);
    }
    while (this.#list.children.length > kept.size) this.#list.lastElementChild.remove();
    this.#items = kept;
    if (hadFocus && !this.#list.contains(document.activeElement)) this.focus();
  }

  #newItem(tag) {
    return new SuggestionItem(tag, {
      onAccept: this.#onAccept,
      onHover: (hovered) => {
        for (const item of this.#items.values()) if (item !== hovered) item.endHover();
      },
    });
  }

  /** Move the focus to the first suggestion, or to the field for own tags if there is none. */
  focus() {
    (this.#list.querySelector(".accept") ?? byId("own")).focus();
  }
}

let itemCount = 0;

class SuggestionItem {
  #closing;

  constructor(tag, { onAccept, onHover }) {
    this.tag = tag;
    this.verb = create("span", { class: "unseen" });
    this.percent = create("span", { class: "percent" });
    this.fill = create("span");
    this.accept = create(
      "button",
      { type: "button", class: "accept" },
      create("span", { class: "name" }, this.verb, " ", create("span", { class: "tag" }, tag)),
      this.percent,
      create("span", { class: "bar", "aria-hidden": "true" }, this.fill),
    );
    this.why = create("div", { class: "why", id: `why-${++itemCount}` });
    this.why.hidden = true;
    this.ask = create(
      "button",
      { type: "button", class: "ask-why", "aria-expanded": "false", "aria-controls": this.why.id },
      "?",
    );
    this.element = create("li", {}, this.accept, this.ask, this.why);
    this.accept.addEventListener("click", () => onAccept(tag));
    this.#addExplanationEvents(onHover);
  }

  update({ confidence, explanation }, isFull) {
    // A model is never certain, so the page never shows 100 %.
    const share = Math.min(confidence, 0.99);
    this.percent.textContent = formatPercent(share);
    this.fill.style.width = `${share * 100}%`;
    this.verb.textContent = text("add");
    this.accept.setAttribute("aria-disabled", String(isFull));
    this.ask.setAttribute("aria-label", text("why", this.tag));
    this.ask.hidden = !explanation;
    if (explanation) this.why.replaceChildren(...explanationOf(this.tag, explanation));
    else this.showExplanation(false);
  }

  showExplanation(isOpen) {
    this.why.hidden = !isOpen || this.ask.hidden;
    this.ask.setAttribute("aria-expanded", String(!this.why.hidden));
  }

  /** Close an explanation that nothing but the pointer has opened. */
  endHover() {
    clearTimeout(this.#closing);
    if (!this.element.querySelector(":focus-visible")) this.showExplanation(false);
  }

  #addExplanationEvents(onHover) {
    const opensOnHover = (event) => event.pointerType === "mouse" && wideScreen.matches;
    const { element, ask } = this;
    element.addEventListener("pointerenter", (event) => {
      if (!opensOnHover(event)) return;
      onHover(this);
      clearTimeout(this.#closing);
      this.showExplanation(true);
    });
    element.addEventListener("pointerleave", (event) => {
      if (opensOnHover(event)) this.#closing = setTimeout(() => this.endHover(), LINGER_MS);
    });
    element.addEventListener("focusin", (event) => {
      if (event.target.matches(":focus-visible")) this.showExplanation(true);
    });
    element.addEventListener("focusout", (event) => {
      if (!element.contains(event.relatedTarget)) this.showExplanation(false);
    });
    ask.addEventListener("click", (event) => {
      this.showExplanation(this.why.hidden || opensOnHover(event));
    });
  }
}

/** The terms with the largest weights, the sum of all others, and the intercept. */
function explanationOf(tag, { terms, intercept, other_terms: others }) {
  const shown = terms.slice(0, MAX_SHOWN_TERMS);
  const rest = terms.slice(MAX_SHOWN_TERMS).reduce((sum, each) => sum + each.weight, others);
  const largest = Math.max(...shown.map((each) => Math.abs(each.weight)));
  const spaces = text("fields");
  const signed = (value) => create("span", { class: "number" }, formatDecimal(value, "exceptZero"));
  const row = ({ space, term, weight }) => {
    const fill = create("span");
    fill.style.width = `${(Math.abs(weight) / largest) * 100}%`;
    return create(
      "li",
      { class: weight < 0 ? "against" : "for" },
      create("span", { class: "term" }, term),
      create("span", { class: "field" }, spaces[space]),
      create("span", { class: "bar", "aria-hidden": "true" }, fill),
      signed(weight),
    );
  };
  const sum = (name, value) =>
    create("li", { class: "sum" }, create("span", {}, text(name)), signed(value));
  return [
    create("strong", {}, text("why", tag)),
    create("p", { class: "help" }, text("whyHelp")),
    create("ul", { class: "term-list" }, ...shown.map(row)),
    create("ul", { class: "sum-list" }, sum("otherTerms", rest), sum("intercept", intercept)),
  ];
}
