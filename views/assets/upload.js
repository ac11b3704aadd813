// Uploads the files of a form and shows the progress. Without this script, the form uploads them without progress.
(() => {
  const mib = (bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;

  const refuse = (message) => {
    const panel = document.createElement("div");
    panel.className = "panel problem";
    panel.textContent = message;
    document.getElementById("alerts").replaceChildren(panel);
  };

  /** Shows an error page that was returned instead of the expected page; false if it isn't ours, such as a proxy's. */
  const show = (html) => {
    const answer = new DOMParser().parseFromString(html, "text/html");
    const main = answer.getElementById("main");
    if (!main) return false;
    document.title = answer.title;
    document.getElementById("main").replaceWith(main);
    document.querySelector("[autofocus]")?.focus();
    return true;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    const files = [...(form?.querySelector("[type=file]").files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    const tooLarge = files.find(({ size }) => size > Number(form.dataset.upload));
    if (tooLarge) {
      const { name, size } = tooLarge;
      const what = files.length === 1 ? "The file" : name;
      refuse(`${what} is ${mib(size)}; the limit is ${mib(form.dataset.upload)}. Split it into smaller files.`);
      return;
    }
    const [all, are] = files.length === 1 ? ["file", "is"] : ["files", "are"];
    const box = form.querySelector(".upload-progress");
    const [words, bar] = [box.querySelector("[role=status]"), box.querySelector("progress")];
    const isSending = (yes) => {
      box.hidden = !yes;
      for (const button of form.querySelectorAll("button")) button.disabled = yes;
    };
    const lost = (why) => () => {
      isSending(false);
      refuse(`${why} The ${all} ${are} still selected. Try again.`);
    };
    isSending(true);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.value = loaded / total;
      words.textContent = loaded < total ? `Sending: ${mib(loaded)} of ${mib(total)}` : `Sent. Reading the ${all}…`;
    });
    request.addEventListener("load", () => {
      // Redirects have been followed, so the response has the final address.
      if (request.status < 400) location.assign(request.responseURL);
      else if (!show(request.responseText)) lost(`The ${all} could not be sent: the server returned ${request.status}.`)();
    });
    request.addEventListener("error", lost(`The ${all} could not be sent: Groundwire can’t be reached.`));
    request.send(new FormData(form));
  });
})();
