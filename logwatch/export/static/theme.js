// Sets the chosen theme before the first paint. A plain script in the head, since modules come later.
(() => {
  try {
    const chosen = localStorage.getItem("logwatch-theme");
    if (chosen === "light" || chosen === "dark") {
      document.documentElement.dataset.theme = chosen;
    }
  } catch {
    // Storage is forbidden: the browser's own preference holds.
  }
})();
