"use strict";
// The gallery's filter: shows the images that have the chosen tag or are given it by a method.
(() => {
  const filter = document.getElementById("filter");
  if (!filter) return;
  const select = document.getElementById("tag");
  const status = document.getElementById("shown");
  const cards = [...document.querySelectorAll(".card")];
  filter.hidden = false;
  const apply = () => {
    let shown = 0;
    for (const card of cards) {
      const matches = select.value === "" || card.dataset.tags.split(" ").includes(select.value);
      card.hidden = !matches;
      shown += matches;
      for (const tag of card.querySelectorAll("[data-tag]")) {
        tag.classList.toggle("chosen", select.value !== "" && tag.dataset.tag === select.value);
      }
      const others = card.querySelector("details");
      if (others) others.open = others.querySelector(".chosen") !== null;
    }
    status.textContent = `${shown} of ${cards.length} images shown`;
  };
  select.addEventListener("change", apply);
  // A browser that goes back to the page keeps the choice.
  apply();
})();
