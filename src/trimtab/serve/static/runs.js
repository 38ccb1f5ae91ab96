// What a page of runs does by itself: show a climb as it goes on, look again at what takes longer, say a dial's number.
(() => {
  "use strict";
  const FULL = 15000;
  const again = (milliseconds) => setTimeout(() => location.reload(), milliseconds);

  const live = document.getElementById("live");
  if (live && live.dataset.events) {
    const source = new EventSource(live.dataset.events);
    for (const name of ["progress", "climb"]) {
      // The server's own templates made these pieces, and escaped what they say.
      source.addEventListener(name, (event) => (document.getElementById(name).innerHTML = event.data));
    }
    source.addEventListener("end", () => (source.close(), location.reload()));
    source.addEventListener("full", () => (source.close(), again(FULL)));
    source.addEventListener("error", () => source.readyState === EventSource.CLOSED && again(FULL));
  }

  const waiting = document.querySelector("[data-again]");
  if (waiting) again(Number(waiting.dataset.again));

  for (const dial of document.querySelectorAll('input[type="range"]')) {
    const said = document.querySelector(`output[for="${dial.id}"]`);
    const tell = () => (said.value = Number(dial.value).toFixed(2));
    dial.addEventListener("input", tell);
    // A browser that comes back to a page gives its fields their last values.
    tell();
  }
})();
