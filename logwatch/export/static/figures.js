// The few numbers that are read from across the room.

import { byId, keyed, make, part, say } from "./dom.js";
import { count, duration, rate } from "./format.js";

/** @param {Summary} summary */
export function drawFigures(summary) {
  const { decided, enforced } = summary.networks;
  const series = summary.history.series.filter((one) => one.action === "denied");
  const [now, peak, hour] = hourOf(series, summary.history.step);
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
      more:
        decided > enforced
          ? `${count(decided - enforced)} not in the policy`
          : MODE_NOTES[summary.mode],
    },
    summary.role === "escalator"
      ? { name: "Nodes", value: count(summary.nodes.length), unit: "", more: oldest(summary) }
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
  observe: "mode observe: nothing is banned",
  propose: "mode propose: you approve",
  enforce: "all in the policy",
};

/**
 * Per second in the last whole minute, in the busiest step, and the hour's sum.
 * @param {Series[]} series
 * @param {number} step
 * @returns {[string, string, number]}
 */
function hourOf(series, step) {
  const length = series[0]?.packets.length ?? 0;
  const steps = Array.from({ length }, (_, index) =>
    series.reduce((total, one) => total + (one.packets[index] ?? 0), 0),
  );
  const total = steps.reduce((sum, packets) => sum + packets, 0);
  const minute = steps.slice(-Math.round(60 / step));
  const now = minute.reduce((sum, packets) => sum + packets, 0) / Math.max(1, minute.length * step);
  return [rate(now), rate(Math.max(0, ...steps) / step), total];
}

/** @param {Summary} summary */
function oldest(summary) {
  const ages = summary.nodes.flatMap((node) => (node.age === null ? [] : [node.age]));
  return ages.length === 0 ? "no report yet" : `oldest report ${duration(Math.max(...ages))} ago`;
}
