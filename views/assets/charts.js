// Shows the values under the pointer on a chart. They come from the chart's own table.
(() => {
  const tip = document.createElement("div");
  tip.className = "chart-tip";
  tip.setAttribute("aria-hidden", "true");
  const mark = document.createElement("div");
  mark.className = "chart-mark";
  const line = (text, look) => {
    const part = document.createElement("span");
    part.textContent = text;
    if (look) part.className = look;
    return part;
  };
  const hide = () => {
    tip.remove();
    mark.remove();
  };
  const show = (canvas, clientX) => {
    const chart = canvas.closest("[data-chart]");
    const rows = chart.querySelectorAll("tbody tr");
    if (rows.length === 0) return;
    const box = canvas.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    const isBars = chart.querySelector(".bar") !== null;
    const last = rows.length - 1;
    const step = isBars ? Math.min(last, Math.floor(share * rows.length)) : Math.round(share * last);
    const place = isBars ? (step + 0.5) / rows.length : last === 0 ? 0.5 : step / last;
    const names = [...chart.querySelectorAll("thead th")].slice(1).map((cell) => cell.textContent);
    const looks = [...chart.querySelectorAll(".legend li")].map((item) => item.className);
    const [time, ...values] = [...rows[step].cells].map((cell) => cell.textContent.trim());
    tip.replaceChildren(line(time, "tip-time"), ...values.map((value, i) => line(`${names[i]} ${value}`, looks[i] ?? "look-1")));
    canvas.append(mark, tip);
    mark.style.left = `${place * 100}%`;
    const free = box.width - tip.offsetWidth;
    tip.style.left = `${Math.min(Math.max(0, place * box.width - tip.offsetWidth / 2), Math.max(0, free))}px`;
  };
  document.addEventListener("pointermove", (event) => {
    const canvas = event.target.closest?.("[data-chart] .canvas");
    if (canvas) show(canvas, event.clientX);
    else hide();
  });
  document.addEventListener("pointerdown", (event) => {
    const canvas = event.target.closest?.("[data-chart] .canvas");
    if (canvas) show(canvas, event.clientX);
  });
})();
