// A table that stays still while it is renewed: rows keep their elements, their number is bounded,
// and while the pointer is on a row or text is selected, rows do not change places.

import { keyed, make, mark, part, say, tell } from "./dom.js";
import { count } from "./format.js";

/** How many rows are shown at first, and after each "Show more". More is a matter for the filter. */
const LIMITS = [12, 50, 200];

/**
 * A column: `by` is what it sorts by, highest first unless `ascending`; `kind` is its class.
 * @template T
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {(cell: HTMLElement, row: T, now: number) => void} draw
 * @property {(row: T) => number | string | null} [by]
 * @property {boolean} [ascending]
 * @property {string} [kind]
 */

/** @template T */
export class Table {
  /**
   * @param {Element} root
   * @param {string} label what its rows are
   * @param {Column<T>[]} columns
   * @param {(row: T) => string} key
   * @param {{ sort?: string, changed?: () => void }} [options]
   *   `changed` is called when the reader wants another order or more rows
   */
  constructor(root, label, columns, key, options = {}) {
    this.columns = columns;
    this.key = key;
    this.changed = options.changed ?? (() => {});
    this.sort = columns.find((column) => column.id === options.sort) ?? null;
    this.descending = !this.sort?.ascending;
    this.limit = LIMITS[0];
    /** @type {string[]} */
    this.order = [];
    /** @type {T[]} */
    this.rows = [];
    this.now = 0;

    this.body = make("tbody");
    this.scroller = make("div", { class: "scroller" });
    this.heads = columns.map((column) => this.#head(column));
    const head = make("thead", {}, make("tr", {}, ...this.heads));
    const caption = make("caption", { class: "unseen" }, label);
    this.scroller.append(make("table", {}, caption, head, this.body));
    this.empty = make("p", { class: "empty" });
    this.foot = make("div", { class: "table-foot" });
    this.more = make("button", { type: "button", class: "quiet" });
    this.more.addEventListener("click", () => {
      this.limit = LIMITS.find((limit) => limit > this.limit) ?? LIMITS[0];
      this.#renew();
    });
    root.append(this.scroller, this.empty, this.foot);
  }

  /**
   * Show these rows. `rest` is said under the last; `empty` stands where there are none.
   * @param {T[]} rows
   * @param {number} now
   * @param {{ empty: string, rest?: string }} words
   */
  show(rows, now, words) {
    this.rows = rows;
    this.now = now;
    this.words = words;
    this.#draw(this.#held());
  }

  #renew() {
    this.#draw(false);
    this.changed();
  }

  /** @param {boolean} held */
  #draw(held) {
    const sorted = this.#sorted();
    const shown = held ? this.#inOldOrder(sorted) : sorted.slice(0, this.limit);
    this.order = shown.map(this.key);
    keyed(
      this.body,
      shown,
      this.key,
      () => this.#row(),
      (element, row) => {
        this.columns.forEach((column, index) => {
          column.draw(/** @type {HTMLElement} */ (element.children[index]), row, this.now);
        });
      },
    );
    this.heads.forEach((head, index) => {
      const direction = this.descending ? "descending" : "ascending";
      mark(head, "aria-sort", this.columns[index] === this.sort ? direction : null);
    });
    this.scroller.hidden = shown.length === 0;
    this.empty.hidden = shown.length > 0;
    tell(this.empty, this.words?.empty ?? "");
    this.#drawFoot(shown.length);
  }

  /** @param {number} shown */
  #drawFoot(shown) {
    const hidden = this.rows.length - shown;
    const last = this.limit === LIMITS[LIMITS.length - 1];
    const filter = last ? ", the filter finds others" : "";
    const rest = [
      hidden > 0 ? `The first ${count(shown)}${filter}.` : "",
      shown > 0 ? (this.words?.rest ?? "") : "",
    ];
    const note = part(this.foot, "span", "note");
    say(note, rest.filter(Boolean).join(" "));
    const next = LIMITS.find((limit) => limit > this.limit);
    const canMore = next !== undefined && hidden > 0;
    const canLess = !canMore && this.limit > LIMITS[0] && shown > LIMITS[0];
    if (canMore || canLess) {
      say(this.more, canMore ? "Show more" : "Show fewer");
      if (!this.more.isConnected) {
        this.foot.append(this.more);
      }
    } else {
      this.more.remove();
    }
    this.foot.hidden = note.textContent === "" && !this.more.isConnected;
  }

  /** @param {Column<T>} column */
  #head(column) {
    const head = make("th", { scope: "col", class: column.kind ?? "" });
    if (column.by === undefined) {
      head.append(column.title);
      return head;
    }
    const button = make("button", { type: "button", class: "sort" }, column.title);
    button.addEventListener("click", () => {
      this.descending = this.sort === column ? !this.descending : !column.ascending;
      this.sort = column;
      this.#renew();
    });
    head.append(button);
    return head;
  }

  #row() {
    const cells = this.columns.map((column) =>
      make("td", { class: column.kind ?? "", "data-title": column.title }),
    );
    return make("tr", {}, ...cells);
  }

  #sorted() {
    const by = this.sort?.by;
    if (by === undefined) {
      return this.rows;
    }
    const sign = this.descending ? -1 : 1;
    return [...this.rows].sort((one, other) => sign * compare(by(one), by(other)));
  }

  /** @param {T[]} sorted */
  #inOldOrder(sorted) {
    const place = new Map(this.order.map((key, index) => [key, index]));
    /** @param {T} row */
    const at = (row) => place.get(this.key(row)) ?? Number.POSITIVE_INFINITY;
    const known = sorted.filter((row) => at(row) < Number.POSITIVE_INFINITY);
    const fresh = sorted.filter((row) => at(row) === Number.POSITIVE_INFINITY);
    return [...known.sort((one, other) => at(one) - at(other)), ...fresh].slice(0, this.limit);
  }

  #held() {
    if (this.body.matches(":hover")) {
      return true;
    }
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(this.body, true);
  }
}

/**
 * Unknown is lowest.
 * @param {number | string | null} one
 * @param {number | string | null} other
 */
function compare(one, other) {
  if (typeof one === "string" && typeof other === "string") {
    return one.localeCompare(other, "en", { numeric: true });
  }
  return (one === null ? -Infinity : Number(one)) - (other === null ? -Infinity : Number(other));
}
