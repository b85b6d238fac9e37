// What was read, and what is missing of it; on the escalator, what the nodes report.

import { badge } from "./cells.js";
import { byId, keyed, make, part, say } from "./dom.js";
import { bytes, count, counted, duration } from "./format.js";
import { note } from "./sources.js";
import { Table } from "./table.js";
import { ago } from "./time.js";

const KINDS = {
  packet: "denied packets",
  repeated: "repeats told by syslog",
  odd: "could not be read",
  forged: "forged: not by the kernel",
  other: "other messages",
};

export class Reading {
  constructor() {
    this.card = byId("reading");
    /** @type {Table<Input>} */
    this.table = new Table(
      this.card,
      "Logs that are read",
      [
        {
          id: "path",
          title: "Log",
          kind: "name path",
          by: (row) => row.path,
          ascending: true,
          draw: (cell, row) => path(part(cell, "span", "address"), row.path),
        },
        {
          id: "behind",
          title: "Behind",
          kind: "number",
          draw: (cell, row) => say(cell, behind(row)),
        },
        {
          id: "last",
          title: "Last packet",
          kind: "number quiet-cell",
          draw: (cell, row, now) => ago(cell, row.last_packet, now),
        },
        {
          id: "rotations",
          title: "Rotated",
          kind: "number roomy",
          draw: (cell, row) => say(cell, count(row.rotations)),
        },
        {
          id: "truncations",
          title: "Cut",
          kind: "number roomy",
          draw: (cell, row) => say(cell, count(row.truncations)),
        },
      ],
      (row) => row.path,
    );
    this.lines = make("dl", { class: "pairs" });
    this.card.append(this.lines);
  }

  /** @param {Summary} summary */
  show(summary) {
    this.card.hidden = summary.role === "escalator"; // it reads no log
    this.table.show(summary.inputs, summary.now, { empty: "No log is read." });
    const lines = Object.entries(summary.lines).map(([kind, number]) => ({
      name: KINDS[/** @type {keyof typeof KINDS} */ (kind)] ?? kind,
      value: count(number),
    }));
    const lost = summary.lost
      .filter((loss) => loss.messages > 0)
      .map((loss) => ({
        name: `lost, says ${loss.by}${loss.input ? ` (${loss.input})` : ""}`,
        value: count(loss.messages),
      }));
    pairs(this.lines, [...lost, ...lines]);
    note("reading", `lines by what they were; ${bytes(summary.totals.bytes)} were denied`);
  }
}

/** A path that may go on in the next line behind a slash. @param {Element} element @param {string} text */
function path(element, text) {
  if (element.textContent !== text) {
    const parts = text.split(/(?<=\/)/);
    element.replaceChildren(...parts.flatMap((each) => [each, make("wbr")]));
  }
}

/** @param {Input} input */
function behind(input) {
  if (!input.readable) {
    return "not readable";
  }
  if (!input.behind_bytes) {
    return "nothing";
  }
  const seconds = input.behind_seconds === null ? "" : `, ${duration(input.behind_seconds)}`;
  return `${bytes(input.behind_bytes)}${seconds}`;
}

/** @param {Summary} summary */
export function drawInterfaces(summary) {
  const card = byId("interfaces");
  card.hidden = summary.role === "escalator"; // reports of nodes do not tell
  const rows = summary.interfaces.map((row) => ({
    name: row.interface || "none",
    value: count(row.packets),
  }));
  pairs(part(card, "dl", "pairs"), rows.slice(0, 12));
  const empty = part(card, "p", "empty");
  empty.hidden = rows.length > 0;
  say(empty, "No packet denied on any interface yet.");
  const hidden = rows.length - 12;
  note(
    "interfaces",
    hidden > 0 ? `and ${counted(hidden, "other")}` : "where denied packets came in",
  );
}

/**
 * @param {Element} list
 * @param {{ name: string, value: string }[]} rows
 */
export function pairs(list, rows) {
  keyed(
    list,
    rows,
    (row) => row.name,
    () => make("div"),
    (element, row) => {
      say(part(element, "dt", "pair-name"), row.name);
      say(part(element, "dd", "pair-value"), row.value);
    },
  );
}

export class Nodes {
  constructor() {
    this.card = byId("nodes");
    /** @type {Table<NodeState>} */
    this.table = new Table(
      this.card,
      "Nodes that report",
      [
        {
          id: "node",
          title: "Node",
          kind: "name",
          by: (row) => row.node,
          ascending: true,
          draw: (cell, row) => {
            say(part(cell, "span", "address"), row.node);
            badge(cell, row.state === "reporting" ? null : row.state);
          },
        },
        {
          id: "sources",
          title: "Sources",
          kind: "number",
          by: (row) => row.sources,
          draw: (cell, row) => say(cell, count(row.sources)),
        },
        {
          id: "cut",
          title: "Cut",
          kind: "number",
          by: (row) => row.cut,
          draw: (cell, row) => say(cell, count(row.cut)),
        },
        {
          id: "age",
          title: "Report",
          kind: "number",
          by: (row) => row.age,
          draw: (cell, row, now) => ago(cell, row.age === null ? row.reported : now - row.age, now),
        },
      ],
      (row) => row.node,
      { sort: "age" },
    );
  }

  /** @param {Summary} summary */
  show(summary) {
    this.card.hidden = summary.role !== "escalator";
    this.table.show(summary.nodes, summary.now, {
      empty:
        "No node has reported. `kubectl get pods -A -l app.kubernetes.io/component=agent` shows whether agents run.",
    });
    note("nodes", "oldest report first; cut: sources that found no room in a report");
  }
}
