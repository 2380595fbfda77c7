"use strict";
// Without this script the page shows all that it has.
for (const form of document.querySelectorAll("form.filter")) {
  const list = document.getElementById(form.dataset.list);
  const items = [...list.querySelectorAll("[data-item]")].map((node) => [node, node.textContent.toLowerCase()]);
  const groups = list.querySelectorAll("[data-group]");
  const count = form.querySelector("output");
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...form.querySelectorAll("select")].filter((one) => one.value);
    let shown = 0;
    for (const [node, text] of items) {
      const fits = words.every((word) => text.includes(word)) &&
        chosen.every((one) => (node.dataset[one.name] || "").split("|").includes(one.value));
      node.hidden = !fits;
      shown += fits;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("[data-item]:not([hidden])");
      if (group.tagName === "DETAILS" && (words.length || chosen.length)) group.open = true;
    }
    count.textContent = shown === items.length ? `${shown} shown` : `${shown} of ${items.length} shown`;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  apply();
}
const reveal = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  const target = name && document.getElementById(name);
  if (!target) return;
  for (let node = target; node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
    node.hidden = false;
  }
  target.querySelectorAll("details.picture").forEach((one) => { one.open = true; });
  target.scrollIntoView();
};
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => document.querySelectorAll("details.printed").forEach((one) => { one.open = true; }));
addEventListener("keydown", (event) => {
  const box = document.querySelector("form.filter input");
  if (event.key !== "/" || !box || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
  event.preventDefault();
  box.focus();
});
reveal();
