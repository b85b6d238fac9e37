// The button that chooses between the browser's preference, light and dark; kept for this browser.

import { byId, say } from "./dom.js";

const CHOICES = ["auto", "light", "dark"];

export function themeButton() {
  const button = byId("theme");
  const draw = () => say(button, `Theme: ${chosen()}`);
  button.addEventListener("click", () => {
    choose(CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length]);
    draw();
  });
  draw();
}

function chosen() {
  return document.documentElement.dataset.theme ?? "auto";
}

/** @param {string} choice */
function choose(choice) {
  if (choice === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = choice;
  }
  try {
    localStorage.setItem("logwatch-theme", choice);
  } catch {
    // Storage is forbidden: the choice holds until the page is left.
  }
  document.dispatchEvent(new Event("logwatch-theme"));
}
