// The chooser of a case, whose figures are all in the page, and the choice of a ladder's item.
(() => {
  "use strict";
  const store = document.getElementById("cases");
  const decimals = (tenThousandths, digits) => {
    const text = (tenThousandths / 10000).toFixed(digits);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  };
  const cell = (kind, text, interval) => {
    const made = document.createElement(kind);
    if (kind === "th") made.scope = "row";
    else made.className = "number";
    made.append(text);
    if (interval) {
      const small = document.createElement("span");
      small.className = "interval";
      small.append(interval);
      made.append(" ", small);
    }
    return made;
  };
  const between = (low, high, digits) =>
    low === null || high === null ? "" : `[${decimals(low, digits)}, ${decimals(high, digits)}]`;

  if (store) {
    const cases = JSON.parse(store.textContent);
    const table = document.getElementById("ranking");
    const form = document.querySelector("#chooser form");
    const named = (row) => Object.fromEntries(cases.columns.map((name, place) => [name, row[place]]));
    const line = (row) => {
      const of = named(row);
      const leads = of.difference_low === null;
      const comparison = leads ? "cheapest" : of.difference_low > 0 ? "costs more" : "not told apart";
      const made = document.createElement("tr");
      made.append(
        cell("th", cases.variants[of.variant], cases.remarks[cases.variants[of.variant]]),
        cell("td", decimals(of.cost, 3), between(of.cost_low, of.cost_high, 3)),
        cell("td", decimals(of.difference, 3), between(of.difference_low, of.difference_high, 3)),
        cell("td", comparison),
        cell("td", decimals(100 * of.hit, 1)),
        cell("td", decimals(100 * of.false_alarm, 1)),
      );
      return made;
    };
    const show = () => {
      const fields = ["snr_db", "duration_ms", "background", "false_alarm_cost"].map((name) => form.elements[name]);
      const rows = cases.rows[fields.map((field) => field.value).join("|")] ?? [];
      table.tBodies[0].replaceChildren(...rows.map(line));
      const texts = fields.map((field) => field.selectedOptions[0].text);
      document.getElementById("ranking-caption").textContent =
        `SNR: ${texts[0]}; duration: ${texts[1]}; background: ${texts[2]}; a false alarm costs ${texts[3]}.`;
      document.getElementById("chooser-says").textContent = rows.length ? says(rows.map(named), fields[3].value) : "No clips of both classes in this case.";
    };
    const says = (rows, cost) => {
      const price = Number(cost);
      const [first, ...rest] = rows;
      const alike = rest.filter((of) => of.difference_low <= 0).map((of) => cases.variants[of.variant]);
      const lead = `${cases.variants[first.variant]} costs least on these ${first.n.toLocaleString("en")} clips of ${first.groups} groups`;
      const one = Math.min(1, price) / (1 + price);
      const answer = price > 1 ? "never saying SPEECH" : price < 1 ? "always saying SPEECH" : "giving one answer to all";
      const beside = alike.length ? `; these data do not tell it apart from ${alike.join(", ")}` : "";
      const none = first.cost / 10000 > one - 0.0005 ? "No detector does better than " : "For comparison, ";
      return `${lead}${rest.length ? beside : ""}. ${none}${answer}${none.startsWith("No") ? ", which" : ""} costs ${one.toFixed(3)}.`;
    };
    form.addEventListener("change", show);
    form.hidden = false;
    show();
  }

  const ladders = [...document.querySelectorAll(".ladder")];
  const choice = document.querySelector("#ladder form");
  if (choice) {
    const one = () => {
      for (const ladder of ladders) ladder.hidden = ladder.id !== choice.elements.ladder.value;
    };
    choice.addEventListener("change", one);
    choice.hidden = false;
    one();
  }
})();
