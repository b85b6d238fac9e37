// A command with a button that copies it.

import { make, say } from "./dom.js";

const SAID_SECONDS = 2;

/**
 * A button that copies what `text` gives when it is pressed.
 * @param {() => string} text
 * @param {string} label
 */
export function copyButton(text, label) {
  const button = make("button", { type: "button", class: "copy", "aria-label": label }, "Copy");
  button.addEventListener("click", async () => {
    say(button, (await copy(text())) ? "Copied" : "Press Ctrl-C");
    setTimeout(() => say(button, "Copy"), SAID_SECONDS * 1000);
  });
  return button;
}

/**
 * Over plain HTTP browsers have no clipboard for scripts; the older command works there.
 * @param {string} text
 */
async function copy(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not permitted: the older command may be.
    }
  }
  const field = make("textarea", { class: "unseen", "aria-hidden": "true" });
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) {
    focused.focus({ preventScroll: true });
  }
  return done;
}
