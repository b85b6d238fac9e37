// Who is denied most, and on which ports.

import { address, badge } from "./cells.js";
import { byId, part, say } from "./dom.js";
import { count, counted, portName } from "./format.js";
import { sparkline, sum } from "./sparkline.js";
import { Table } from "./table.js";
import { agoByMinute } from "./time.js";

/** Orders that the server knows: it picks the top by them, not only of what is here. */
const SERVER_ORDERS = ["packets", "recent", "last"];

export class Sources {
  /** @param {() => void} changed */
  constructor(changed) {
    /** @type {Table<Source>} */
    this.table = new Table(
      byId("sources"),
      "Top sources of denied packets",
      [
        {
          id: "source",
          title: "Source",
          kind: "name",
          by: (row) => row.source,
          ascending: true,
          draw: (cell, row) => {
            address(cell, row.source);
            badge(cell, row.phase, row.rule === null ? "" : `rule ${row.rule}`);
          },
        },
        packetsColumn(),
        recentColumn(),
        {
          id: "last",
          title: "Last",
          kind: "number quiet-cell",
          by: (row) => row.last,
          draw: (cell, row, now) => agoByMinute(cell, row.last, now, "over 1 h ago"),
        },
      ],
      (row) => row.source,
      { sort: "packets", changed },
    );
  }

  /** What to ask the server for. */
  get order() {
    const id = this.table.sort?.id ?? "";
    return this.table.descending && SERVER_ORDERS.includes(id) ? id : "packets";
  }

  /**
   * @param {Summary} summary
   * @param {string} query
   */
  show(summary, query) {
    const other = summary.other_sources.packets;
    this.table.show(summary.sources, summary.now, {
      empty: nothing(summary, query),
      rest:
        other > 0 && !query
          ? `${counted(other, "packet")} of sources without a line of their own.`
          : "",
    });
    note("sources", query ? `matching “${query}”` : "denied packets since the counters began");
  }
}

export class Ports {
  /** @param {() => void} changed */
  constructor(changed) {
    /** @type {Table<Port>} */
    this.table = new Table(
      byId("ports"),
      "Top destination ports of denied packets",
      [
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
        packetsColumn(),
        recentColumn(),
      ],
      (row) => portName(row),
      { sort: "packets", changed },
    );
  }

  /**
   * @param {Summary} summary
   * @param {string} query
   */
  show(summary, query) {
    this.table.show(summary.ports, summary.now, {
      empty: query ? nothing(summary, query) : "No port was tried yet.",
    });
    note("ports", query ? `matching “${query}”` : "where they wanted to go");
  }
}

/** @returns {import("./table.js").Column<any>} */
function packetsColumn() {
  return {
    id: "packets",
    title: "Packets",
    kind: "number",
    by: (row) => row.packets,
    draw: (cell, row) => say(cell, count(row.packets)),
  };
}

/** @returns {import("./table.js").Column<any>} */
function recentColumn() {
  return {
    id: "recent",
    title: "Last hour",
    kind: "number sparks",
    by: (row) => sum(row.recent),
    draw: (cell, row) => sparkline(cell, row.recent),
  };
}

/**
 * @param {Summary} summary
 * @param {string} query
 */
function nothing(summary, query) {
  if (query) {
    return `Nothing here matches “${query}”. Empty the filter with Escape to see everything.`;
  }
  const since = new Date(summary.started * 1000).toLocaleString("en-GB", {
    timeStyle: "short",
    dateStyle: "medium",
  });
  return (
    `No packet denied since ${since}. If there should be some, see whether the policy has a Log rule ` +
    "in front of its Deny: `logwatch policy render deny-nodeports --log` writes one."
  );
}

/**
 * What stands beside a card's title.
 * @param {string} id
 * @param {string} text
 */
export function note(id, text) {
  const element = byId(id).querySelector(".card-head .note");
  if (element !== null) {
    say(element, text);
  }
}
