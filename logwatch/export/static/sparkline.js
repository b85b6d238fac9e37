// The last hour of a row in the height of its line: a bar a minute, as high as the row's own peak.

import { make, mark, part, say } from "./dom.js";
import { count, counted } from "./format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const HEIGHT = 20;

/**
 * Draw the sum of the minutes, and their shape.
 * @param {HTMLElement} cell
 * @param {(number | null)[]} minutes null where the process did not run
 */
export function sparkline(cell, minutes) {
  const box = part(cell, "span", "spark");
  const path = box.querySelector("path") ?? drawing(box);
  const packets = minutes.map((value) => value ?? 0);
  const peak = Math.max(1, ...packets);
  mark(path, "d", packets.map((value, index) => bar(index, value / peak)).join(""));
  say(part(cell, "span", "spark-sum"), count(sum(packets)));
  mark(cell, "title", `${counted(Math.max(0, ...packets), "packet")} in the busiest minute`);
}

/** @param {(number | null)[]} values */
export function sum(values) {
  return values.reduce((/** @type {number} */ total, value) => total + (value ?? 0), 0);
}

/** @param {Element} box */
function drawing(box) {
  const svg = document.createElementNS(NAMESPACE, "svg");
  const path = document.createElementNS(NAMESPACE, "path");
  mark(svg, "viewBox", `0 0 60 ${HEIGHT}`);
  mark(svg, "preserveAspectRatio", "none");
  mark(svg, "aria-hidden", "true");
  svg.append(path);
  box.append(svg);
  return path;
}

/**
 * @param {number} index
 * @param {number} share
 */
function bar(index, share) {
  if (share === 0) {
    return "";
  }
  const height = Math.max(1.5, share * HEIGHT);
  return `M${index} ${HEIGHT}v${(-height).toFixed(1)}h1V${HEIGHT}`;
}

/** A bar that fills as a rule is neared. @param {Element} cell @param {number} share */
export function meter(cell, share) {
  const box = part(cell, "span", "meter");
  const fill = box.firstElementChild ?? make("span", { class: "meter-fill" });
  if (!fill.isConnected) {
    box.append(fill);
  }
  const part100 = Math.min(100, Math.round(share * 100));
  /** @type {HTMLElement} */ (fill).style.width = `${part100}%`;
  mark(box, "data-near", share >= 1 ? "reached" : share >= 0.75 ? "near" : null);
}
