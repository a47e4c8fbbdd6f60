// Marks bad recordings, by hand or key, keeps the marks in the browser, and saves them as CSV.
(() => {
  "use strict";
  const COLUMNS = ["source_id", "what", "kind", "name", "label", "category"];
  const cards = [...document.querySelectorAll(".card")];
  const boxes = [...document.querySelectorAll("input[data-what]")];
  const save = document.getElementById("save");
  const count = document.getElementById("count");
  const show = document.getElementById("show");
  const shelf = `speechdt inspect ${document.body.dataset.run}`;
  let here = null;

  const cardOf = (element) => element.closest(".card");
  const keyOf = (box) => `${cardOf(box).dataset.kind} ${cardOf(box).dataset.name} ${box.dataset.what}`;

  // A browser may forbid pages from the file system to keep anything: then marks last till it closes.
  const recall = () => {
    try {
      return new Set(JSON.parse(localStorage.getItem(shelf) ?? "[]"));
    } catch {
      return new Set();
    }
  };
  const keep = (marked) => {
    try {
      localStorage.setItem(shelf, JSON.stringify(marked.map(keyOf)));
    } catch {
      /* see above */
    }
  };

  const update = () => {
    const marked = boxes.filter((box) => box.checked);
    for (const card of cards) card.classList.toggle("bad", !!card.querySelector("input:checked"));
    save.disabled = marked.length === 0;
    count.textContent = marked.length ? `${marked.length} marked` : "nothing marked";
    keep(marked);
  };

  const row = (box) => {
    const card = cardOf(box).dataset;
    const what = box.dataset.what;
    const source = what === "background" ? card.background : card.source;
    return [source, what, card.kind, card.name, card.label, card.category];
  };
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const download = () => {
    const rows = [COLUMNS, ...boxes.filter((box) => box.checked).map(row)];
    const csv = rows.map((cells) => cells.map(quoted).join(",") + "\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = "marks.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const visible = () => cards.filter((card) => !card.closest("section").hidden);
  const go = (card) => {
    if (!card) return;
    here?.classList.remove("here");
    here = card;
    here.classList.add("here");
    here.querySelector(".clip").focus({ preventScroll: true });
    here.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const all = visible();
    const at = all.indexOf(here);
    go(at < 0 ? all[0] : all[at + by]);
  };
  const toggle = (what) => {
    const box = here?.querySelector(`input[data-what="${what}"]`);
    if (!box) return;
    box.checked = !box.checked;
    update();
  };

  const keys = {
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    " ": () => (here ? here.querySelector(".clip").click() : step(1)),
    x: () => toggle("recording"),
    b: () => toggle("background"),
    s: () => save.disabled || download(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("select, input");
    if (event.ctrlKey || event.metaKey || event.altKey || typing || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("focusin", (event) => {
    const card = cardOf(event.target);
    if (!card || card === here) return;
    here?.classList.remove("here");
    here = card;
    here.classList.add("here");
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[data-what]")) {
      update();
      // So that keys go on working.
      cardOf(event.target).querySelector(".clip").focus({ preventScroll: true });
    }
  });
  show.addEventListener("change", () => {
    for (const section of document.querySelectorAll("section")) {
      section.hidden = show.value !== "" && section.id !== show.value;
    }
    show.blur();
    here?.classList.remove("here");
    here = null;
    scrollTo(0, 0);
  });
  save.addEventListener("click", download);

  const recalled = recall();
  for (const box of boxes) box.checked = recalled.has(keyOf(box));
  update();
})();
