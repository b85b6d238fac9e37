// A moment as its distance from now; the moment itself, here and in UTC, is its tooltip.

import { mark, part, say } from "./dom.js";
import { duration, moment, roughly } from "./format.js";

/**
 * "12 s ago".
 * @param {Element} parent
 * @param {number | null} seconds
 * @param {number} now
 * @param {string} [unknown] what null means
 */
export function ago(parent, seconds, now, unknown = "never") {
  write(parent, seconds, seconds === null ? unknown : `${roughly(now - seconds)} ago`);
}

/**
 * The same, of a moment that is known to the minute only.
 * @param {Element} parent
 * @param {number | null} seconds
 * @param {number} now
 * @param {string} unknown
 */
export function agoByMinute(parent, seconds, now, unknown) {
  if (seconds !== null && now - seconds < 60) {
    write(parent, seconds, "this minute");
  } else {
    ago(parent, seconds, now, unknown);
  }
}

/**
 * "in 14 min"; null is for ever.
 * @param {Element} parent
 * @param {number | null} seconds
 * @param {number} now
 */
export function until(parent, seconds, now) {
  const text =
    seconds === null ? "never" : seconds <= now ? "now" : `in ${duration(seconds - now)}`;
  write(parent, seconds, text);
}

/**
 * @param {Element} parent
 * @param {number | null} seconds
 * @param {string} text
 */
function write(parent, seconds, text) {
  const time = part(parent, "time", "time");
  say(time, text);
  mark(time, "datetime", seconds === null ? null : new Date(seconds * 1000).toISOString());
  mark(time, "title", seconds === null ? null : moment(seconds));
}
