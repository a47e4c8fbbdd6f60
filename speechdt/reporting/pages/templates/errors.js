// Shows the cards that match the filters, a few at a time; the address remembers the filters.
(() => {
  "use strict";
  const form = document.querySelector("form.filters");
  const STEP = Number(form.dataset.step);
  const cards = [...document.querySelectorAll(".card")];
  const count = document.getElementById("count");
  const more = document.querySelector(".more");
  let shown = STEP;

  const matches = (card, wanted) => {
    const wrong = JSON.parse(card.dataset.wrong);
    const variant = wanted.get("variant");
    if (variant === "(all)" && wrong.length < Number(form.dataset.variants)) return false;
    if (variant === "(one)" && wrong.length !== 1) return false;
    if (variant && !variant.startsWith("(") && !wrong.includes(variant)) return false;
    for (const name of ["error", "snr", "duration", "category"]) {
      if (wanted.get(name) && wanted.get(name) !== card.dataset[name]) return false;
    }
    return card.dataset.words.includes(wanted.get("text").trim().toLowerCase());
  };
  const show = () => {
    const wanted = new FormData(form);
    const matching = cards.filter((card) => matches(card, wanted));
    const visible = new Set(matching.slice(0, shown));
    for (const card of cards) card.hidden = !visible.has(card);
    count.textContent = `${visible.size} of ${matching.length} that match; ${cards.length} in all`;
    more.hidden = visible.size === matching.length;
  };
  const remember = () => {
    const set = [...new FormData(form)].filter(([, value]) => value);
    const hash = new URLSearchParams(set).toString();
    history.replaceState(null, "", `#${hash || "gallery"}`);
  };
  const recall = () => {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) return show();
    const wanted = new URLSearchParams(hash);
    for (const field of form.elements) {
      if (field.name) field.value = wanted.get(field.name) ?? "";
    }
    shown = STEP;
    show();
    document.getElementById("gallery").scrollIntoView();
  };
  form.addEventListener("input", () => { shown = STEP; show(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { shown = STEP; show(); remember(); }));
  more.addEventListener("click", () => { shown += STEP; show(); });
  window.addEventListener("hashchange", recall);
  recall();
})();
