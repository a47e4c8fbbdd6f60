// Charts in place of images, and the toggles that choose the detectors which all of them show.
(() => {
  "use strict";
  const store = document.getElementById("charts");
  if (!store || typeof vegaEmbed !== "function") return;
  const specs = JSON.parse(store.textContent);
  const form = document.querySelector("form.toggles");
  const boxes = [...form.elements].filter((field) => field.name === "variant");
  const views = [];
  const shown = () => boxes.filter((box) => box.checked).map((box) => box.value);

  const ERRORS = 1; // of the log levels of Vega, its lowest but silence
  const [COLUMN, AXIS, GAP] = [185, 60, 20]; // of a panel, the axis at the left, between two; in pixels
  const inRows = (spec, width) => {
    const most = Math.max(2, Math.floor((width - AXIS) / COLUMN));
    const rows = Math.ceil(boxes.length / most);
    spec.columns = Math.ceil(boxes.length / rows);
    spec.spec.width = Math.min(220, Math.floor((width - AXIS) / spec.columns) - GAP);
  };
  const embed = async (place) => {
    const spec = specs[place.dataset.chart];
    place.hidden = false;
    if (spec.facet) inRows(spec, place.clientWidth);
    spec.params[0].value = shown();
    const figure = place.parentElement;
    try {
      // Layers of bands are empty while many are shown: that is no cause for a warning.
      const { view } = await vegaEmbed(place, spec, { renderer: "svg", actions: false, logLevel: ERRORS });
      for (const still of figure.querySelectorAll(".still")) still.hidden = true;
      figure.querySelector(".of-chart").hidden = false;
      views.push({ view, place, panels: Boolean(spec.facet) });
      place.dataset.drawn = "yes";
    } catch (reason) {
      place.hidden = true;
      console.error(reason);
    }
  };
  const update = () => {
    const names = shown();
    for (const { view, place, panels } of views) {
      // No panel at all is nothing that Vega could lay out.
      place.hidden = panels && !names.length;
      if (!place.hidden) view.signal("shown", names).runAsync();
    }
  };
  form.addEventListener("change", update);
  form.addEventListener("click", (event) => {
    if (event.target.name !== "all" && event.target.name !== "none") return;
    for (const box of boxes) box.checked = event.target.name === "all";
    update();
  });
  form.hidden = false;
  const drawing = [...document.querySelectorAll(".chart")].map(embed);
  Promise.all(drawing).then(() => {
    document.documentElement.dataset.charts = views.length;
    update(); // what was toggled meanwhile
  });
})();
