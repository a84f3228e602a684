// The drawings that a network was validated on, read by a person.
"use strict";
(async () => {
  const { data, element, percent, PIXELS } = board;
  const all = await board.inflate(data.pixels);
  const name = (label) => data.classes[label];
  const group = (label) => data.lookalikes.findIndex((group) => group.includes(name(label)));
  const isRight = (answer, truth, merged) =>
    answer === truth || (merged && group(answer) >= 0 && group(answer) === group(truth));
  let order, answers, view, since;

  function start() {
    view = element("view").value;
    order = data.drawings.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const other = Math.floor(Math.random() * (i + 1));
      [order[i], order[other]] = [order[other], order[i]];
    }
    order = order.slice(0, Number(element("number").value) || order.length);
    answers = [];
    element("start").hidden = element("result").hidden = true;
    element("reading").hidden = false;
    next();
  }

  function next() {
    if (answers.length === order.length) return finish();
    const index = order[answers.length], drawing = data.drawings[index];
    const pixels = all.subarray(index * PIXELS, (index + 1) * PIXELS);
    const whole = new Image();
    whole.src = `data:image/png;base64,${drawing.picture}`;
    whole.alt = "A drawing to read";
    element("drawing").replaceChildren(view === "cropped" ? board.tile(pixels, "A drawing to read, as the network sees it") : whole);
    element("progress").textContent = `Drawing ${answers.length + 1} of ${order.length}`;
    element("answer").value = "";
    element("answer").focus();
    since = performance.now();
  }

  function take(letter) {
    const label = data.classes.indexOf(letter);
    if (label < 0) return;
    answers.push({ index: order[answers.length], label, seconds: (performance.now() - since) / 1000 });
    next();
  }
  element("answer").addEventListener("input", (event) => take(event.target.value.slice(-1)));
  element("answer").addEventListener("keydown", (event) => {
    if (event.key !== "Backspace" || !answers.length) return;
    answers.pop();
    next();
  });
  element("begin").onclick = start;
  element("again").onclick = () => {
    element("start").hidden = false;
    element("reading").hidden = element("result").hidden = true;
    element("begin").focus();
  };
  element("stop").onclick = () => (answers.length ? finish() : element("again").onclick());

  function finish() {
    element("reading").hidden = true;
    element("result").hidden = false;
    element("again").focus();
    const score = (answer, merged) => {
      const right = answers.filter((given) => isRight(answer(given), data.drawings[given.index].label, merged)).length;
      const [low, high] = board.wilson(right, answers.length);
      // A line ends before the interval, not in it.
      return `${percent(right / answers.length)} (${percent(low)}\u00a0to\u00a0${percent(high)})`;
    };
    const person = ({ label }) => label, network = ({ index }) => data.drawings[index].network;
    board.rows(element("scores"), [["You", person], ["The network", network]].map(([who, answer]) =>
      [who, score(answer, false), score(answer, true)]));
    element("number-read").textContent = `${answers.length} drawings; in brackets Wilson's 95 % interval.`;
    const file = {
      format: "glyphs human answers 1", run: data.run, dataset_sha256: data.dataset, view,
      date: new Date().toISOString().slice(0, 10),
      answers: answers.map(({ index, label, seconds }) =>
        ({ drawing: data.drawings[index].name, answer: name(label), seconds: Number(seconds.toFixed(2)) })),
    };
    const link = element("save");
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
  }
  document.body.dataset.ready = "yes";
})();
