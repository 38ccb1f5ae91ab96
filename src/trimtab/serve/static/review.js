// Keys for the buttons of a pair, and the seconds that it was looked at. Nothing is sent but the form itself.
(() => {
  "use strict";
  const form = document.getElementById("judgement");
  const panels = [...document.querySelectorAll("[popover]")];
  const keys = { ArrowLeft: "1", "=": "2", ArrowRight: "3", b: "4" };
  // A key that was meant for the pair before must not judge this one.
  const EARLY = 300;
  const begun = performance.now();
  let seen = 0;
  let since = document.hidden ? null : begun;
  let sent = false;

  document.addEventListener("visibilitychange", () => {
    if (since !== null) seen += performance.now() - since;
    since = document.hidden ? null : performance.now();
  });

  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    const milliseconds = seen + (since === null ? 0 : performance.now() - since);
    form.elements.seconds.value = (milliseconds / 1000).toFixed(2);
  });
  // A page that the browser brings back from its memory can be used again.
  window.addEventListener("pageshow", () => (sent = false));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const name = keys[event.key] ?? event.key.toLowerCase();
    const open = panels.some((panel) => panel.id === "keys" && panel.matches(":popover-open"));
    if (name !== "?" && (open || performance.now() - begun < EARLY)) return;
    const button = document.querySelector(`button[data-key="${CSS.escape(name)}"]`);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  });
})();
