// Tables: a click on a heading sorts by it.
(() => {
  "use strict";
  const words = ["<", ">", "undefined", "–", ""];
  const value = (row, column) => {
    const cell = row.cells[column];
    // The figure alone: not its interval, nor what a mark says.
    const own = [...cell.childNodes].filter((node) => !node.classList?.contains("interval"));
    return own.map((node) => node.textContent).join("").trim();
  };
  const number = (text) => {
    const plain = text.replaceAll("−", "-").replaceAll(",", "").replace(/^reached: /, "");
    if (plain.startsWith("<")) return -Infinity;
    if (plain.startsWith(">")) return Infinity;
    return /^[+-]?[\d.]/.test(plain) ? Number.parseFloat(plain) : Number.NaN;
  };
  const compare = (a, b) => {
    const [one, other] = [number(a), number(b)];
    if (!Number.isNaN(one) && !Number.isNaN(other)) return one < other ? -1 : one > other ? 1 : 0;
    if (Number.isNaN(one) !== Number.isNaN(other)) return Number.isNaN(one) ? 1 : -1;
    return words.includes(a) === words.includes(b) ? a.localeCompare(b, "en", { numeric: true }) : 1;
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") !== "descending";
        // Names from A on, numbers from the largest down.
        const first = heading.classList.contains("number") ? "descending" : "ascending";
        const now = heading.getAttribute("aria-sort");
        const order = now === null ? first : down ? "descending" : "ascending";
        headings.forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", order);
        const sign = order === "ascending" ? 1 : -1;
        const rows = [...table.tBodies[0].rows].map((row) => [value(row, column), row]);
        rows.sort(([a], [b]) => {
          const unknown = Number.isNaN(number(a)) && !Number.isNaN(number(b));
          const otherUnknown = !Number.isNaN(number(a)) && Number.isNaN(number(b));
          // What is no number stays below, whichever way one sorts.
          return unknown || otherUnknown ? compare(a, b) : sign * compare(a, b);
        });
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }
})();
