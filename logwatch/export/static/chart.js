// A chart over time: stacked steps, or bars. uPlot draws; this file stacks, names and reads out.

import uPlot from "./vendor/uPlot.esm.js";
import { make, mark } from "./dom.js";
import { clock, count, hour, rate, utc } from "./format.js";
import { colour, onColours } from "./palette.js";

/**
 * `values` are null where nothing is known. `line` ones are drawn dashed, and not stacked.
 * @typedef {{ label: string, colour: string, values: (number | null)[], line?: boolean }} Layer
 */

const HEIGHT = 220;
const NARROW = 480;

export class Chart {
  /**
   * @param {Element} root
   * @param {string} label what it shows, with the unit
   * @param {{ bars?: boolean, height?: number, unit: string }} options
   */
  constructor(root, label, options) {
    this.options = options;
    this.label = label;
    this.box = make("div", {
      class: "chart",
      tabindex: "0",
      role: "slider",
      "aria-label": label,
      "aria-orientation": "horizontal",
      "aria-valuemin": "0",
      "aria-valuemax": "0",
      "aria-valuenow": "0",
    });
    this.tip = make("div", { class: "tip", "aria-hidden": "true" });
    this.tip.hidden = true;
    /** @type {uPlot | null} */
    this.plot = null;
    /** @type {Layer[]} */
    this.layers = [];
    /** @type {number[]} */
    this.times = [];
    this.drawn = "";
    root.append(this.box);
    this.box.append(this.tip);
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => this.#pointAt(null));
    new ResizeObserver(() => this.#fit()).observe(this.box);
    this.left = new AbortController();
    onColours(() => this.#build(), this.left.signal);
  }

  /**
   * @param {number} start
   * @param {number} step
   * @param {Layer[]} layers
   */
  show(start, step, layers) {
    const length = layers[0]?.values.length ?? 0;
    this.step = step;
    this.times = Array.from({ length }, (_, index) => start + index * step);
    this.layers = layers;
    mark(this.box, "aria-valuemax", String(Math.max(0, length - 1)));
    const shape = layers.map((layer) => `${layer.label} ${layer.colour} ${layer.line}`).join("\n");
    if (shape !== this.drawn || this.plot === null) {
      this.drawn = shape;
      this.#build();
    } else {
      this.plot.setData(this.#data());
    }
    if (this.plot?.cursor.idx === undefined || this.plot.cursor.idx === null) {
      this.#readOut(length - 1);
    }
  }

  /** Let go of it: its page is left. */
  end() {
    this.left.abort();
    this.plot?.destroy();
  }

  /**
   * Times, then the layers, each on top of those before it. A step ends where the next one begins:
   * without the moment at which it ends the last one would not be drawn.
   */
  #data() {
    const base = this.times.map(() => 0);
    const rows = this.layers.map((layer) => {
      if (layer.line) {
        return layer.values;
      }
      return layer.values.map((value, index) => {
        if (value === null) {
          return null;
        }
        base[index] += value;
        return base[index];
      });
    });
    if (this.options.bars) {
      return /** @type {uPlot.AlignedData} */ ([this.times, ...rows]);
    }
    const ended = rows.map((row) => [...row, ...row.slice(-1)]);
    return /** @type {uPlot.AlignedData} */ ([[...this.times, this.#span()[1]], ...ended]);
  }

  #build() {
    this.plot?.destroy();
    this.plot = null;
    if (this.layers.length === 0 || this.box.clientWidth === 0) {
      return;
    }
    const text = colour("--muted");
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: text, grid, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const paths = this.options.bars
      ? uPlot.paths.bars?.({ size: [0.8, 40], align: 1 })
      : uPlot.paths.stepped?.({ align: 1 });
    this.plot = new uPlot(
      {
        width: this.box.clientWidth,
        height: this.options.height ?? HEIGHT,
        padding: [10, 18, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
        scales: {
          x: { time: true, range: () => this.#span() },
          y: { range: (_, __, most) => [0, top(most)] },
        },
        axes: [
          {
            ...axis,
            size: 26,
            space: this.box.clientWidth < NARROW ? 70 : 90,
            splits: (_, __, from, to, step) => multiples(from, to, step),
            values: (_, ticks) => ticks.map((tick) => hour(tick)),
          },
          { ...axis, size: 48, space: 36, values: (_, ticks) => ticks.map((tick) => count(tick)) },
        ],
        series: [{}, ...this.layers.map((layer) => this.#series(layer, paths))],
        bands: this.#bands(),
        hooks: { setCursor: [(plot) => this.#cursor(plot)] },
      },
      this.#data(),
      this.box,
    );
  }

  #span() {
    const last = this.times[this.times.length - 1] ?? 0;
    return /** @type {[number, number]} */ ([this.times[0] ?? 0, last + (this.step ?? 0)]);
  }

  /**
   * @param {Layer} layer
   * @param {uPlot.Series.PathBuilder | undefined} paths
   */
  #series(layer, paths) {
    const stroke = colour(layer.colour);
    const shared = { stroke, paths, points: { show: false }, label: layer.label };
    return layer.line
      ? { ...shared, width: 1.5, dash: [4, 3] }
      : { ...shared, width: 0, fill: `${stroke}e0` };
  }

  /** Each stacked layer is filled down to the one below it. */
  #bands() {
    const stacked = this.layers.flatMap((layer, index) => (layer.line ? [] : [index + 1]));
    return stacked.slice(1).map((upper, index) => ({
      series: /** @type {[number, number]} */ ([upper, stacked[index]]),
    }));
  }

  #fit() {
    const width = this.box.clientWidth;
    if (this.plot === null || width === 0) {
      this.#build();
    } else if (width !== this.plot.width) {
      this.plot.setSize({ width, height: this.options.height ?? HEIGHT });
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.times.length - 1;
    const at = this.plot?.cursor.idx ?? last;
    const steps = {
      ArrowLeft: -1,
      ArrowDown: -1,
      ArrowRight: 1,
      ArrowUp: 1,
      PageDown: -30,
      PageUp: 30,
    };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    const to = event.key === "Home" ? 0 : event.key === "End" ? last : step && at + step;
    if (to !== undefined) {
      event.preventDefault();
      this.#pointAt(Math.min(last, Math.max(0, to)));
    } else if (event.key === "Escape") {
      this.#pointAt(null);
    }
  }

  /** @param {number | null} index */
  #pointAt(index) {
    const plot = this.plot;
    if (plot === null) {
      return;
    }
    const middle =
      index === null ? -10 : plot.valToPos(this.times[index] + (this.step ?? 0) / 2, "x");
    plot.setCursor({ left: middle, top: index === null ? -10 : 20 });
  }

  /** @param {uPlot} plot */
  #cursor(plot) {
    const left = plot.cursor.left ?? -1;
    if (left < 0) {
      this.tip.hidden = true;
      return;
    }
    // The step that the pointer is in: uPlot's own index is the nearest beginning of a step.
    const step = this.step ?? 1;
    const index = Math.floor((plot.posToVal(left, "x") - this.times[0]) / step);
    const at = Math.min(this.times.length - 1, Math.max(0, index));
    this.#readOut(at);
    this.#drawTip(at);
    this.tip.hidden = false;
    const area = plot.over.getBoundingClientRect();
    const box = this.box.getBoundingClientRect();
    const place = area.left - box.left + left;
    const right = place + 14 + this.tip.offsetWidth > box.width;
    const x = right ? Math.max(0, place - 14 - this.tip.offsetWidth) : place + 14;
    this.tip.style.transform = `translate(${Math.round(x)}px, 8px)`;
  }

  /** @param {number} index */
  #drawTip(index) {
    const known = this.layers.filter((layer) => layer.values[index] !== null);
    const rows = [...known].reverse().map((layer) => {
      const swatch = make("span", { class: layer.line ? "swatch dashed" : "swatch" });
      swatch.style.setProperty("--swatch", colour(layer.colour));
      return make(
        "li",
        {},
        swatch,
        make("span", { class: "tip-label" }, layer.label),
        make("span", { class: "tip-value" }, rate(layer.values[index])),
      );
    });
    const stacked = known.filter((layer) => !layer.line);
    if (known.length === 0) {
      rows.push(make("li", {}, "not running"));
    } else if (stacked.length > 1) {
      const all = stacked.reduce((total, layer) => total + (layer.values[index] ?? 0), 0);
      rows.push(
        make(
          "li",
          { class: "tip-total" },
          make("span", { class: "tip-label" }, "together"),
          make("span", { class: "tip-value" }, rate(all)),
        ),
      );
    }
    const time = this.times[index];
    this.tip.replaceChildren(
      make(
        "p",
        { class: "tip-time" },
        clock(time, time),
        make("span", { class: "note" }, utc(time)),
      ),
      make("ul", {}, ...rows),
    );
  }

  /** @param {number} index */
  #readOut(index) {
    const time = this.times[index];
    if (time === undefined) {
      return;
    }
    const values = this.layers
      .filter((layer) => layer.values[index] !== null)
      .map((layer) => `${layer.label} ${rate(layer.values[index])}`);
    mark(this.box, "aria-valuenow", String(index));
    const what = values.length > 0 ? `${values.join(", ")} ${this.options.unit}` : "not running";
    mark(this.box, "aria-valuetext", `${clock(time, time)}: ${what}`);
  }
}

/**
 * Full five or ten minutes, also when the first step begins at a fraction of a second.
 * @param {number} from
 * @param {number} to
 * @param {number} step
 */
function multiples(from, to, step) {
  const first = Math.ceil(from / step);
  const length = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length }, (_, index) => (first + index) * step);
}

/** Where the axis ends: above the highest value, and never at nothing. @param {number | null} most */
function top(most) {
  return most === null || most <= 0 ? 1 : most * 1.08;
}
