// The chat page: keys, drafts and waiting messages, following the text, copying code.
(() => {
  const $ = (id) => document.getElementById(id);
  const running = () => document.querySelector('.answer[aria-busy="true"]');
  const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
  // The first screen of a new chat is read from its top.
  const toEnd = () => document.querySelector(".turn") && scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  let follows = true;

  // Drafts are stored per key and chat, so another key in the same tab does not see them.
  const kept = (kind) => `${kind}:${$("composer").dataset.owner}:${location.pathname}`;
  const forgetOthers = () => {
    const own = `:${$("composer").dataset.owner}:`;
    for (const name of Object.keys(sessionStorage)) {
      if (/^(draft|queue):/.test(name) && !name.includes(own)) sessionStorage.removeItem(name);
    }
  };
  const draft = () => sessionStorage.getItem(kept("draft")) ?? "";
  const write = (text) => {
    $("question").value = text;
    if (text) sessionStorage.setItem(kept("draft"), text);
    else sessionStorage.removeItem(kept("draft"));
  };

  // Queued messages, sent when the running answer ends.
  const queue = () => JSON.parse(sessionStorage.getItem(kept("queue")) ?? "[]");
  const setQueue = (texts) => {
    if (texts.length > 0) sessionStorage.setItem(kept("queue"), JSON.stringify(texts));
    else sessionStorage.removeItem(kept("queue"));
    showQueue();
  };
  const showQueue = () => {
    const entries = queue().map((text) => {
      const entry = $("queued-pattern").content.cloneNode(true);
      entry.querySelector("p").textContent = text;
      return entry;
    });
    $("queue").replaceChildren(...entries);
  };
  let isSending = false;
  const sendNext = () => {
    const [text] = queue();
    if (text === undefined || isSending || running()) return;
    isSending = true;
    const { conversation, question } = $("queue-form").elements;
    conversation.value = $("conversation").value;
    question.value = text;
    $("queue-form").requestSubmit();
  };
  /** After a failed answer the queue pauses until the user resumes it. */
  const sendNextAfterAnswer = () => {
    if (/^(complete|stopped)$/.test(document.querySelector(".turn:last-child")?.dataset.status)) sendNext();
  };
  const useQueued = (button) => {
    const texts = queue();
    const [text] = texts.splice([...$("queue").children].indexOf(button.closest("li")), 1);
    if (button.dataset.queue === "send") {
      setQueue([text, ...texts]);
      sendNext();
      return;
    }
    setQueue(texts);
    if (button.dataset.queue === "edit") write([text, $("question").value].filter(Boolean).join("\n"));
    $("question").focus();
  };

  const send = (form) => {
    const text = $("question").value.trim();
    if (!text) return;
    if (running() || isSending) {
      setQueue([...queue(), text]);
      write("");
    } else form.requestSubmit(form.querySelector(".send"));
  };

  document.addEventListener("keydown", (event) => {
    const editing = event.target.closest(".editing form");
    if (event.key === "Escape" && editing) editing.querySelector("a").click();
    else if (event.key === "Escape" && running()) document.querySelector("#composer .stop").click();
    if (!event.target.matches("#question, .editing textarea")) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (editing) editing.requestSubmit();
    else send(event.target.form);
  });

  document.addEventListener("input", (event) => {
    if (event.target.id === "question") write(event.target.value);
  });

  document.addEventListener("click", (event) => {
    const suggestion = event.target.closest("[data-suggestion]");
    if (suggestion) {
      write([$("question").value.trim(), suggestion.dataset.suggestion].filter(Boolean).join("\n"));
      $("question").focus();
    }
    const queued = event.target.closest("[data-queue]");
    if (queued) useQueued(queued);
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

  // A new chat gets its URL with the first question: the draft is stored under the old URL.
  let sent;
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id !== "composer") return;
    isSending = true;
    sent = { draft: kept("draft"), text: $("question").value };
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const { id } = ctx.sourceElement;
    if (ctx.response.status >= 400 || (id !== "composer" && id !== "queue-form")) return;
    follows = true;
    if (id === "queue-form") return setQueue(queue().slice(1));
    sessionStorage.removeItem(sent.draft);
    // Keep what was typed in the meantime.
    write($("question").value === sent.text ? "" : $("question").value);
    $("question").focus();
  });
  document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id === "composer" || ctx.sourceElement.id === "queue-form") isSending = false;
  });

  document.addEventListener("scroll", () => {
    follows = atEnd();
    if (follows) $("to-end").hidden = true;
  }, { passive: true });

  // The form below an answer opens at its first field; one that was refused shows what is wrong.
  const showForm = (form) => {
    const field = form.querySelector(':is([aria-invalid="true"], [aria-invalid="true"] *):is(input, textarea)');
    const target = field ?? form.querySelector("input:checked") ?? form.querySelector("input");
    follows = false;
    target.focus({ preventScroll: true });
    target.closest("fieldset, .field, div").scrollIntoView({ block: "center", behavior: "instant" });
  };

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    const form = ctx.target?.id?.startsWith("feedback-") && ctx.target.querySelector("form");
    if (form) showForm(form);
    addCopyButtons();
    sendNextAfterAnswer();
  });

  const grew = () => {
    if (follows) toEnd();
    else if (running()) $("to-end").hidden = false;
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

  document.addEventListener("DOMContentLoaded", () => {
    forgetOthers();
    if (!$("question").value) write(draft());
    showQueue();
    sendNextAfterAnswer();
    addCopyButtons();
    toEnd();
    showCurrentChat();
    new ResizeObserver(grew).observe($("turns"));
  });
})();
