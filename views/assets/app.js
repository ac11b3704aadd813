// Scripts of every page, in addition to htmx: copying, local times, countdowns, polling while visible, network errors.
(() => {
  const icon = (name, button) => {
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
  };

  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  /** By `data-format`: for logs, and for the axes of charts. */
  const formats = {
    seconds: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
    clock: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }),
    day: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }),
  };
  const enhance = (root) => {
    // Browsers allow clipboard access only over https and on localhost. Elsewhere the button would do nothing.
    for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = !navigator.clipboard;
    for (const time of root.querySelectorAll("time:not([data-local])")) {
      time.textContent = (formats[time.dataset.format] ?? local).format(new Date(time.dateTime));
      time.dataset.local = "";
    }
    // Switching the theme replaces only its button, so typed text and secrets that are shown once stay on the page.
    if (root.matches?.("[data-chosen-theme]")) document.documentElement.dataset.theme = root.dataset.chosenTheme;
  };
  /** Opens the page of a finished job. */
  const openFinished = (root) => {
    const link = root.matches?.("[data-goto]") ? root : root.querySelector?.("[data-goto]");
    if (link) location.assign(link.dataset.goto);
  };
  document.addEventListener("DOMContentLoaded", () => enhance(document));
  document.addEventListener("htmx:after:process", (event) => {
    enhance(event.target);
    openFinished(event.target);
  });

  // The next action, or copying with the keyboard, removes the message that copying was not allowed.
  const REFUSED_COPY = "refused-copy";
  const removeRefusedCopy = () => document.getElementById(REFUSED_COPY)?.remove();
  document.addEventListener("copy", removeRefusedCopy);
  document.addEventListener("click", async (event) => {
    if (event.target.closest("a, button, summary")) removeRefusedCopy();
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const note = document.getElementById("copy-status");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const panel = document.createElement("p");
      panel.id = REFUSED_COPY;
      panel.className = "panel notice";
      panel.textContent = "Your browser did not allow copying. Select the text, then copy it with Ctrl+C or ⌘C.";
      (document.getElementById("alerts") ?? note).replaceChildren(panel);
      return;
    }
    icon("check", button);
    note.textContent = "Copied";
    setTimeout(() => {
      icon("copy", button);
      note.textContent = "";
    }, 1500);
  });

  // Menus close on Escape, on a click elsewhere and when they lose focus. `.menu` is only the toggle; its menu is a
  // sibling.
  const openMenus = () => [...document.querySelectorAll("details:is(.menu, .chat-menu, .turn-actions .confirm)[open]")];
  const areaOf = (menu) => (menu.matches(".menu") ? menu.parentElement : menu);
  const closeMenusWithout = (target) => {
    for (const menu of openMenus()) if (!areaOf(menu).contains(target)) menu.open = false;
  };
  document.addEventListener("click", (event) => closeMenusWithout(event.target));
  document.addEventListener("focusin", (event) => closeMenusWithout(event.target));
  // Capture phase: an Escape that closes a menu must not also stop the answer.
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && openMenus().at(-1);
    if (!menu) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  }, true);

  // A link back to a list restores the list's page, order and filter, for the same revision of a dataset.
  document.addEventListener("DOMContentLoaded", () => {
    const revision = (search) => new URLSearchParams(search).get("revision");
    for (const link of document.querySelectorAll(".trail a")) {
      const left = sessionStorage.getItem(`list:${link.pathname}`);
      if (left && revision(left) === revision(link.search)) link.search = left;
    }
    if (document.querySelector(".row-range")) sessionStorage.setItem(`list:${location.pathname}`, location.search);
  });

  // Counts down until the user may send the same request again.
  setInterval(() => {
    for (const left of document.querySelectorAll("[data-countdown]")) {
      const seconds = Math.max(0, Number(left.dataset.countdown) - 1);
      left.dataset.countdown = seconds;
      left.textContent = seconds > 0 ? `${seconds} s` : "a moment";
    }
  }, 1000);

  // A polled update doesn't close what the user has opened.
  htmx.config.morphIgnore.push("open");

  document.addEventListener("htmx:before:request", (event) => {
    const { ctx } = event.detail;
    if (document.hidden && ctx.sourceElement.matches("[data-poll]")) {
      event.preventDefault();
      return;
    }
    // Without a network there is no response, so the error is shown where other errors appear.
    const { fetch } = ctx;
    ctx.fetch = (...request) =>
      fetch(...request).catch((error) => {
        if (error?.name === "AbortError") throw error;
        const text = error === "timeout" ? "Groundwire did not answer in time." : "Groundwire can’t be reached.";
        const panel = `<div class="panel problem"><div><h2>No connection</h2><p>${text} What you typed is still here. Try again.</p></div></div>`;
        return new Response(panel, { status: 503, headers: { "hx-retarget": "#alerts", "hx-reswap": "innerHTML" } });
      });
  });

  // Submitting a form again removes the errors of the previous attempt, because the response may not replace the form.
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const refused = ctx.sourceElement.matches("form") ? ctx.sourceElement.querySelectorAll(".refused") : [];
    if (refused.length === 0) return;
    document.title = document.title.replace(/^Error: /, "");
    document.querySelector(".summary")?.remove();
    for (const field of refused) {
      field.classList.remove("refused");
      field.querySelector(".field-problem").remove();
      for (const part of [field, ...field.querySelectorAll("[aria-invalid]")]) part.removeAttribute("aria-invalid");
    }
  });

  // Shows progress on slow forms and prevents double submits. After navigating back, the form can be submitted again.
  document.addEventListener("submit", (event) => {
    const { busy } = event.target.dataset;
    const button = event.submitter;
    if (!busy || !button || event.defaultPrevented) return;
    const label = button.textContent;
    setTimeout(() => Object.assign(button, { disabled: true, textContent: busy }));
    addEventListener("pageshow", () => Object.assign(button, { disabled: false, textContent: label }), { once: true });
  });

  // If a form is submitted after the session has ended, it is filled in again once the same key has signed in. The chat
  // keeps its own drafts.
  const SENT = "sent-form";
  document.addEventListener("submit", ({ target: form }) => {
    const { owner } = document.body.dataset;
    if (!owner || form.method !== "post" || form.closest(".chat")) return;
    const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    const sent = { owner, path: location.pathname + location.search, action: form.action, fields };
    sessionStorage.setItem(SENT, JSON.stringify(sent));
  });
  const refill = (form, fields) => {
    for (const field of form.querySelectorAll("input:not([type=hidden], [type=file], [type=password]), select, textarea")) {
      const values = fields.filter(([name]) => name === field.name).map(([, value]) => value);
      if (/^(checkbox|radio)$/.test(field.type)) field.checked = values.includes(field.value);
      else field.value = values[0] ?? field.value;
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    const sent = JSON.parse(sessionStorage.getItem(SENT));
    if (!sent) return;
    if (location.pathname === "/sign-in") {
      sessionStorage.setItem(SENT, JSON.stringify({ ...sent, isRefused: true }));
      return;
    }
    sessionStorage.removeItem(SENT);
    if (!sent.isRefused || sent.owner !== document.body.dataset.owner) return;
    if (sent.path !== location.pathname + location.search) return;
    const form = [...document.forms].find(({ action }) => action === sent.action);
    if (form) refill(form, sent.fields);
  });

  // Signing out deletes drafts, so that the next user of this tab can't read them. An expired session keeps them.
  document.addEventListener("submit", (event) => {
    if (event.target.matches('[action="/sign-out"]')) sessionStorage.clear();
  });

  // If an update removes, hides or disables the focused control, the focus moves to the last visible element with
  // data-takes-focus. A click elsewhere on the page clears the focus.
  let lastFocused;
  document.addEventListener("pointerdown", () => (lastFocused = undefined));
  document.addEventListener("focusin", (event) => (lastFocused = event.target));
  document.addEventListener("htmx:after:swap", () => {
    const canFocus = (element) => element.isConnected && !element.disabled && element.checkVisibility();
    if (!lastFocused || canFocus(lastFocused)) return;
    [...document.querySelectorAll("[data-takes-focus]")].findLast(canFocus)?.focus();
  });

  // The next successful request removes an earlier error, unless it only updates an estimate.
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.sourceElement.matches("[data-background]")) return;
    if (event.detail.ctx.response.status < 400) document.getElementById("alerts")?.replaceChildren();
  });
})();
