// The chat page: keys, drafts, following the text, copying code.
(() => {
  const $ = (id) => document.getElementById(id);
  const running = () => document.querySelector('.answer[aria-busy="true"]');
  const draftKey = () => `draft:${location.pathname}`;
  const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
  // The first screen of a new chat is read from its top.
  const toEnd = () => document.querySelector(".turn") && scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  let follows = true;

  const stop = () => {
    if (running()) document.querySelector("#composer .stop").click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
    if (event.target.id !== "question" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!running() && event.target.value.trim()) event.target.form.requestSubmit(event.target.form.querySelector(".send"));
  });

  document.addEventListener("input", (event) => {
    if (event.target.id === "question") sessionStorage.setItem(draftKey(), event.target.value);
  });

  document.addEventListener("click", (event) => {
    const suggestion = event.target.closest("[data-suggestion]");
    if (suggestion) {
      $("question").value = suggestion.dataset.suggestion;
      $("question").focus();
    }
    if (event.target.closest("#to-end")) toEnd();
    const code = event.target.closest(".code-bar button");
    if (code) code.dataset.copy = code.closest(".code").querySelector("code").textContent;
  }, true);

  // A copy button for each block of code: made here, because it needs this script to work.
  const addCopyButtons = () => {
    if (!navigator.clipboard) return;
    const pattern = document.querySelector("#copy-pattern");
    for (const bar of document.querySelectorAll(".answer:not([aria-busy]) .code-bar:not(:has(button))")) {
      bar.append(pattern.content.cloneNode(true));
      bar.lastElementChild.hidden = false;
    }
  };

  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id !== "composer" || ctx.response.status >= 400) return;
    sessionStorage.removeItem(draftKey());
    $("question").value = "";
    $("question").focus();
    follows = true;
  });

  document.addEventListener("scroll", () => {
    follows = atEnd();
    if (follows) $("to-end").hidden = true;
  }, { passive: true });

  document.addEventListener("htmx:after:swap", addCopyButtons);

  const grew = () => {
    if (follows) toEnd();
    else if (running()) $("to-end").hidden = false;
  };

  document.addEventListener("DOMContentLoaded", () => {
    const draft = sessionStorage.getItem(draftKey());
    if (draft && !$("question").value) $("question").value = draft;
    addCopyButtons();
    toEnd();
    new ResizeObserver(grew).observe($("turns"));
  });
})();
