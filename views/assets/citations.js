// Citations of answers: a citation and its passage highlight each other, and following a citation opens the passages.
(() => {
  const highlight = ({ target }) => {
    const id = target.closest(".citation")?.hash?.slice(1) ?? target.closest(".passage")?.id;
    for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
    if (!id) return;
    for (const part of document.querySelectorAll(`#${id}, .citation[href="#${id}"]`)) part.classList.add("lit");
  };
  document.addEventListener("pointerover", highlight);
  document.addEventListener("focusin", highlight);

  document.addEventListener("click", ({ target }) => {
    const id = target.closest(".citation")?.hash?.slice(1);
    const fold = id && document.getElementById(id)?.closest(".evidence-fold");
    if (fold) fold.open = true;
  });

  // An answer is rendered again when it is complete. Passages that the reader opened stay open.
  const opened = new Set();
  document.addEventListener(
    "toggle",
    ({ target }) => target.matches(".evidence-fold") && opened[target.open ? "add" : "delete"](target.id),
    true,
  );
  document.addEventListener("htmx:after:swap", () => {
    for (const id of opened) {
      const fold = document.getElementById(id);
      if (fold) fold.open = true;
    }
  });
})();
