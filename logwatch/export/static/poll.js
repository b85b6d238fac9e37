// Asks the server again and again while somebody looks, one question at a time.

const SECONDS = 2;
const TIMEOUT_SECONDS = 8;

/** Status of an answer to who shows no token, or one that holds no more. */
export const NO_TOKEN = 401;

/** The server answered, but not with data; its sentence is the message. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

/**
 * Asks `url()` every two seconds; not while it is paused, or the page is hidden, and no more once
 * the token is not taken: the browser would ask its reader for it each time.
 */
export class Poller {
  /**
   * @param {() => string} url
   * @param {(answer: any) => void} answered
   * @param {(error: Error) => void} failed
   */
  constructor(url, answered, failed) {
    this.url = url;
    this.answered = answered;
    this.failed = failed;
    this.running = false;
    /** @type {AbortController | null} */
    this.asking = null;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        this.#end();
      } else if (this.running) {
        this.ask();
      }
    });
  }

  start() {
    this.running = true;
    this.ask();
  }

  stop() {
    this.running = false;
    this.#end();
  }

  /** Ask at once: what was asked before is out of date. Once only, when it is paused. */
  async ask() {
    this.#end();
    const asking = new AbortController();
    this.asking = asking;
    const timeout = setTimeout(() => asking.abort(), TIMEOUT_SECONDS * 1000);
    try {
      const answer = await get(this.url(), asking.signal);
      if (this.asking === asking) {
        this.answered(answer);
      }
    } catch (error) {
      if (this.asking === asking) {
        this.running &&= !(error instanceof Refusal && error.status === NO_TOKEN);
        this.failed(error instanceof Error ? error : new Error(String(error)));
      }
    }
    clearTimeout(timeout);
    if (this.asking === asking && this.running && !document.hidden) {
      this.timer = setTimeout(() => this.ask(), SECONDS * 1000);
    }
  }

  #end() {
    clearTimeout(this.timer);
    const asking = this.asking;
    this.asking = null;
    asking?.abort();
  }
}

/**
 * @param {string} url
 * @param {AbortSignal} signal
 */
async function get(url, signal) {
  // Of the origin: the address of the page may hold the token, which fetch refuses.
  const response = await fetch(new URL(url, location.origin), { signal, cache: "no-store" });
  if (!response.ok) {
    throw new Refusal(response.status, (await response.text()).trim());
  }
  return response.json();
}
