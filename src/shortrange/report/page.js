"use strict";
(() => {
  const plain = (node) => node.textContent.trim();

  // Numbers sort by value whatever they are written with: "< 10⁻⁹", "0.012 ± 0.003", "6.1 × 10⁻⁴", "51.2 %".
  const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const value = (text) => {
    let t = text.replace(/−/g, "-").replace(/[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (s) =>
      "^" + [...s].map((c) => (c === "⁻" ? "-" : superscripts.indexOf(c))).join(""));
    t = t.replace(/^[<>]\s*/, "");
    let found = t.match(/^10\^(-?\d+)/);
    if (found) return 100 * 10 ** +found[1];
    found = t.match(/^([-+]?\d*\.?\d+)(?:\s*×\s*10\^(-?\d+))?/);
    return found ? +found[1] * (found[2] ? 10 ** +found[2] : 1) : NaN;
  };

  const sortBy = (table, column, header) => {
    const rows = [...table.tBodies[0].rows];
    const down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keys = new Map(rows.map((row) => [row, plain(row.cells[column])]));
    const numeric = rows.every((row) => keys.get(row) === "–" || !Number.isNaN(value(keys.get(row))));
    const compare = (a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (!numeric) return x.localeCompare(y, undefined, { numeric: true });
      const [u, v] = [value(x), value(y)];
      return Number.isNaN(u) ? 1 : Number.isNaN(v) ? -1 : u - v;
    };
    rows.sort(compare);
    if (down) rows.reverse();
    table.tBodies[0].append(...rows);
  };

  const asText = (table) =>
    [...table.rows].map((row) => [...row.cells].map(plain).join("\t")).join("\n") + "\n";

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };

  const button = (label, title, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.title = title;
    made.addEventListener("click", act);
    return made;
  };

  for (const table of document.querySelectorAll("table")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      header.tabIndex = 0;
      header.title = "sort";
      header.addEventListener("click", () => sortBy(table, column, header));
      header.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          sortBy(table, column, header);
        }
      });
    });
    const act = async () => {
      await copy(asText(table));
      copier.textContent = "copied";
      setTimeout(() => (copier.textContent = "copy"), 1500);
    };
    const copier = button("copy", "copy the table, for a spreadsheet", act);
    copier.className = "copy";
    table.parentElement.before(copier);
  }

  const save = (name, address) => {
    const link = document.createElement("a");
    link.download = name;
    link.href = address;
    link.click();
  };

  // The first printed page repeats the fits; copied here, not in the file, whose figures are large.
  const printed = document.querySelector(".printed");
  for (const name of (printed?.dataset.shows ?? "").split(" ").filter(Boolean)) {
    const figure = document.querySelector(`figure[data-name="${name}"]`);
    const again = document.createElement("figure");
    again.append(figure.querySelector("img.still").cloneNode(), figure.querySelector("figcaption").cloneNode(true));
    printed.append(again);
    printed.dataset.filled = "";
    figure.classList.add("on-first-page");
  }

  for (const figure of document.querySelectorAll("figure[data-name]")) {
    const still = figure.querySelector("img.still");
    const tools = document.createElement("span");
    tools.className = "tools";
    const name = figure.dataset.name;
    tools.append(button("SVG", "save this figure for print", () => save(`${name}.svg`, still.src)));
    tools.append(button("PNG", "save this figure for slides", () => {
      const canvas = document.createElement("canvas");
      const scale = 2400 / still.naturalWidth;
      canvas.width = 2400;
      canvas.height = Math.round(still.naturalHeight * scale);
      const drawing = canvas.getContext("2d");
      drawing.fillStyle = "#fff";
      drawing.fillRect(0, 0, canvas.width, canvas.height);
      drawing.drawImage(still, 0, 0, canvas.width, canvas.height);
      save(`${name}.png`, canvas.toDataURL("image/png"));
    }));
    figure.querySelector("figcaption").append(tools);
  }

  const data = document.getElementById("plots");
  if (data && window.Plotly) {
    const plots = JSON.parse(data.textContent);
    const touch = window.matchMedia("(pointer: coarse)").matches;
    const narrow = window.matchMedia("(max-width: 640px)").matches;
    const draw = async () => {
      for (const place of document.querySelectorAll("[data-plot]")) {
        const { data: traces, layout } = plots[place.dataset.plot];
        // A finger that scrolls the page must not zoom a figure on its way.
        if (touch) layout.dragmode = false;
        if (narrow) layout.margin = { ...layout.margin, l: 48, r: 20 };
        const config = {
          responsive: true,
          displayModeBar: false,
        };
        place.parentElement.classList.add("drawn");
        try {
          await Plotly.newPlot(place, traces, layout, config);
        } catch (error) {
          place.parentElement.classList.remove("drawn"); // the still picture remains
          console.error(error);
        }
      }
      document.documentElement.dataset.plots = "drawn";
    };
    draw();
  }
})();
