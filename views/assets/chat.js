// Scripts of the chat page: keyboard shortcuts, drafts, queued messages, scrolling with the text, copying code.
(() => {
  const $ = (id) => document.getElementById(id);
  const running = () => document.querySelector('.answer[aria-busy="true"]');
  const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
  // A new chat starts at the top.
  const toEnd = () => document.querySelector(".turn") && scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  let follows = true;

  // Typed text is stored per key, chat and field: it survives a reload or a rerendered turn, and the next key in this
  // tab does not see it. A new chat has no id yet.
  const scope = () => `:${document.body.dataset.owner}:${$("conversation").value}`;
  const store = (name, text) => (text ? sessionStorage.setItem(name, text) : sessionStorage.removeItem(name));
  const draftName = (field) => `draft-${field.id}${scope()}`;
  const keepDraft = (field) => store(draftName(field), field.value);
  const forgetOthers = () => {
    for (const name of Object.keys(sessionStorage)) {
      if (/^(draft|queue)/.test(name) && !name.includes(`:${document.body.dataset.owner}:`)) store(name);
    }
  };
  const write = (text) => {
    $("question").value = text;
    keepDraft($("question"));
  };
  const writeBefore = (text) => write([text, $("question").value].filter(Boolean).join("\n"));

  // Messages that are waiting or being sent. The server answers each id once, even if a duplicate of this tab sends it.
  const queue = () => JSON.parse(sessionStorage.getItem(`queue${scope()}`) ?? "[]");
  const setQueue = (entries) => {
    store(`queue${scope()}`, entries.length > 0 && JSON.stringify(entries));
    showQueue();
  };
  const remove = (id) => setQueue(queue().filter((entry) => entry.id !== id));
  const newEntry = (text) => ({ id: crypto.getRandomValues(new Uint32Array(4)).join("-"), text });
  /** Id of the message that is being sent. */
  let sending;
  let sentStatus;
  const showQueue = () => {
    const waiting = queue().filter(({ id }) => id !== sending);
    const entries = waiting.map(({ id, text }) => {
      const entry = $("queued-pattern").content.cloneNode(true);
      entry.firstElementChild.dataset.id = id;
      entry.querySelector("p").textContent = text;
      return entry;
    });
    $("queue").replaceChildren(...entries);
  };
  /** Sends the first message unless an answer is in progress. A rejected `typed` message returns to the field. */
  const sendFirst = async (typed) => {
    const [entry] = queue();
    if (!entry || sending || running()) return;
    sending = entry.id;
    sentStatus = undefined;
    showQueue();
    const scopeBefore = scope();
    const shown = $("turns").querySelector(":scope > .turn:last-of-type")?.id ?? "";
    const values = { conversation: $("conversation").value, question: entry.text, once: entry.id, shown };
    // The field is left out if there is no index. htmx would send undefined as a word.
    if ($("answer-from")) values.index = $("answer-from").value;
    follows = true;
    // Another change of the conversation would be rejected, or start a branch without this message.
    $("turns").dataset.sending = "";
    await htmx.ajax("POST", "/chat", { source: "#queue", target: "#turns", swap: "beforeend", values });
    delete $("turns").dataset.sending;
    sending = undefined;
    const isSent = sentStatus < 400;
    // The new chat has an id now.
    if (isSent && scope() !== scopeBefore) {
      for (const name of Object.keys(sessionStorage).filter((name) => name.endsWith(scopeBefore))) {
        store(name.slice(0, -scopeBefore.length) + scope(), sessionStorage.getItem(name));
        store(name);
      }
    }
    const isBackInField = !isSent && typed && !running();
    if (isBackInField) writeBefore(entry.text);
    if (isSent || isBackInField) remove(entry.id);
    else showQueue();
    if (isSent) sendNextAfterAnswer();
    // Another tab's answer is about to start. The queue is sent when that answer ends, or by this retry.
    else if (sentStatus === 409) setTimeout(sendNextAfterAnswer, 1000);
  };
  /** After a failed answer, the queue pauses until the user resumes it. */
  const sendNextAfterAnswer = () => {
    if (/^(complete|stopped)$/.test(document.querySelector(".turn:last-child")?.dataset.status)) sendFirst();
  };
  const useQueued = (button) => {
    const { id } = button.closest("li").dataset;
    const entry = queue().find((one) => one.id === id);
    remove(id);
    if (button.dataset.queue === "send") {
      setQueue([entry, ...queue()]);
      sendFirst();
      return;
    }
    if (button.dataset.queue === "edit") writeBefore(entry.text);
    $("question").focus();
  };

  const send = () => {
    const text = $("question").value.trim();
    if (!text) return;
    const entry = newEntry(text);
    const mustWait = running() || sending;
    write("");
    $("question").focus();
    setQueue(mustWait ? [...queue(), entry] : [entry, ...queue()]);
    if (!mustWait) sendFirst(true);
  };
  document.addEventListener("submit", (event) => {
    const isContinue = event.target.matches(".continue");
    if (!isContinue && (event.target.id !== "composer" || event.submitter?.matches(".stop"))) return;
    event.preventDefault();
    if (!isContinue) send();
    else if (!running() && !sending) {
      setQueue([newEntry(event.target.elements.question.value), ...queue()]);
      sendFirst();
    }
  });

  // A form inside a turn, to edit a question or give feedback, scrolls into view and focuses its first error or field.
  const showForm = (form) => {
    restoreDrafts(form);
    const field = form.querySelector(':is([aria-invalid="true"], [aria-invalid="true"] *):is(input, textarea)');
    const target = field ?? form.querySelector("input:checked") ?? form.querySelector("input, textarea");
    follows = false;
    target.focus({ preventScroll: true });
    // Puts the cursor at the end of the text.
    if (target.matches("textarea")) target.setSelectionRange(target.value.length, target.value.length);
    target.closest("fieldset, .field, div").scrollIntoView({ block: "center", behavior: "instant" });
  };
  const restoreDrafts = (root) => {
    for (const field of root.querySelectorAll("textarea")) field.value = sessionStorage.getItem(draftName(field)) ?? field.value;
  };
  const forgetDrafts = (form) => {
    for (const field of form.querySelectorAll("textarea")) store(draftName(field));
  };
  const closeForm = (form) => {
    const opener = document.querySelector(`[hx-target="#${form.parentElement.id}"]`);
    form.remove();
    opener.focus();
  };

  document.addEventListener("keydown", (event) => {
    const form = event.target.closest(".turn-form form");
    if (event.key === "Escape" && form) closeForm(form);
    else if (event.key === "Escape" && running()) document.querySelector("#composer .stop").click();
    if (!event.target.matches("#question, .question textarea")) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (form) form.requestSubmit();
    else send();
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches("#question, .turn textarea")) keepDraft(event.target);
    if (event.target.id === "search" && event.target.value === "") event.target.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    const suggestion = event.target.closest("[data-suggestion]");
    if (suggestion) {
      write([$("question").value.trim(), suggestion.dataset.suggestion].filter(Boolean).join("\n"));
      $("question").focus();
    }
    const cancel = event.target.closest(".turn-form .form-end a");
    if (cancel) {
      event.preventDefault();
      forgetDrafts(cancel.closest("form"));
      closeForm(cancel.closest("form"));
    }
    // Passages and steps expand in place. The page gets longer, but must not scroll to its end.
    if (event.target.closest(".citation, .evidence-fold, .answer-step")) follows = false;
    const queued = event.target.closest("[data-queue]");
    if (queued) useQueued(queued);
    if (event.target.closest("#to-end")) {
      follows = true;
      toEnd();
    }
    const code = event.target.closest(".code-bar button");
    if (code) code.dataset.copy = code.closest(".code").querySelector("code").textContent;
  }, true);

  // Adds a copy button to each code block here, because it only works with this script.
  const addCopyButtons = () => {
    if (!navigator.clipboard) return;
    const pattern = document.querySelector("#copy-pattern");
    for (const bar of document.querySelectorAll(".answer:not([aria-busy]) .code-bar:not(:has(button))")) {
      bar.append(pattern.content.cloneNode(true));
      bar.lastElementChild.hidden = false;
    }
  };

  let olderBefore;
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.matches(".older")) olderBefore = ctx.sourceElement.closest("li").previousElementSibling;
    if (ctx.sourceElement.id === "queue") sentStatus = ctx.response.status;
    else if (ctx.response.status < 400 && ctx.sourceElement.matches(".turn-form form")) forgetDrafts(ctx.sourceElement);
  });

  document.addEventListener("scroll", () => {
    follows = atEnd();
    if (follows) $("to-end").hidden = true;
  }, { passive: true });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const form = ctx.target?.matches?.(".turn-form") && ctx.target.querySelector("form");
    if (form) showForm(form);
    addCopyButtons();
    if (ctx.sourceElement.id !== "queue") sendNextAfterAnswer();
  });

  const grew = () => {
    if (follows) toEnd();
    $("to-end").hidden = follows || !running();
  };

  // Scroll the chat list to the open chat.
  const showCurrentChat = () => {
    const list = $("history");
    const current = list?.querySelector('[aria-current="page"]');
    if (!current) return;
    const [outer, inner] = [list.getBoundingClientRect(), current.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) list.scrollTop += inner.top - outer.top - outer.height / 2;
  };
  document.addEventListener("toggle", (event) => event.target.matches(".menu") && showCurrentChat(), true);

  let started;
  const start = () => {
    started = $("turns");
    forgetOthers();
    if (!$("question").value) restoreDrafts($("composer"));
    restoreDrafts(started);
    showQueue();
    addCopyButtons();
    if (!location.hash) toEnd();
    showCurrentChat();
    new ResizeObserver(grew).observe(started);
  };
  document.addEventListener("DOMContentLoaded", () => {
    start();
    sendNextAfterAnswer();
  });
  // When the user navigates back, htmx may replace this page with an earlier one.
  document.addEventListener("htmx:after:process", () => {
    if ($("turns") !== started) start();
    // Older chats have replaced the link that loaded them.
    olderBefore?.nextElementSibling?.querySelector("a").focus();
    olderBefore = undefined;
  });
})();
