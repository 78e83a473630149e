// The suggested tags: a button each, how sure the model is, and why.

import { asDecimal, asPercent, at, make, text } from "./tools.js";

const SHOWN_TERMS = 6;
const beside = matchMedia("(min-width: 60rem)"); // where an explanation covers no suggestion

/** The list of suggestions; `onAccept` is told the tag of a button that was pressed. */
export class Suggestions {
  #list = at("suggestions");
  #items = new Map();
  #onAccept;

  constructor(onAccept) {
    this.#onAccept = onAccept;
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") for (const item of this.#items.values()) item.explain(false);
    });
  }

  /** Show these; what is there already stays in place, so that neither eye nor focus gets lost. */
  show(suggestions, { full }) {
    const focused = this.#list.contains(document.activeElement);
    const kept = new Map();
    for (const [place, suggestion] of suggestions.entries()) {
      const item = this.#items.get(suggestion.tag) ?? new Item(suggestion.tag, this.#onAccept);
      item.update(suggestion, full);
      kept.set(suggestion.tag, item);
      const before = this.#list.children[place];
      if (before !== item.element) this.#list.insertBefore(item.element, before ?? null);
    }
    while (this.#list.children.length > kept.size) this.#list.lastElementChild.remove();
    this.#items = kept;
    if (focused && !this.#list.contains(document.activeElement)) this.focus();
  }

  /** Move the focus to the first suggestion, or on to the field for own tags. */
  focus() {
    (this.#list.querySelector(".accept") ?? at("own")).focus();
  }
}

let explanations = 0;

class Item {
  constructor(tag, onAccept) {
    this.tag = tag;
    this.verb = make("span", { class: "unseen" });
    this.percent = make("span", { class: "percent" });
    this.fill = make("span");
    this.accept = make(
      "button",
      { type: "button", class: "accept" },
      make("span", { class: "name" }, this.verb, " ", make("span", { class: "tag" }, tag)),
      this.percent,
      make("span", { class: "bar", "aria-hidden": "true" }, this.fill),
    );
    this.why = make("div", { class: "why", id: `why-${++explanations}` });
    this.why.hidden = true;
    this.ask = make(
      "button",
      { type: "button", class: "ask-why", "aria-expanded": "false", "aria-controls": this.why.id },
      "?",
    );
    this.element = make("li", {}, this.accept, this.ask, this.why);
    this.accept.addEventListener("click", () => onAccept(tag));
    this.#explainOnDemand();
  }

  update({ confidence, explanation }, full) {
    // Never "100 %": a model is not that sure.
    const share = Math.min(confidence, 0.99);
    this.percent.textContent = asPercent(share);
    this.fill.style.width = `${share * 100}%`;
    this.verb.textContent = text("add");
    this.accept.setAttribute("aria-disabled", String(full));
    this.ask.setAttribute("aria-label", text("why", this.tag));
    this.ask.hidden = !explanation;
    if (explanation) this.why.replaceChildren(...explanationOf(this.tag, explanation));
    else this.explain(false);
  }

  /** Open or close the explanation. */
  explain(open) {
    this.why.hidden = !open || this.ask.hidden;
    this.ask.setAttribute("aria-expanded", String(!this.why.hidden));
  }

  #explainOnDemand() {
    const hovers = (event) => event.pointerType === "mouse" && beside.matches;
    const { element, ask } = this;
    element.addEventListener("pointerenter", (event) => hovers(event) && this.explain(true));
    element.addEventListener("pointerleave", (event) => {
      if (hovers(event) && !element.querySelector(":focus-visible")) this.explain(false);
    });
    element.addEventListener("focusin", (event) => {
      if (event.target.matches(":focus-visible")) this.explain(true);
    });
    element.addEventListener("focusout", (event) => {
      if (!element.contains(event.relatedTarget)) this.explain(false);
    });
    ask.addEventListener("click", (event) => this.explain(this.why.hidden || hovers(event)));
  }
}

/** What spoke for a tag: the strongest terms, what the others add, and where it started. */
function explanationOf(tag, { terms, intercept, other_terms: others }) {
  const shown = terms.slice(0, SHOWN_TERMS);
  const rest = terms.slice(SHOWN_TERMS).reduce((sum, each) => sum + each.weight, others);
  const most = Math.max(...shown.map((each) => Math.abs(each.weight)));
  const fields = text("fields");
  const signed = (value) => make("span", { class: "number" }, asDecimal(value, "exceptZero"));
  const row = ({ space, term, weight }) => {
    const fill = make("span");
    fill.style.width = `${(Math.abs(weight) / most) * 100}%`;
    return make(
      "li",
      { class: weight < 0 ? "against" : "for" },
      make("span", { class: "term" }, term),
      make("span", { class: "field" }, fields[space]),
      make("span", { class: "bar", "aria-hidden": "true" }, fill),
      signed(weight),
    );
  };
  const sum = (name, value) =>
    make("li", { class: "sum" }, make("span", {}, text(name)), signed(value));
  return [
    make("strong", {}, text("why", tag)),
    make("p", { class: "help" }, text("whyHelp")),
    make("ul", { class: "term-list" }, ...shown.map(row)),
    make("ul", { class: "sum-list" }, sum("otherTerms", rest), sum("intercept", intercept)),
  ];
}
