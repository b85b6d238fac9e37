// Joins the parts of the page: asks, draws, and follows the address bar.

import { themeButton } from "./appearance.js";
import { Blacklist, Offenders } from "./bans.js";
import { byId, mark, say } from "./dom.js";
import { drawFigures } from "./figures.js";
import { Freshness } from "./freshness.js";
import { drawFrame, drawHealth } from "./health.js";
import { History } from "./history.js";
import { Poller, Refusal } from "./poll.js";
import { drawInterfaces, Nodes, Reading } from "./reading.js";
import { isAddress, route, sourceLink } from "./route.js";
import { SourcePage } from "./source.js";
import { Ports, Sources } from "./sources.js";

const TYPING_SECONDS = 0.2;

const fresh = new Freshness();
const history = new History();
const sources = new Sources(() => overview.ask());
const ports = new Ports(() => overview.ask());
const blacklist = new Blacklist(() => overview.ask());
const offenders = new Offenders();
const reading = new Reading();
const nodes = new Nodes();
const search = /** @type {HTMLInputElement} */ (byId("query"));

/** @type {SourcePage | null} */
let page = null;
let paused = false;
/** By how many seconds the server's clock is ahead of the browser's. @type {number | null} */
let ahead = null;
/** What was last answered of the source that is shown. @type {SourceDetail | null} */
let known = null;

const overview = new Poller(overviewUrl, drawOverview, (error) => fresh.fail(error));
const detail = new Poller(
  () => `/api/sources/${encodeURIComponent(route() ?? "")}`,
  (answer) => {
    fresh.succeed();
    known = answer;
    drawDetail();
  },
  (error) => {
    if (error instanceof Refusal && (error.status === 404 || error.status === 400)) {
      fresh.succeed();
      known = null;
      page?.refuse(error.message);
    } else {
      fresh.fail(error);
    }
  },
);

function overviewUrl() {
  if (route() !== null) {
    return "/api/summary?top=1"; // for the frame alone
  }
  // One more than is shown tells whether there are more.
  const top = Math.max(...[sources, ports, blacklist].map((part) => part.table.limit)) + 1;
  const asked = new URLSearchParams({ top: String(top), sort: sources.order });
  if (search.value.trim()) {
    asked.set("query", search.value.trim());
  }
  return `/api/summary?${asked}`;
}

/** @param {Summary} summary */
function drawOverview(summary) {
  ahead = summary.now - Date.now() / 1000;
  const address = route();
  drawFrame(summary, address ?? summary.name);
  if (address !== null) {
    drawDetail();
    return;
  }
  const query = search.value.trim();
  fresh.succeed();
  drawHealth(summary);
  drawFigures(summary);
  history.show(summary);
  sources.show(summary, query);
  ports.show(summary, query);
  blacklist.show(summary, query);
  offenders.show(summary);
  reading.show(summary);
  drawInterfaces(summary);
  nodes.show(summary);
}

/** Ages are told by the server's clock: not before it is known. */
function drawDetail() {
  if (page !== null && known !== null && ahead !== null) {
    page.show(known, Date.now() / 1000 + ahead);
  }
}

function follow() {
  const address = route();
  byId("overview").hidden = address !== null;
  byId("source").hidden = address === null;
  page?.end();
  known = null;
  page = address === null ? null : new SourcePage(address);
  if (page !== null) {
    scrollTo(0, 0);
    page.title.focus({ preventScroll: true });
  }
  run();
}

/** Ask for what is shown, at once, and then as often as the reader lets it. */
function run() {
  for (const poller of [overview, detail]) {
    const needed = poller === overview || page !== null;
    if (paused || !needed) {
      poller.stop();
    } else {
      poller.start();
    }
    if (paused && needed) {
      poller.ask();
    }
  }
}

function pauseButton() {
  const button = byId("pause");
  button.addEventListener("click", () => {
    paused = !paused;
    fresh.paused = paused;
    mark(button, "aria-pressed", String(paused));
    say(button, paused ? "Resume" : "Pause");
    if (paused) {
      overview.stop();
      detail.stop();
    } else {
      run();
    }
    fresh.draw();
  });
}

function searchField() {
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => overview.ask(), TYPING_SECONDS * 1000);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = search.value.trim();
    if (isAddress(text)) {
      search.value = "";
      location.hash = sourceLink(text);
    } else {
      location.hash = "#/";
      overview.ask();
    }
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && search.value) {
      event.preventDefault();
      search.value = "";
      overview.ask();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });
}

function skipLink() {
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
}

themeButton();
pauseButton();
searchField();
skipLink();
addEventListener("hashchange", follow);
follow();
