// A source's page: what it did, what the rules say, and the command that bans it or undoes that.

import { badge, nearness } from "./cells.js";
import { Chart } from "./chart.js";
import { copyButton } from "./copy.js";
import { byId, keyed, make, mark, part, say, tell } from "./dom.js";
import { bytes, count, counted, period, portName } from "./format.js";
import { pairs } from "./reading.js";
import { meter } from "./sparkline.js";
import { Table } from "./table.js";
import { ago, agoByMinute, until } from "./time.js";

export class SourcePage {
  /** @param {string} address */
  constructor(address) {
    const root = byId("source");
    root.replaceChildren();
    const back = make("a", { href: "#/", class: "back" }, "← All sources");
    this.title = make("h1", { class: "address", tabindex: "-1" }, address);
    this.head = make("div", { class: "source-head" }, back, this.title);
    this.verdict = make("div", { class: "verdict" });
    this.missing = make("p", { class: "empty card" });
    this.body = make("div", { class: "stack source-body" });
    root.append(this.head, this.missing, this.verdict, this.body);
    say(this.missing, "Asking the server");

    this.commands = make("div", { class: "commands" });
    part(this.verdict, "p", "verdict-text");
    part(this.verdict, "p", "verdict-more");
    part(this.verdict, "ul", "stops");
    this.verdict.append(this.commands);
    const timeline = card(this.body, "Denied per minute");
    this.chart = new Chart(timeline, `Packets of ${address} denied per minute`, {
      bars: true,
      height: 160,
      unit: "per minute",
    });
    const left = make("div", { class: "stack" });
    const right = make("div", { class: "stack" });
    this.body.append(make("div", { class: "columns" }, left, right));
    this.rules = part(card(left, "How near to each rule"), "ul", "rules");
    this.samples = part(card(left, "Last lines of the log"), "ol", "samples");
    this.facts = part(card(right, "In all"), "dl", "pairs");
    /** @type {Table<SourceDetail["ports"][number]>} */
    this.ports = new Table(
      card(right, "Ports it tried"),
      "Ports it tried",
      portColumns(),
      (row) => portName(row),
      { sort: "packets" },
    );
    this.nodes = part(card(right, "Seen by"), "dl", "pairs");
    this.#have(false);
  }

  /**
   * @param {SourceDetail} detail
   * @param {number} now
   */
  show(detail, now) {
    this.#have(true);
    say(this.title, detail.source);
    this.#drawVerdict(detail, now);
    const { start, step, packets } = detail.timeline;
    this.chart.show(start, step, [{ label: "denied", colour: "--series-1", values: packets }]);
    this.#drawRules(detail);
    this.#drawFacts(detail, now);
    this.ports.show(detail.ports, now, {
      empty: "No port of it is kept here.",
      rest:
        detail.ports_counted === null
          ? "The latest that its evidence holds, which has no protocols or packets of each."
          : "",
    });
    hideUnless(this.nodes, detail.nodes.length > 0);
    pairs(
      this.nodes,
      detail.nodes.slice(0, 50).map((row) => ({ name: row.node, value: count(row.packets) })),
    );
    keyed(
      this.samples,
      detail.samples.map((line, index) => ({ line, index })),
      (one) => String(one.index),
      () => make("li"),
      (element, one) => say(element, one.line),
    );
    const none = detail.samples.length === 0;
    say(
      part(/** @type {Element} */ (this.samples.parentElement), "p", "empty"),
      none ? "No line was kept." : "",
    );
  }

  /** Nothing is known about it, or the server can't say. @param {string} sentence */
  refuse(sentence) {
    this.#have(false);
    say(this.missing, whole(sentence));
  }

  /** Its page is left. */
  end() {
    this.chart.end();
  }

  /** @param {boolean} known */
  #have(known) {
    this.missing.hidden = known;
    this.verdict.hidden = !known;
    this.body.hidden = !known;
  }

  /**
   * @param {SourceDetail} detail
   * @param {number} now
   */
  #drawVerdict(detail, now) {
    badge(this.head, detail.ban?.phase ?? (detail.protected === null ? null : "protected"));
    say(part(this.verdict, "p", "verdict-text"), detail.verdict);
    const more = part(this.verdict, "p", "verdict-more");
    if (detail.ban !== null) {
      say(
        part(more, "span", "reason"),
        `${detail.ban.reason ?? ""}${detail.ban.reason ? ". " : ""}Ends `,
      );
      until(more, detail.ban.expires, now);
    } else {
      const isTold = detail.protected !== null && detail.stops.includes(detail.protected);
      say(more, isTold ? "" : (detail.protected ?? ""));
    }
    keyed(
      part(this.verdict, "ul", "stops"),
      detail.stops,
      (stop) => stop,
      () => make("li"),
      (element, stop) => tell(element, whole(stop)),
    );
    more.hidden = more.textContent === "" || more.textContent === detail.verdict;
    const { undo, ban, why } = detail.commands;
    const rows = [
      { name: "Undo the ban", command: undo },
      { name: detail.ban === null ? "Ban it" : "Ban it longer", command: ban },
      { name: "See why", command: why },
    ].flatMap((row) => (row.command === null ? [] : [{ ...row, command: row.command }]));
    keyed(
      this.commands,
      rows,
      (row) => row.name,
      commandRow,
      (element, row) => {
        say(part(element, "span", "command-name"), row.name);
        say(part(element, "code", "command-text"), row.command);
        mark(part(element, "button", "copy"), "aria-label", `Copy: ${row.command}`);
      },
    );
  }

  /** @param {SourceDetail} detail */
  #drawRules(detail) {
    keyed(
      this.rules,
      detail.rules,
      (rule) => rule.rule,
      () => make("li"),
      (element, rule) => {
        const within = rule.window === null ? "" : ` in ${period(rule.window)}`;
        say(part(element, "span", "rule-name"), rule.rule);
        say(part(element, "span", "rule-measure"), `${nearness(rule)}${within}`);
        meter(element, rule.share);
        const hindrance = part(element, "span", "hindrance");
        const own = rule.hindrance !== null && !detail.stops.includes(rule.hindrance);
        say(hindrance, own ? (rule.hindrance ?? "") : "");
        hindrance.hidden = !own;
      },
    );
    const empty = part(/** @type {Element} */ (this.rules.parentElement), "p", "empty");
    empty.hidden = detail.rules.length > 0;
    say(empty, "No rule counts what it did.");
  }

  /**
   * @param {SourceDetail} detail
   * @param {number} now
   */
  #drawFacts(detail, now) {
    // Whom evidence alone tells of has no count of its own.
    const isCounted = detail.packets > 0;
    pairs(this.facts, [
      { name: "denied", value: isCounted ? counted(detail.packets, "packet") : "not counted" },
      { name: "size", value: isCounted ? bytes(detail.bytes) : "unknown" },
      { name: "ports", value: count(detail.ports_counted) },
      { name: "first seen", value: "" },
      { name: "last seen", value: "" },
    ]);
    const [, , , first, last] = this.facts.children;
    ago(part(first, "dd", "pair-value"), detail.first, now, "unknown");
    agoByMinute(part(last, "dd", "pair-value"), detail.last, now, "unknown");
  }
}

/** A sentence of the server's, as one that stands alone. @param {string} text */
function whole(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** Hide the card of what there is none of. @param {Element} list @param {boolean} any */
function hideUnless(list, any) {
  /** @type {HTMLElement} */ (list.parentElement).hidden = !any;
}

/**
 * @param {Element} parent
 * @param {string} title
 */
function card(parent, title) {
  const made = make(
    "section",
    { class: "card" },
    make("div", { class: "card-head" }, make("h2", {}, title)),
  );
  parent.append(made);
  return made;
}

function commandRow() {
  const row = make("div", { class: "command" });
  const name = part(row, "span", "command-name");
  const text = part(row, "code", "command-text");
  row.append(
    name,
    text,
    copyButton(() => text.textContent ?? "", "Copy"),
  );
  return row;
}

/** @returns {import("./table.js").Column<SourceDetail["ports"][number]>[]} */
function portColumns() {
  return [
    {
      id: "port",
      title: "Port",
      kind: "name short",
      by: (row) => row.port ?? -1,
      ascending: true,
      draw: (cell, row) => {
        say(part(cell, "span", "address"), portName(row));
        say(part(cell, "span", "service"), row.service ?? "");
      },
    },
    {
      id: "packets",
      title: "Packets",
      kind: "number",
      by: (row) => row.packets,
      draw: (cell, row) => say(cell, count(row.packets)),
    },
  ];
}
