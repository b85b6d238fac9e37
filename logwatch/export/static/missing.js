// Says so when a file of the page did not come. A plain script, since modules are what may be missing.
(() => {
  const tell = () => {
    const banner = document.getElementById("stale");
    if (banner !== null) {
      banner.textContent =
        "A file of this page did not come, and without it nothing is shown: load the page anew. If that does not help, see what stops scripts on the way from the server.";
      banner.hidden = false;
    }
  };
  const failed = (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLScriptElement) {
      if (document.readyState === "loading") {
        addEventListener("DOMContentLoaded", tell);
      } else {
        tell();
      }
    }
  };
  addEventListener("error", failed, true); // it does not bubble
})();
