// Denied packets a second over the last hour, a layer for each policy; the legend hides and shows them.

import { Chart } from "./chart.js";
import { byId, keyed, make, mark, part, say } from "./dom.js";
import { count, rate } from "./format.js";
import { colour, colourNumber, onColours } from "./palette.js";
import { sum } from "./sparkline.js";

/** More layers than this can't be told apart: the smaller ones are drawn as one. */
const MOST = 6;

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
    if (this.summary === null) {
      return;
    }
    const { history } = this.summary;
    const policies = layered(history.series);
    const nothing = policies.every((policy) => policy.sum === 0);
    this.chart.box.hidden = nothing;
    this.legend.hidden = nothing;
    this.empty.hidden = !nothing;
    say(this.empty, nothing ? emptiness(this.summary) : "");
    const shown = policies.filter((policy) => !this.hidden.has(policy.name));
    this.chart.show(
      history.start,
      history.step,
      shown.map((policy) => ({
        label: policy.name,
        colour: policy.colour,
        line: policy.line,
        values: policy.packets.map((value) => (value === null ? null : value / history.step)),
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
        const last = policy.packets.slice(-6);
        const now = last.reduce((total, value) => (total ?? 0) + (value ?? 0), 0) ?? 0;
        say(
          part(button, "span", "legend-value"),
          `${rate(now / (last.length * history.step || 1))}/s`,
        );
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

/** Packets of the step that is running are in the tables already. @param {Summary} summary */
function emptiness(summary) {
  const begins = summary.sources.some((source) => sum(source.recent) > 0);
  return begins
    ? `The first packets are counted: the chart begins within ${summary.history.step} seconds.`
    : "No packet was denied in the last hour.";
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
  const sum = series.packets.reduce((total, value) => (total ?? 0) + (value ?? 0), 0) ?? 0;
  const line = series.action === "logged";
  return { name, line, sum, packets: series.packets, colour: `--series-${colourNumber(name)}` };
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
