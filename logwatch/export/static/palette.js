// The colours of the charts, from the style sheet, so that they follow light and dark.

/** Of Okabe and Ito's, told apart by people who see few colours: charts.css has as many. */
const COLOURS = 7;

/** @type {Map<string, number>} */
const given = new Map();

/** A name keeps its number, in whatever order names come. @param {string} name */
export function colourNumber(name) {
  let number = given.get(name);
  if (number === undefined) {
    number = (given.size % COLOURS) + 1;
    given.set(name, number);
  }
  return number;
}

/** What the style sheet says now. @param {string} property */
export function colour(property) {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/**
 * Call when light became dark, or the other way.
 * @param {() => void} changed
 * @param {AbortSignal} [signal] ends it
 */
export function onColours(changed, signal) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
  document.addEventListener("logwatch-theme", changed, { signal });
}
