// The page that asks an index: Enter sends, and a lost connection is shown.
(() => {
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "question" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });

  // The text so far stays.
  document.addEventListener("htmx:sse:error", () => {
    const end = document.getElementById("answer-end");
    if (!end) return;
    end.innerHTML =
      '<div class="panel problem" role="alert"><div><h2>Connection lost</h2><p>The text so far is kept. Ask again for a complete answer.</p></div></div>';
    document.getElementById("answer-steps").replaceChildren();
    document.getElementById("ask-status").textContent = "";
  });
})();
