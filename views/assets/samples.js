// A run's samples: J opens the next sample, K the previous one. The keys can be turned off, and are never the only way.
(() => {
  const SETTING = "sample-keys";
  const KEYS = { j: "next", k: "prev" };
  const shortcut = document.querySelector("[data-shortcut]");
  const box = shortcut.querySelector("input");
  shortcut.hidden = false;
  box.checked = localStorage.getItem(SETTING) !== "off";
  box.addEventListener("change", () => localStorage.setItem(SETTING, box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey, isComposing } = event;
    const isTyping = target.matches("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");
    if (!box.checked || isTyping || ctrlKey || metaKey || altKey || isComposing) return;
    const rel = KEYS[key.toLowerCase()];
    if (rel) document.querySelector(`.neighbours [rel=${rel}]`)?.click();
  });
})();
