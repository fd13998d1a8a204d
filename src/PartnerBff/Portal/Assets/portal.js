// What pages gain with JavaScript: copying, a chart drawn from its own table, questions that close again, and forms that are sent once.
(() => {
  "use strict";

  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    button.hidden = false;
    source.addEventListener("focus", () => source.select());
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.value);
      } catch {
        source.focus();
        source.select();
        document.execCommand("copy"); // Where the clipboard is not given to pages over plain http.
      }
      button.textContent = "Copied";
      button.classList.add("done");
      setTimeout(() => { button.textContent = "Copy"; button.classList.remove("done"); }, 2500);
    });
  }

  // A second click while the first one's answer is on its way would make a second key, and the first one's would be seen by nobody.
  let sent = new WeakSet();
  document.addEventListener("submit", event => {
    const form = event.target;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    setTimeout(() => sent.delete(form), 10000); // Stopped by hand: no page comes.
  });
  addEventListener("pageshow", () => { sent = new WeakSet(); });

  // On a phone the navigation scrolls sideways.
  document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  const open = () => document.querySelectorAll("details.act[open]");
  document.addEventListener("click", event => {
    for (const one of open()) if (!one.contains(event.target)) one.open = false;
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape") return;
    for (const one of open()) { one.open = false; one.querySelector("summary").focus(); }
  });

  const make = (name, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const number = text => Number(text.replace(/[^0-9]/g, ""));
  const written = value => value.toLocaleString("en").replaceAll(",", "\u202f");
  const round = value => {
    const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
    return [1, 2, 4, 5, 10].map(step => step * power).find(step => step >= value) ?? value;
  };

  const draw = chart => {
    const rows = [...chart.querySelectorAll("tbody tr")].reverse().map(row => ({
      day: row.cells[0].textContent, parts: [...row.cells].slice(1).map(cell => number(cell.textContent)),
    }));
    const kinds = ["ok", "refused", "failed"], names = ["succeeded", "refused (4xx)", "failed (5xx)"];
    const total = row => row.parts.reduce((sum, part) => sum + part, 0);
    const width = chart.clientWidth, height = 190, left = 44, bottom = 24, top = 8;
    const most = Math.max(4, round(Math.max(...rows.map(total))));
    const y = value => top + (height - top - bottom) * (1 - value / most);
    const step = (width - left) / rows.length, bar = Math.max(2, Math.min(22, step * 0.66));
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Requests per day; ${written(rows.reduce((sum, row) => sum + total(row), 0))} in ${rows.length} days` });

    for (const part of [0, 0.5, 1]) {
      const at = y(most * part);
      svg.append(make("line", { class: "grid", x1: left, x2: width, y1: at, y2: at }), make("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, written(most * part)));
    }

    const every = Math.ceil(rows.length / Math.max(2, Math.floor(width / 90)));
    rows.forEach((row, index) => {
      const middle = left + step * (index + 0.5), group = make("g", { class: "day" });
      group.append(make("rect", { class: "back", x: left + step * index, y: top, width: step, height: height - top - bottom }));
      let sum = 0;
      row.parts.forEach((part, kind) => {
        if (part === 0) return;
        const from = y(sum), to = y(sum += part);
        group.append(make("rect", { class: kinds[kind], x: middle - bar / 2, y: to, width: bar, height: Math.max(1.5, from - to), rx: Math.min(3, bar / 4) }));
      });
      if ((rows.length - 1 - index) % every === 0) {
        const last = index === rows.length - 1;
        group.append(make("text", { x: last ? width : middle, y: height - 5, "text-anchor": last ? "end" : "middle" }, row.day));
      }
      group.addEventListener("pointerenter", () => { told.textContent = `${row.day}: ${written(total(row))}`; });
      group.addEventListener("pointerleave", () => { told.textContent = ""; });
      svg.append(group);
    });

    const legend = document.createElement("div"), told = document.createElement("output");
    legend.className = "legend";
    names.forEach((name, kind) => {
      const entry = document.createElement("span");
      entry.className = kinds[kind];
      entry.append(document.createElement("i"), name);
      legend.append(entry);
    });
    legend.append(told);
    chart.querySelectorAll(":scope > .legend, :scope > svg").forEach(old => old.remove());
    chart.prepend(legend, svg);
  };

  for (const chart of document.querySelectorAll("[data-chart]")) {
    chart.classList.add("drawn");
    chart.querySelector("details").open = false;
    draw(chart);
    let seen = chart.clientWidth;
    new ResizeObserver(() => { if (chart.clientWidth !== seen) { seen = chart.clientWidth; draw(chart); } }).observe(chart);
  }
})();
