// A table or figure that is wider than its place says so.
(() => {
  "use strict";
  const hint = () => {
    for (const place of document.querySelectorAll(".scroll")) {
      place.classList.toggle("wide", place.scrollWidth > place.clientWidth + 1);
    }
  };
  document.documentElement.classList.add("scripted");
  new ResizeObserver(hint).observe(document.body);
  hint();
})();
