// Whether what is shown is of now: live, paused by the reader, or stale since the server fell silent.

import { byId, mark, say } from "./dom.js";
import { clock, duration } from "./format.js";
import { NO_TOKEN, Refusal } from "./poll.js";

/** A server that is busy may miss one question. */
const STALE_SECONDS = 5;

export class Freshness {
  constructor() {
    /** By this browser's clock; the server's may differ. @type {number | null} */
    this.answered = null;
    this.started = Date.now() / 1000;
    this.paused = false;
    this.reason = "";
    /** Whether nothing is asked any more, until the page is loaded again. */
    this.over = false;
    setInterval(() => this.draw(), 1000);
  }

  succeed() {
    this.answered = Date.now() / 1000;
    this.reason = "";
    this.over = false;
    this.draw();
  }

  /** @param {Error} error */
  fail(error) {
    const dull = error.name === "TypeError" || error.name === "AbortError";
    this.reason = dull ? "" : ` (${error.message})`;
    this.over = error instanceof Refusal && error.status === NO_TOKEN;
    this.draw();
  }

  draw() {
    const now = Date.now() / 1000;
    const age = now - (this.answered ?? this.started);
    const stale = !this.paused && !document.hidden && (this.over || age >= STALE_SECONDS);
    const state = this.paused
      ? "paused"
      : stale
        ? "stale"
        : this.answered === null
          ? "loading"
          : "live";
    const fresh = byId("fresh");
    mark(fresh, "data-state", state);
    say(fresh, { paused: "Paused", stale: "No answer", loading: "Loading", live: "Live" }[state]);
    const banner = byId("stale");
    banner.hidden = !stale;
    document.body.classList.toggle("is-stale", stale && this.answered !== null);
    if (stale) {
      const since =
        this.answered === null
          ? "Nothing was heard yet"
          : `What you see is of ${clock(this.answered, now)}`;
      say(
        banner,
        this.over
          ? `The server asks for a token again. ${since}; load the page anew to give it.`
          : `The server has not answered for ${duration(age)}${this.reason}. ${since}; asking again every 2 s.`,
      );
    }
  }
}
