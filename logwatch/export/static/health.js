// The first answer a person wants: is what I see all there is, and if not, what is wrong.

import { byId, keyed, make, mark, part, say, tell } from "./dom.js";
import { counted, duration } from "./format.js";

const TITLES = { ok: "All is well", warning: "Look at this", problem: "Something is wrong" };
const SIGNS = { ok: "✓", warning: "!", problem: "✕" };

/** @param {Summary} summary */
export function drawHealth(summary) {
  const box = byId("health");
  const { level, findings } = summary.health;
  mark(box, "data-level", level);
  const title = part(box, "p", "health-title");
  if (title.firstElementChild === null) {
    say(title, "");
  }
  const sign = part(title, "span", "sign");
  mark(sign, "aria-hidden", "true");
  say(sign, SIGNS[level]);
  say(part(title, "strong", "health-word"), TITLES[level]);
  say(part(title, "span", "health-detail"), level === "ok" ? reassurance(summary) : "");
  keyed(
    part(box, "ul", "findings"),
    findings.filter((finding) => finding.level !== "ok"),
    (finding) => `${finding.check} ${finding.what}`,
    () => make("li"),
    (element, finding) => {
      mark(element, "data-level", finding.level);
      tell(element, finding.what);
    },
  );
}

/** What "well" means here. @param {Summary} summary */
function reassurance(summary) {
  if (summary.role === "escalator") {
    return `Reports of ${counted(summary.node_states.reporting ?? 0, "node")} are there.`;
  }
  const lost = summary.lost.reduce((total, loss) => total + loss.messages, 0);
  const nothingLost = lost === 0 ? "no message lost" : `${counted(lost, "message")} lost`;
  const behind = Math.max(0, ...summary.inputs.map((input) => input.behind_bytes ?? 0));
  const upToDate = behind === 0 ? "read to the end" : "read up to a moment ago";
  return `${counted(summary.inputs.length, "log")} ${upToDate}, ${nothingLost}.`;
}

/**
 * The frame around every page: who answers, and in the tab whether all is well.
 * @param {Summary} summary
 * @param {string} title
 */
export function drawFrame(summary, title) {
  const sign = { ok: "", warning: "! ", problem: "✕ " }[summary.health.level];
  document.title = `${sign}${title} – logwatch`;
  say(byId("name"), summary.name);
  const mode = byId("mode");
  say(mode, summary.role === "escalator" ? `cluster, ${summary.mode}` : summary.mode);
  mark(mode, "title", MODES[summary.mode]);
  const up = duration(summary.now - summary.started);
  say(byId("version"), `logwatch ${summary.version}, ${summary.role}, up for ${up}`);
}

const MODES = {
  observe: "Who would be banned is shown; nobody is",
  propose: "Bans wait for somebody to approve of them",
  enforce: "Bans are put into the policy at once",
};
