"use strict";
for (const film of document.querySelectorAll(".film")) {
  const slider = film.querySelector("input");
  if (!slider) continue;
  slider.closest("label").hidden = false;  // without script there is nothing to slide
  const frames = film.querySelectorAll(".frame"), shown = film.querySelector("output");
  const steps = slider.dataset.steps.split(" ").map(Number);
  slider.addEventListener("input", () => {
    const at = Number(slider.value);
    frames.forEach((frame, i) => { frame.hidden = i !== at; });
    shown.textContent = steps[at].toLocaleString("en");
    slider.setAttribute("aria-valuetext", "step " + steps[at]);
  });
}
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = root.dataset.theme || (dark ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
});
// On paper nothing opens on demand.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) { part.open = true; part.dataset.closed = ""; }
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("details[data-closed]")) { part.open = false; delete part.dataset.closed; }
});
