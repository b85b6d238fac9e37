// The few numbers that are read from across the room.

import { byId, keyed, make, part, say } from "./dom.js";
import { count, duration, rate } from "./format.js";
import { lately } from "./history.js";
import { sum } from "./sparkline.js";

/** @param {Summary} summary */
export function drawFigures(summary) {
  const { decided, enforced } = summary.networks;
  const late = summary.mode === "enforce" ? decided - enforced : 0;
  const series = summary.history.series.filter((one) => one.action === "denied");
  const [now, peak, hour] = hourOf(series, summary);
  const behind = Math.max(0, ...summary.inputs.map((input) => input.behind_seconds ?? 0));
  const lastPacket = Math.max(0, ...summary.inputs.map((input) => input.last_packet ?? 0));
  const figures = [
    { name: "Denied, last minute", value: now, unit: "/s", more: `peak ${peak}/s in this hour` },
    {
      name: "Denied, last hour",
      value: count(hour),
      unit: "",
      more: `${count(summary.totals.packets)} in all`,
    },
    {
      name: "Sources, 5 minutes",
      value: count(summary.totals.sources),
      unit: "",
      more: "an estimate",
    },
    {
      name: "Networks banned",
      value: count(enforced),
      unit: decided > enforced ? `of ${count(decided)}` : "",
      more: late > 0 ? `${count(late)} not in the policy` : MODE_NOTES[summary.mode],
    },
    summary.role === "escalator"
      ? { name: "Nodes", ...reporting(summary) }
      : {
          name: "Behind the log",
          value: behind < 1 ? "0" : duration(behind).split(" ")[0],
          unit: behind < 1 ? "s" : duration(behind).split(" ").slice(1).join(" "),
          more:
            lastPacket === 0
              ? "no packet yet"
              : `last packet ${duration(summary.now - lastPacket)} ago`,
        },
  ];
  keyed(
    byId("figures"),
    figures,
    (figure) => figure.name,
    () => make("div", { class: "figure" }),
    (element, figure) => {
      say(part(element, "dt", "figure-name"), figure.name);
      const value = part(element, "dd", "figure-value");
      say(part(value, "span", "figure-number"), figure.value);
      say(part(value, "span", "figure-unit"), figure.unit);
      say(part(element, "dd", "figure-more"), figure.more);
    },
  );
}

const MODE_NOTES = {
  observe: "observe: nobody is banned",
  propose: "propose: you approve",
  enforce: "all in the policy",
};

/**
 * Per second in the last minute, in the busiest step, and the hour's sum.
 * @param {Series[]} series
 * @param {Summary} summary
 * @returns {[string, string, number]}
 */
function hourOf(series, summary) {
  const length = series[0]?.packets.length ?? 0;
  const steps = Array.from({ length }, (_, index) =>
    series.reduce((total, one) => total + (one.packets[index] ?? 0), 0),
  );
  const now = series.reduce((total, one) => total + lately(one.packets, summary), 0);
  const peak = Math.max(...steps.map((packets) => packets / summary.history.step), now);
  return [rate(now), rate(peak), sum(steps)];
}

/** How many report, of how many there are. @param {Summary} summary */
function reporting(summary) {
  const { reporting = 0, silent = 0 } = summary.node_states;
  const oldest = summary.nodes.find((node) => node.state !== "gone")?.age;
  if (silent > 0) {
    const unit = `of ${count(reporting + silent)}`;
    return { value: count(reporting), unit, more: `${count(silent)} fell silent` };
  }
  const known = oldest !== undefined && oldest !== null;
  const more = known ? `oldest report ${duration(oldest)} ago` : "no report yet";
  return { value: count(reporting), unit: "", more };
}
