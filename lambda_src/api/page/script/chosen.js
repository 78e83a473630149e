// The tags that a person chose: accepted suggestions and own ones, completed to known tags.

import { announce, asCount, at, call, make, text } from "./tools.js";

export const MAX_TAGS = 5;
const FIT = /^[^\s<>|,"'&]{1,35}$/; // as the API defines a tag
const COMPLETION_PAUSE_MS = 120;
const OFFERED = 6;

/** The chosen tags, at most five; `onChange` is told of every change. */
export class Chosen {
  #tags = new Map(); // tag -> whether it was suggested
  #onChange;
  #note = null;

  constructor(onChange) {
    this.#onChange = onChange;
    const add = (tag) => this.addOwn(tag);
    new Completion(at("own"), at("options"), add, (tag) => this.#tags.has(tag));
    this.show();
  }

  get all() {
    return [...this.#tags.keys()];
  }

  /** Those that were suggested and taken over. */
  get accepted() {
    return this.all.filter((tag) => this.#tags.get(tag));
  }

  get full() {
    return this.#tags.size >= MAX_TAGS;
  }

  /** Add a tag; false, with a note why, where that cannot be. */
  add(tag, suggested) {
    const hindrance =
      (this.#tags.has(tag) && ["twice", tag]) ||
      (this.full && ["full", MAX_TAGS]) ||
      (!FIT.test(tag) && ["unfit"]) ||
      null;
    this.#tell(hindrance);
    if (hindrance) return false;
    this.#tags.set(tag, suggested);
    announce("tag", text("added", tag));
    this.#changed();
    return true;
  }

  addOwn(typed) {
    return this.add(typed.trim().toLowerCase(), false);
  }

  /** Add what still stands in the field; false where it cannot be. */
  addUnfinished() {
    const field = at("own");
    if (field.value.trim() && !this.addOwn(field.value)) return false;
    field.value = "";
    return true;
  }

  clear() {
    this.#tags.clear();
    at("own").value = "";
    this.#tell(null);
    this.#changed();
  }

  show() {
    const buttons = this.all.map((tag) => {
      const remove = make("button", { type: "button", "aria-label": text("remove", tag) }, "×");
      remove.addEventListener("click", () => this.#remove(tag));
      return make("li", {}, make("span", { class: "tag" }, tag), remove);
    });
    at("chosen").replaceChildren(...buttons);
    at("count").textContent = text("count", this.#tags.size, MAX_TAGS);
    at("own-help").textContent = this.#note ? text(...this.#note) : text("ownHelp");
    at("own-help").classList.toggle("wrong", this.#note !== null);
  }

  #remove(tag) {
    const place = this.all.indexOf(tag);
    this.#tags.delete(tag);
    this.#tell(null);
    announce("tag", text("removed", tag));
    this.#changed();
    const buttons = at("chosen").querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? at("own")).focus();
  }

  #tell(note) {
    this.#note = note;
    if (note) announce("tag", text(...note));
    this.show();
  }

  #changed() {
    this.show();
    this.#onChange();
  }
}

/** A combobox after the ARIA pattern: known tags that begin with what was typed. */
class Completion {
  #active = -1;
  #running = null;
  #pause;

  constructor(field, list, add, isChosen) {
    Object.assign(this, { field, list, add, isChosen });
    field.addEventListener("input", () => this.#typed());
    field.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("blur", () => this.#close());
  }

  #typed() {
    const words = this.field.value.split(/[\s,]+/);
    this.field.value = words.pop();
    const left = words.filter((word) => word && !this.add(word));
    if (left.length) this.field.value = left.join(" ");
    this.#close();
    const prefix = this.field.value.toLowerCase();
    if (prefix) this.#pause = setTimeout(() => this.#offer(prefix), COMPLETION_PAUSE_MS);
  }

  async #offer(prefix) {
    this.#running = new AbortController();
    const { signal } = this.#running;
    const query = new URLSearchParams({ prefix, limit: OFFERED });
    // Without an answer one can still type the whole tag.
    const { tags } = await call(`tags?${query}`, { signal }).catch(() => ({ tags: [] }));
    if (signal.aborted) return;
    const options = tags.filter(({ tag }) => !this.isChosen(tag)).map((tag) => this.#option(tag));
    options.forEach((option, place) => option.setAttribute("id", `option-${place}`));
    this.list.replaceChildren(...options);
    this.#activate(-1);
    this.list.hidden = options.length === 0;
    this.field.setAttribute("aria-expanded", String(options.length > 0));
  }

  #option({ tag, count }) {
    const option = make(
      "li",
      { role: "option", "data-tag": tag, "aria-selected": "false" },
      make("span", { class: "tag" }, tag),
      make("span", { class: "uses", "aria-hidden": "true" }, asCount(count)),
    );
    // The field keeps the focus.
    option.addEventListener("mousedown", (event) => event.preventDefault());
    option.addEventListener("click", () => this.#take(tag));
    return option;
  }

  #key(event) {
    const count = this.list.hidden ? 0 : this.list.children.length;
    if (event.key === "Escape") this.#close();
    else if (event.key === "Enter") {
      event.preventDefault();
      this.#take(this.list.children[this.#active]?.dataset.tag ?? this.field.value);
    } else if (count && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const next = event.key === "ArrowDown" ? this.#active + 1 : Math.max(this.#active, 0) - 1;
      this.#activate((next + count) % count);
    }
  }

  #take(tag) {
    if (tag.trim() && this.add(tag)) this.field.value = "";
    this.#close();
  }

  #activate(place) {
    this.#active = place;
    [...this.list.children].forEach((option, each) => {
      option.setAttribute("aria-selected", String(each === place));
    });
    if (place < 0) this.field.removeAttribute("aria-activedescendant");
    else this.field.setAttribute("aria-activedescendant", `option-${place}`);
  }

  #close() {
    clearTimeout(this.#pause);
    this.#running?.abort();
    this.list.hidden = true;
    this.list.replaceChildren();
    this.#activate(-1);
    this.field.setAttribute("aria-expanded", "false");
  }
}
