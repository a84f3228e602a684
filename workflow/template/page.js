// What readers use on every page. Without it everything stays readable.
"use strict";
(() => {
  const make = (tag, attributes = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.append(...children);
    return element;
  };
  const button = (text, onclick) => make("button", { type: "button", textContent: text, onclick });

  // Light, dark, or as the browser has it. A page opened as a file may have no storage.
  const themes = ["automatic", "light", "dark"];
  const recall = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* not kept */ } };
  const theme = button("", () => show(themes[(themes.indexOf(theme.value) + 1) % 3]));
  function show(name) {
    theme.value = name;
    theme.textContent = `Colours: ${name === "automatic" ? "auto" : name}`;
    document.documentElement.dataset.theme = name;
    remember(name);
  }
  show(themes.includes(recall()) ? recall() : "automatic");
  const tools = make("div", { className: "tools" }, theme);
  document.querySelector("nav.pages")?.append(tools);

  // The list of contents is open where it has a column of its own.
  const contents = document.querySelector("nav.contents details");
  if (contents && matchMedia("(min-width: 64rem)").matches) contents.open = true;

  // Code: folded and unfolded, one cell or all; copied.
  const cells = [...document.querySelectorAll(".input_area")].map((cell) => {
    const fold = button("Hide code", () => set(!cell.classList.contains("folded")));
    const set = (folded) => {
      cell.classList.toggle("folded", folded);
      fold.textContent = folded ? "Show code" : "Hide code";
      fold.ariaExpanded = String(!folded);
    };
    const copy = button("Copy", async () => {
      const text = cell.querySelector("pre").textContent;
      try {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(cell.querySelector("pre"));
        copy.textContent = "Selected";
      }
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    });
    cell.prepend(make("div", { className: "cell-tools" }, copy, fold));
    set(false);
    return set;
  });
  if (cells.length) {
    const all = button("Hide all code", () => {
      const folded = all.textContent === "Hide all code";
      cells.forEach((set) => set(folded));
      all.textContent = folded ? "Show all code" : "Hide all code";
    });
    (document.querySelector(".downloads") ?? tools).append(all);
  }

  // Pictures and charts, enlarged: by a click or Enter.
  const dialog = make("dialog", { className: "enlarged", ariaLabel: "Enlarged picture", onclick: () => dialog.close() });
  document.body.append(dialog);
  const enlarge = (picture) => {
    const figure = picture.closest("figure");
    const words = [...figure?.children ?? []].filter((part) => part.matches("figcaption, .g-legend")).map((part) => part.cloneNode(true));
    words.forEach((part) => part.querySelector(".anchor-link")?.remove());
    const whole = make("figure", { className: "g-figure" }, ...words, picture.cloneNode(true));
    dialog.replaceChildren(button("Close", () => dialog.close()), make("div", { className: "glyphs" }, whole));
    dialog.showModal();
  };
  for (const picture of document.querySelectorAll("main :is(.glyphs img, .glyphs .g-scroll > svg, .text_cell_render img)")) {
    picture.classList.add("enlarges");
    picture.addEventListener("click", () => enlarge(picture));
    // A frame that scrolls has the focus already.
    const frame = picture.parentElement.matches(".g-scroll") ? picture.parentElement : picture;
    if (frame === picture) Object.assign(picture, { tabIndex: 0, role: "button" });
    frame.addEventListener("keydown", (event) => {
      if (event.target !== frame || event.key !== "Enter") return;
      // The same key would press what has the focus next: Close.
      event.preventDefault();
      enlarge(picture);
    });
  }

  // Tables: sorted by a click on a header, filtered where they are long.
  const number = (text) => {
    const time = text.match(/^(?:(\d+)\sh\s)?(\d+)\smin(?:\s(\d+)\ss)?$/);
    if (time) return 3600 * (time[1] ?? 0) + 60 * time[2] + Number(time[3] ?? 0);
    if (/^\d{4}-\d\d-/.test(text)) return NaN;
    return Number.parseFloat(text.replaceAll(/[,\u2009\u00a0]/g, "").replace("\u2212", "-"));
  };
  const sorts = [];
  for (const table of document.querySelectorAll("main :is(.g-table, .scroll > table)")) {
    const body = table.tBodies[0];
    const rows = [...body.rows].filter((row) => !row.matches(".g-total"));
    // What a phone has no room for beside the figures that a table is about.
    for (const header of table.querySelectorAll("thead th")) {
      if (!/^(each seed|processor)\b/.test(header.textContent)) continue;
      for (const row of table.rows) row.cells[header.cellIndex]?.classList.add("minor");
    }
    if (rows.length < 3) continue;
    for (const header of table.querySelectorAll("th")) {
      if (!header.textContent.trim()) continue;
      const sort = button(header.textContent, () => {
        const falling = header.ariaSort === "ascending";
        table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
        header.ariaSort = falling ? "descending" : "ascending";
        const order = (a, b) => {
          const [x, y] = [a, b].map((row) => row.cells[header.cellIndex]?.textContent.trim() ?? "");
          return number(x) - number(y) || x.localeCompare(y, "en");
        };
        rows.sort((a, b) => (falling ? -order(a, b) : order(a, b)));
        body.prepend(...rows);
      });
      header.replaceChildren(sort);
      sorts.push([header, sort]);
    }
    if (rows.length < 16) continue;
    const filter = make("input", { type: "search", oninput: () => {
      const wanted = filter.value.toLowerCase();
      rows.forEach((row) => { row.hidden = !row.textContent.replaceAll("\u00a0", " ").toLowerCase().includes(wanted); });
    } });
    table.parentElement.before(make("label", { className: "filter" }, "Filter rows ", filter));
  }
  // On paper a header is repeated on each page, which browsers do with text but not with buttons.
  addEventListener("beforeprint", () => sorts.forEach(([header, sort]) => header.replaceChildren(sort.textContent)));
  addEventListener("afterprint", () => sorts.forEach(([header, sort]) => header.replaceChildren(sort)));
})();
