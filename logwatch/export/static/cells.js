// Cells that several tables have.

import { mark, part, say } from "./dom.js";
import { sourceLink, sourceOf } from "./route.js";

/** A ban's phase is called by the mode that it was decided in, or by what the cluster says. */
/** @type {Record<string, string>} */
const PHASES = { observe: "observed", propose: "proposed", enforce: "enforced" };

/**
 * The phase of a ban, in a word and a colour.
 * @param {Element} cell
 * @param {string | null} phase
 * @param {string} [title]
 */
export function badge(cell, phase, title = "") {
  const element = part(cell, "span", "badge");
  element.hidden = phase === null;
  const word = phase === null ? "" : (PHASES[phase] ?? phase.toLowerCase());
  say(element, word);
  mark(element, "data-phase", word || null);
  mark(element, "title", title || null);
}

/**
 * An address that leads to its page; a wider network is only named.
 * @param {Element} cell
 * @param {string} network
 */
export function address(cell, network) {
  const source = sourceOf(network);
  const element = part(cell, "a", "address");
  say(element, network.includes(":") ? network : (source ?? network));
  mark(element, "href", source === null ? null : sourceLink(source));
}

/** How often a rule's measure was met. @param {{ has: number, needs: number, measure: string }} near */
export function nearness(near) {
  return `${near.has.toLocaleString("en")} of ${near.needs.toLocaleString("en")} ${near.measure}`;
}
