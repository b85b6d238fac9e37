// Numbers and times as a person reads them. Unknown is a dash.

const NUMBER = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const MINUTE = 60;
const HOUR = 3600;
const DAY_SECONDS = 86_400;
const UNKNOWN = "–";

/** @param {number | null | undefined} value */
export function count(value) {
  return value === null || value === undefined ? UNKNOWN : NUMBER.format(value);
}

/**
 * A number with its word: 1 packet, 2 packets.
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Packets a second: a decimal as long as it says something. @param {number | null} value */
export function rate(value) {
  if (value === null) {
    return UNKNOWN;
  }
  return value > 0 && value < 10 ? value.toFixed(1) : count(Math.round(value));
}

/** @param {number} value */
export function bytes(value) {
  let left = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (left < 1024) {
      return `${unit === "B" || left >= 100 ? Math.round(left) : left.toFixed(1)} ${unit}`;
    }
    left /= 1024;
  }
  return `${left.toFixed(1)} TiB`;
}

/**
 * How long: 5 s, 12 min, 2 h 5 min, 3 d 4 h.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 2 * MINUTE) {
    return `${whole} s`;
  }
  if (whole < HOUR) {
    return `${Math.floor(whole / MINUTE)} min`;
  }
  return whole < DAY_SECONDS
    ? both(whole, HOUR, "h", MINUTE, "min")
    : both(whole, DAY_SECONDS, "d", HOUR, "h");
}

/**
 * @param {number} value
 * @param {number} large
 * @param {string} largeUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function both(value, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((value % large) / small);
  return `${Math.floor(value / large)} ${largeUnit}${rest > 0 ? ` ${rest} ${smallUnit}` : ""}`;
}

/** How long, in one unit: for what is over. @param {number} seconds */
export function roughly(seconds) {
  return duration(seconds).split(" ").slice(0, 2).join(" ");
}

/** A window of a rule: 60 is "1 min". @param {number} seconds */
export function period(seconds) {
  return seconds % MINUTE === 0 && seconds < HOUR ? `${seconds / MINUTE} min` : duration(seconds);
}

/** Local time; the day too when it is another one. @param {number} seconds @param {number} now */
export function clock(seconds, now) {
  const date = new Date(seconds * 1000);
  const time = CLOCK.format(date);
  const same = date.toDateString() === new Date(now * 1000).toDateString();
  return same ? time : `${DAY.format(date)} ${time}`;
}

/** Both clocks, for a tooltip. @param {number} seconds */
export function moment(seconds) {
  const date = new Date(seconds * 1000);
  const day = date.toISOString().slice(0, 10);
  return `${DAY.format(date)} ${CLOCK.format(date)} here, ${day} ${utc(seconds)}`;
}

/** Local hour and minute, of a moment that is meant to be a whole one. @param {number} seconds */
export function hour(seconds) {
  return CLOCK.format(new Date(Math.round(seconds) * 1000)).slice(0, 5);
}

/** The time of day in UTC. @param {number} seconds */
export function utc(seconds) {
  return `${new Date(seconds * 1000).toISOString().slice(11, 19)} UTC`;
}

/** @param {{ protocol: string | null, port: number | null }} port */
export function portName(port) {
  const known = [port.port, port.protocol].filter((part) => part !== null);
  return known.join("/") || "unknown";
}
