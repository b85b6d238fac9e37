// Sorts and filters the tables. Without it they are complete, in the order of their packets.
const ROWS = 25; // of a long table, until somebody asks for all
const collator = new Intl.Collator("en", { numeric: true });

function value(row, column) {
  const cell = row.cells[column];
  return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
}

function compare(one, other) {
  return typeof one === "number" && typeof other === "number"
    ? one - other
    : collator.compare(one, other);
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isNumber = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const isUp = before ? before === "descending" : !isNumber;
      for (const each of heads) {
        each.removeAttribute("aria-sort");
      }
      head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
      const body = table.tBodies[0];
      const rows = [...body.rows].sort((one, other) => {
        const order = compare(value(one, column), value(other, column));
        return isUp ? order : -order;
      });
      body.append(...rows);
      table.dispatchEvent(new Event("change"));
    });
  });
}

const texts = new WeakMap();

function text(row) {
  let known = texts.get(row);
  if (known === undefined) {
    // The port stands with its protocol; times and sizes are not looked into.
    known = [...row.cells]
      .filter((cell) => !cell.matches(".number, .wide"))
      .map((cell) => cell.textContent)
      .join(" ")
      .toLowerCase();
    texts.set(row, known);
  }
  return known;
}

function long(table) {
  let all = false;
  let wanted = "";
  const more = document.createElement("button");
  more.type = "button";
  more.className = "quiet";
  more.addEventListener("click", () => {
    all = !all;
    show();
  });
  table.parentElement.after(more);

  function show() {
    let found = 0;
    const rows = table.tBodies[0].rows;
    for (const row of rows) {
      const fits = text(row).includes(wanted);
      found += fits;
      row.hidden = !fits || (!all && found > ROWS);
    }
    more.hidden = found <= ROWS;
    more.textContent = all ? `Show ${ROWS} rows` : `Show all ${found.toLocaleString("en")} rows`;
    return found;
  }

  table.addEventListener("change", show);
  show();
  return (filter) => {
    wanted = filter;
    return show();
  };
}

document.querySelectorAll("table.sortable").forEach(sortable);
const filters = [...document.querySelectorAll("table.long")].map(long);
const input = document.getElementById("filter");
const output = document.querySelector("output");
input.parentElement.hidden = false;
input.addEventListener("input", () => {
  const wanted = input.value.trim().toLowerCase();
  const found = filters.reduce((sum, filter) => sum + filter(wanted), 0);
  output.textContent = wanted ? `${found.toLocaleString("en")} rows` : "";
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    input.focus();
  }
});

const chart = document.querySelector(".chart");
if (chart) {
  chart.scrollLeft = chart.scrollWidth; // a narrow screen sees the latest first
}
