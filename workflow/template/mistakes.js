// Every drawing that a network never saw: filtered, sorted, and looked at.
"use strict";
(async () => {
  const { data, element, percent, PIXELS } = board;
  const STEP = 120;
  const all = await board.inflate(data.pixels);
  const image = (i) => all.subarray(i * PIXELS, (i + 1) * PIXELS);
  const name = (label) => data.classes[label];
  const group = (label) => data.lookalikes.findIndex((group) => group.includes(name(label)));
  const entries = data.drawings.map((drawing, index) => ({ ...drawing, index })).filter(({ readings }) => readings.length);
  for (const entry of entries) {
    const answers = entry.readings.map(({ best }) => best[0]);
    const wrong = answers.filter(([answer]) => answer !== entry.label);
    entry.wrong = wrong.length;
    entry.apart = wrong.some(([answer]) => group(answer) < 0 || group(answer) !== group(entry.label));
    // The answer shown: a wrong one where there is one.
    [entry.answer, entry.confidence] = wrong[0] ?? answers[0];
  }

  const fill = (id, values) => values.forEach((value) => element(id).add(new Option(value, value)));
  fill("class", data.classes);
  fill("writer", [...new Set(entries.map(({ writer }) => writer))].sort((a, b) => a - b));
  const orders = {
    "most confident first": (a, b) => b.confidence - a.confidence,
    "least confident first": (a, b) => a.confidence - b.confidence,
    "by class": (a, b) => a.label - b.label || a.writer - b.writer,
    "by writer": (a, b) => a.writer - b.writer || a.label - b.label,
  };
  fill("order", Object.keys(orders));
  const kinds = {
    wrong: ({ wrong }) => wrong > 0,
    "wrong-apart": ({ apart }) => apart,
    right: ({ wrong }) => wrong === 0,
    all: () => true,
  };

  let shown = STEP;
  function show() {
    const chosen = (id) => element(id).value;
    const least = Number(chosen("least")) / 100, most = Number(chosen("most")) / 100;
    const found = entries.filter((entry) => kinds[chosen("kind")](entry)
      && (!chosen("class") || name(entry.label) === chosen("class"))
      && (!chosen("writer") || String(entry.writer) === chosen("writer"))
      && entry.confidence >= least && entry.confidence <= most + 1e-9);
    found.sort(orders[chosen("order")]);
    element("count").textContent = `${found.length} of ${entries.length} drawings`;
    element("drawings").replaceChildren(...found.slice(0, shown).map((entry) => {
      const words = `${name(entry.label)} read as ${name(entry.answer)}, ${percent(entry.confidence, 0)}`;
      const button = document.createElement("button");
      button.type = "button";
      button.append(board.figure(board.tile(image(entry.index), ""), words));
      button.querySelector("canvas").ariaHidden = "true";
      button.onclick = () => open(entry);
      return button;
    }));
    element("more").hidden = found.length <= shown;
  }
  for (const id of ["kind", "class", "writer", "least", "most", "order"]) {
    element(id).addEventListener("input", () => { shown = STEP; show(); });
  }
  element("more").onclick = () => { shown += STEP; show(); };

  function open(entry) {
    element("title").textContent = `${name(entry.label)}, writer ${entry.writer} (${entry.name})`;
    const picture = new Image();
    picture.src = `data:image/png;base64,${entry.picture}`;
    picture.alt = `The whole drawing of ${name(entry.label)}`;
    element("whole").replaceChildren(picture, board.tile(image(entry.index), "What the networks see"));
    board.rows(element("answers"), entry.readings.map(({ network, best, truth }) => [
      data.networks[network], ...best.map(([label, share]) => `${name(label)} ${percent(share)}`), percent(truth)]));
    const learned = (i) => !data.drawings[i].readings.some(({ network }) => entry.readings.some((own) => own.network === network));
    element("nearest").replaceChildren(...board.neighbours(image(entry.index), all, learned, (i) =>
      `${name(data.drawings[i].label)}, writer ${data.drawings[i].writer}`));
    element("details").showModal();
    location.replace(`#${entry.name}`);
  }
  element("close").onclick = () => element("details").close();
  element("details").addEventListener("close", () => history.replaceState(null, "", "#"));
  show();
  const linked = entries.find(({ name }) => `#${name}` === location.hash);
  if (linked) open(linked);
  document.body.dataset.ready = "yes";
})();
