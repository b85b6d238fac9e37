// Writing to the page without losing what the reader does there: focus, selection, scroll.
// Text from logs reaches the page as text nodes only; nothing here parses HTML.

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/**
 * The element of index.html with this id.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`index.html has no #${id}`);
  }
  return found;
}

/**
 * Say a text; a node that says it already is left alone, so that a selection in it stays.
 * @param {Element} element
 * @param {string} value
 */
export function say(element, value) {
  if (element.textContent !== value) {
    element.textContent = value;
  }
}

/**
 * Say a sentence in which `commands` stand between backticks.
 * @param {Element} element
 * @param {string} sentence
 */
export function tell(element, sentence) {
  if (element.getAttribute("data-told") !== sentence) {
    const parts = sentence.split("`");
    element.replaceChildren(
      ...parts.map((text, index) => (index % 2 === 1 ? make("code", {}, text) : text)),
    );
    element.setAttribute("data-told", sentence);
  }
}

/**
 * Set an attribute, or take it away with null.
 * @param {Element} element
 * @param {string} name
 * @param {string | null} value
 */
export function mark(element, name, value) {
  if (value === null) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/**
 * The one child with this class, made when it is first asked for. A space stands between children,
 * for who copies them or hears them read.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {Element} parent
 * @param {T} tag
 * @param {string} name
 * @returns {HTMLElementTagNameMap[T]}
 */
export function part(parent, tag, name) {
  for (const child of parent.children) {
    if (child.classList.contains(name)) {
      return /** @type {HTMLElementTagNameMap[T]} */ (child);
    }
  }
  const made = make(tag, { class: name });
  parent.append(parent.hasChildNodes() ? " " : "", made);
  return made;
}

/**
 * Make the children of `parent` those of `items`, in that order; an element stays with its key.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} key
 * @param {() => HTMLElement} create
 * @param {(element: HTMLElement, item: T) => void} update
 */
export function keyed(parent, items, key, create, update) {
  const focused = document.activeElement;
  /** @type {Map<string, HTMLElement>} */
  const old = new Map();
  for (const child of parent.children) {
    const element = /** @type {HTMLElement} */ (child);
    old.set(element.dataset.key ?? "", element);
  }
  /** @type {Element | null} */
  let at = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let element = old.get(name);
    old.delete(name);
    if (element === undefined) {
      element = create();
      element.dataset.key = name;
    }
    if (element === at) {
      at = at.nextElementSibling;
    } else {
      parent.insertBefore(element, at);
    }
    update(element, item);
  }
  for (const element of old.values()) {
    element.remove();
  }
  // A moved element has lost the focus on the way.
  if (focused instanceof HTMLElement && focused !== document.activeElement && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
}
