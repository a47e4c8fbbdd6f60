// Plays the clip of the button that is pressed, one at a time. A button names its audio by an
// address, or by a key of the page's audio store.
(() => {
  "use strict";
  const store = document.getElementById("audio-store");
  const addresses = store ? JSON.parse(store.textContent) : {};
  const audio = new Audio();
  let button = null;

  const leave = (state) => {
    if (button) button.dataset.state = state;
    button = null;
  };
  const follow = () => {
    if (!button) return;
    button.style.setProperty("--played", audio.currentTime / audio.duration || 0);
    requestAnimationFrame(follow);
  };
  audio.addEventListener("ended", () => leave("played"));
  audio.addEventListener("error", () => leave("failed"));

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[data-audio]");
    if (!pressed) return;
    const again = pressed === button;
    audio.pause();
    leave("stopped");
    if (again) return;
    button = pressed;
    button.dataset.state = "playing";
    audio.src = addresses[button.dataset.audio] ?? button.dataset.audio;
    audio.play().then(follow, (reason) => {
      // A second press before the first clip has begun is no failure.
      if (reason.name !== "AbortError") leave("failed");
    });
  });
})();
