// The tags that a person chose: accepted suggestions and own tags, with completion.

import { callApi } from "./api.js";
import { announce, byId, create } from "./dom.js";
import { formatCount, text } from "./language.js";

export const MAX_TAGS = 5;
const TAG_PATTERN = /^[^\s<>|,"'&]{1,35}$/; // the same rule as in the API
const COMPLETION_DELAY_MS = 120;
const MAX_COMPLETIONS = 6;

/** The chosen tags, at most five. Every change calls `onChange`. */
export class ChosenTags {
  #wasSuggested = new Map(); // tag -> boolean, in the order of choosing
  #onChange;
  #error = null; // [text key, ...values] if the last tag could not be added

  constructor(onChange) {
    this.#onChange = onChange;
    const add = (tag) => this.addOwn(tag);
    new Completion(byId("own"), byId("options"), add, (tag) => this.#wasSuggested.has(tag));
    this.render();
  }

  get all() {
    return [...this.#wasSuggested.keys()];
  }

  /** The chosen tags that were suggestions. */
  get accepted() {
    return this.all.filter((tag) => this.#wasSuggested.get(tag));
  }

  get isFull() {
    return this.#wasSuggested.size >= MAX_TAGS;
  }

  /** Add a tag. Return false and show the reason if it cannot be added. */
  add(tag, wasSuggested) {
    const error =
      (this.#wasSuggested.has(tag) && ["duplicate", tag]) ||
      (this.isFull && ["full", MAX_TAGS]) ||
      (!TAG_PATTERN.test(tag) && ["invalid"]) ||
      null;
    this.#setError(error);
    if (error) return false;
    this.#wasSuggested.set(tag, wasSuggested);
    announce("tag", text("added", tag));
    this.#changed();
    return true;
  }

  addOwn(typed) {
    return this.add(typed.trim().toLowerCase(), false);
  }

  /** Add the tag that is still in the input field. Return false if it cannot be added. */
  addFromField() {
    const field = byId("own");
    if (field.value.trim() && !this.addOwn(field.value)) return false;
    field.value = "";
    return true;
  }

  clear() {
    this.#wasSuggested.clear();
    byId("own").value = "";
    this.#setError(null);
    this.#changed();
  }

  render() {
    const items = this.all.map((tag) => {
      const remove = create("button", { type: "button", "aria-label": text("remove", tag) }, "×");
      remove.addEventListener("click", () => this.#remove(tag));
      return create("li", {}, create("span", { class: "tag" }, tag), remove);
    });
    byId("chosen").replaceChildren(...items);
    byId("count").textContent = text("count", this.#wasSuggested.size, MAX_TAGS);
    byId("own-help").textContent = this.#error ? text(...this.#error) : text("ownHelp");
    byId("own-help").classList.toggle("wrong", this.#error !== null);
  }

  #remove(tag) {
    const index = this.all.indexOf(tag);
    this.#wasSuggested.delete(tag);
    this.#setError(null);
    announce("tag", text("removed", tag));
    this.#changed();
    const buttons = byId("chosen").querySelectorAll("button");
    (buttons[Math.min(index, buttons.length - 1)] ?? byId("own")).focus();
  }

  #setError(error) {
    this.#error = error;
    if (error) announce("tag", text(...error));
    this.render();
  }

  #changed() {
    this.render();
    this.#onChange();
  }
}

/** A combobox, as the ARIA Authoring Practices describe it, of known tags with a given prefix. */
class Completion {
  #activeIndex = -1;
  #request = null;
  #timer;

  constructor(field, list, add, isChosen) {
    Object.assign(this, { field, list, add, isChosen });
    field.addEventListener("input", () => this.#onInput());
    field.addEventListener("keydown", (event) => this.#onKey(event));
    field.addEventListener("blur", () => this.#close());
  }

  #onInput() {
    const words = this.field.value.split(/[\s,]+/);
    this.field.value = words.pop();
    const rejected = words.filter((word) => word && !this.add(word));
    if (rejected.length) this.field.value = rejected.join(" ");
    this.#close();
    const prefix = this.field.value.toLowerCase();
    if (prefix) this.#timer = setTimeout(() => this.#open(prefix), COMPLETION_DELAY_MS);
  }

  async #open(prefix) {
    this.#request = new AbortController();
    const { signal } = this.#request;
    const query = new URLSearchParams({ prefix, limit: MAX_COMPLETIONS });
    // If the API does not answer, a person can still type the whole tag.
    const { tags } = await callApi(`tags?${query}`, { signal }).catch(() => ({ tags: [] }));
    if (signal.aborted) return;
    const options = tags.filter(({ tag }) => !this.isChosen(tag)).map((tag) => this.#option(tag));
    options.forEach((option, index) => option.setAttribute("id", `option-${index}`));
    this.list.replaceChildren(...options);
    this.#activate(-1);
    this.list.hidden = options.length === 0;
    this.field.setAttribute("aria-expanded", String(options.length > 0));
  }

  #option({ tag, count, synonym }) {
    const option = create(
      "li",
      {
        role: "option",
        "data-tag": tag,
        ...(synonym && { "data-synonym": synonym }),
        "aria-selected": "false",
      },
      create("span", { class: "tag" }, tag),
      ...(synonym ? [create("span", { class: "synonym" }, text("synonym", synonym))] : []),
      create("span", { class: "uses", "aria-hidden": "true" }, formatCount(count)),
    );
    // Without this, the field would lose the focus.
    option.addEventListener("mousedown", (event) => event.preventDefault());
    option.addEventListener("click", () => this.#choose(tag));
    return option;
  }

  #onKey(event) {
    const count = this.list.hidden ? 0 : this.list.children.length;
    if (event.key === "Escape") this.#close();
    else if (event.key === "Enter") {
      event.preventDefault();
      const typed = this.field.value.trim().toLowerCase();
      const options = [...this.list.children];
      const chosen =
        options[this.#activeIndex] ?? options.find((each) => each.dataset.synonym === typed);
      this.#choose(chosen?.dataset.tag ?? this.field.value);
    } else if (count && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const next =
        event.key === "ArrowDown" ? this.#activeIndex + 1 : Math.max(this.#activeIndex, 0) - 1;
      this.#activate((next + count) % count);
    }
  }

  #choose(tag) {
    if (tag.trim() && this.add(tag)) this.field.value = "";
    this.#close();
  }

  #activate(activeIndex) {
    this.#activeIndex = activeIndex;
    [...this.list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === activeIndex));
    });
    if (activeIndex < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `option-${activeIndex}`);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.list.hidden = true;
    this.list.replaceChildren();
    this.#activate(-1);
    this.field.setAttribute("aria-expanded", "false");
  }
}
