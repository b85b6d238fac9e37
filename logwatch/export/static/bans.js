// Who is banned and until when, and who comes near.

import { address, badge, nearness } from "./cells.js";
import { copyButton } from "./copy.js";
import { byId, mark, part, say, tell } from "./dom.js";
import { count, counted, period } from "./format.js";
import { note } from "./sources.js";
import { meter } from "./sparkline.js";
import { Table } from "./table.js";
import { ago, until } from "./time.js";

export class Blacklist {
  /** @param {() => void} changed */
  constructor(changed) {
    const card = byId("blacklist");
    this.brakes = part(card, "div", "brakes");
    /** @type {Table<Ban>} */
    this.table = new Table(
      card,
      "Banned networks",
      [
        {
          id: "cidr",
          title: "Network",
          kind: "name",
          by: (row) => row.cidr,
          ascending: true,
          draw: (cell, row) => {
            address(cell, row.cidr);
            badge(cell, row.phase, row.enforced ? "in the policy" : "not in the policy");
          },
        },
        {
          id: "reason",
          title: "Reason",
          kind: "text whole",
          by: (row) => row.reason ?? "",
          ascending: true,
          draw: (cell, row) => {
            say(part(cell, "span", "reason"), row.reason ?? row.rule ?? "no reason given");
            say(part(cell, "span", "by"), how(row));
          },
        },
        {
          id: "since",
          title: "Since",
          kind: "number quiet-cell roomy",
          by: (row) => row.since,
          draw: (cell, row, now) => ago(cell, row.since, now),
        },
        {
          id: "expires",
          title: "Ends",
          kind: "number told",
          by: (row) => row.expires ?? Number.MAX_VALUE,
          ascending: true,
          draw: (cell, row, now) => until(cell, row.expires, now),
        },
        {
          id: "undo",
          title: "Undo",
          kind: "action",
          draw: (cell, row) => {
            cell.dataset.undo = row.undo;
            mark(cell, "title", row.undo);
            if (cell.firstElementChild === null) {
              cell.append(copyButton(() => cell.dataset.undo ?? "", `Copy: ${row.undo}`));
            }
          },
        },
      ],
      (row) => row.cidr,
      { sort: "since", changed },
    );
  }

  /**
   * @param {Summary} summary
   * @param {string} query
   */
  show(summary, query) {
    this.table.show(summary.blacklist, summary.now, {
      empty: query ? `No ban matches “${query}”.` : NOBODY[summary.mode],
    });
    const { decided, enforced } = summary.networks;
    note(
      "blacklist",
      decided === 0 ? "" : `${count(enforced)} of ${counted(decided, "network")} in the policy`,
    );
    this.#drawBrakes(summary);
  }

  /** @param {Summary} summary */
  #drawBrakes(summary) {
    const frozen = part(this.brakes, "p", "frozen");
    frozen.hidden = summary.frozen === null;
    tell(frozen, summary.frozen ?? "");
    const refused = summary.refused.map((one) => `${count(one.count)} × ${one.reason}`).join(", ");
    const said = [
      summary.held > 0 ? `${counted(summary.held, "decision")} held back by the brake.` : "",
      refused ? `Refused: ${refused}.` : "",
    ];
    const held = part(this.brakes, "p", "note");
    say(held, said.filter(Boolean).join(" "));
    held.hidden = held.textContent === "";
    this.brakes.hidden = frozen.hidden && held.hidden;
  }
}

const NOBODY = {
  observe:
    "Nobody is on the list. In the mode observe, who would be banned is shown here and stays unbanned.",
  propose:
    "Nobody is on the list. In the mode propose, bans wait here for `logwatch blacklist approve ADDRESS`.",
  enforce:
    "Nobody is banned. By hand: `logwatch blacklist add ADDRESS --for 30d --reason 'abuse report'`",
};

/** @param {Ban} ban */
function how(ban) {
  const who = ban.by === "hand" ? "by hand" : `rule ${ban.rule ?? "unknown"}`;
  const often = ban.offence !== null && ban.offence > 1 ? `offence ${ban.offence}` : "";
  return [ban.reason?.includes(who) ? "" : who, often].filter(Boolean).join(", ");
}

export class Offenders {
  constructor() {
    /** @type {Table<Offender>} */
    this.table = new Table(
      byId("offenders"),
      "Sources that come near a rule",
      [
        {
          id: "source",
          title: "Source",
          kind: "name",
          by: (row) => row.source,
          ascending: true,
          draw: (cell, row) => address(cell, row.source),
        },
        {
          id: "rule",
          title: "Rule",
          kind: "text",
          by: (row) => row.rule,
          ascending: true,
          draw: (cell, row) => {
            say(part(cell, "span", "reason"), row.rule);
            const within = row.window === null ? "" : ` in ${period(row.window)}`;
            say(part(cell, "span", "by"), `${nearness(row)}${within}`);
          },
        },
        {
          id: "share",
          title: "Near",
          kind: "number meters",
          by: (row) => row.share,
          draw: (cell, row) => {
            meter(cell, row.share);
            say(part(cell, "span", "meter-value"), `${Math.round(row.share * 100)} %`);
          },
        },
      ],
      (row) => `${row.source} ${row.rule}`,
      { sort: "share" },
    );
  }

  /** @param {Summary} summary */
  show(summary) {
    this.table.show(summary.offenders, summary.now, {
      empty: "No source comes near a rule. `logwatch rules explain` says what the rules are.",
    });
    note("offenders", "not banned yet, and how much of a rule is met");
  }
}
