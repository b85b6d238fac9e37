// Denied packets a second over the last hour, a layer for each policy; the legend hides and shows them.

import { Chart } from "./chart.js";
import { byId, keyed, make, mark, part, say } from "./dom.js";
import { count, duration, rate } from "./format.js";
import { colour, colourNumber, onColours } from "./palette.js";
import { sum } from "./sparkline.js";

/** More layers than this can't be told apart: the smaller ones are drawn as one. */
const MOST = 6;

const MINUTE = 60;
const HOUR = 3600;

/** Seconds that are drawn as long as no more is known. */
const SHORT = 600;

/** @typedef {{ name: string, colour: string, packets: (number | null)[], line: boolean, sum: number }} Policy */

export class History {
  constructor() {
    const root = byId("history");
    this.legend = make("ul", { class: "legend", "aria-label": "Policies: press to hide or show" });
    this.empty = make("p", { class: "empty" });
    this.chart = new Chart(root, "Denied packets per second over the last hour", {
      unit: "per second",
    });
    root.append(this.empty, this.legend);
    /** @type {Set<string>} */
    this.hidden = new Set();
    /** @type {Summary | null} */
    this.summary = null;
    onColours(() => this.#draw());
  }

  /** @param {Summary} summary */
  show(summary) {
    this.summary = summary;
    this.#draw();
  }

  #draw() {
    const { summary } = this;
    if (summary === null) {
      return;
    }
    const { history } = summary;
    const policies = layered(history.series);
    const length = policies[0]?.packets.length ?? 0;
    const short = Math.min(length, SHORT / history.step);
    const isShort = policies.every((policy) => isUnknown(policy.packets.slice(0, -short)));
    const first = isShort ? length - short : 0;
    const nothing = policies.every((policy) => policy.sum === 0);
    this.chart.box.hidden = nothing;
    this.legend.hidden = nothing;
    this.empty.hidden = !nothing;
    say(this.empty, nothing ? emptiness(summary) : "");
    say(byId("history-span"), `the last ${isShort && !nothing ? "10 minutes" : "hour"}, by policy`);
    const shown = policies.filter((policy) => !this.hidden.has(policy.name));
    this.chart.show(
      history.start + first * history.step,
      history.step,
      shown.map((policy) => ({
        label: policy.name,
        colour: policy.colour,
        line: policy.line,
        values: policy.packets
          .slice(first)
          .map((value) => (value === null ? null : value / history.step)),
      })),
    );
    keyed(
      this.legend,
      policies,
      (policy) => policy.name,
      () => this.#entry(),
      (element, policy) => {
        const button = /** @type {HTMLElement} */ (element.firstElementChild);
        const swatch = part(button, "span", "swatch");
        swatch.style.setProperty("--swatch", colour(policy.colour));
        swatch.classList.toggle("dashed", policy.line);
        say(part(button, "span", "legend-name"), policy.name);
        say(part(button, "span", "legend-value"), `${rate(lately(policy.packets, summary))}/s`);
        mark(button, "aria-pressed", String(!this.hidden.has(policy.name)));
        mark(button, "title", `${count(policy.sum)} packets in the last hour`);
      },
    );
  }

  #entry() {
    const button = make("button", { type: "button", class: "legend-entry" });
    const entry = make("li", {}, button);
    button.addEventListener("click", () => {
      const name = entry.dataset.key ?? "";
      if (!this.hidden.delete(name)) {
        this.hidden.add(name);
      }
      this.#draw();
    });
    return entry;
  }
}

/** What was before the start is not known. @param {Summary} summary */
function emptiness(summary) {
  const up = summary.now - summary.started;
  return up < HOUR
    ? `No packet was denied since the start, ${duration(up)} ago.`
    : "No packet was denied in the last hour.";
}

/**
 * Packets a second of the last minute, as far as it is known, and of the step that runs.
 * @param {(number | null)[]} packets
 * @param {Summary} summary
 */
export function lately(packets, summary) {
  const { start, step } = summary.history;
  const last = packets.slice(-(MINUTE / step) - 1);
  const whole = last.slice(0, -1).filter((value) => value !== null).length;
  const running = summary.now - start - (packets.length - 1) * step;
  return sum(last) / Math.max(1, whole * step + running);
}

/** @param {(number | null)[]} packets */
function isUnknown(packets) {
  return packets.every((value) => value === null);
}

/**
 * The policies that are drawn, the largest at the bottom.
 * @param {Series[]} series
 * @returns {Policy[]}
 */
function layered(series) {
  const policies = series
    .map((one) => policy(one.action === "logged" ? `${one.policy} (only logged)` : one.policy, one))
    .sort((one, other) => Number(one.line) - Number(other.line) || other.sum - one.sum);
  if (policies.length <= MOST) {
    return policies;
  }
  const denied = policies.filter((one) => !one.line);
  const rest = denied.slice(MOST - 1);
  const kept = [...denied.slice(0, MOST - 1), ...policies.filter((one) => one.line).slice(0, 1)];
  return rest.length > 0 ? [...kept, together(rest)] : kept;
}

/**
 * @param {string} name
 * @param {Series} series
 * @returns {Policy}
 */
function policy(name, series) {
  const { action, packets } = series;
  const tint = `--series-${colourNumber(name)}`;
  return { name, line: action === "logged", sum: sum(packets), packets, colour: tint };
}

/** @param {Policy[]} rest @returns {Policy} */
function together(rest) {
  const packets = rest[0].packets.map((_, index) => {
    const values = rest.map((one) => one.packets[index]);
    return values.every((value) => value === null)
      ? null
      : values.reduce((total, value) => (total ?? 0) + (value ?? 0), 0);
  });
  const sum = rest.reduce((total, one) => total + one.sum, 0);
  return { name: `${rest.length} others`, line: false, sum, packets, colour: "--series-rest" };
}
