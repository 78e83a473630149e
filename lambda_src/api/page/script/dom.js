// The page's elements, and messages to screen readers.

/** Return the element with an id. */
export const byId = (id) => document.getElementById(id);

/** Create an element. Strings among the children stay text: the page never parses HTML. */
export function create(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const ANNOUNCEMENT_PAUSE_MS = 500;
const pendingMessages = new Map(); // the newest message of each topic
let announcementTimer;

/** Pass a message to screen readers, as soon as there were no messages for half a second. */
export function announce(topic, message) {
  pendingMessages.set(topic, message);
  clearTimeout(announcementTimer);
  announcementTimer = setTimeout(() => {
    byId("spoken").textContent = [...pendingMessages.values()].join(" ");
    pendingMessages.clear();
  }, ANNOUNCEMENT_PAUSE_MS);
}
