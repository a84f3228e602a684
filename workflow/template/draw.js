// A drawing read by the published network. `glyphsDraw` repeats, operation by operation, what
// lib/src/image (ink, specks, preprocess, resample) and the network's evaluation do.
"use strict";
const glyphsDraw = (() => {
  const { SIDE, PIXELS, data } = board;
  const f = Math.fround;
  const THRESHOLD = 128, MAX_SHARE = 0.15, BOX = 24;
  const TYPICAL = [[0.49, 0.12], [0.28, 0.084], [0.49, 0.061], [0.525, 0.053], [0.058, 0.02], [0.29, 0.34]];

  /** Grey pixels with the ink bright: inverted where the image's border is light. */
  function ink(grey, width, height) {
    let sum = 0, count = 0;
    const look = (y, x) => { sum += grey[y * width + x]; count++; };
    for (const y of [0, height - 1]) for (let x = 0; x < width; x++) look(y, x);
    for (let y = 0; y < height; y++) for (const x of [0, width - 1]) look(y, x);
    const pixels = grey.slice();
    if (sum * 2 >= count * 255) for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - pixels[i];
    return pixels;
  }

  /** Wipes out small marks off the corners of the largest one. */
  function wipeSpecks(pixels, width, height) {
    const size = Math.max(1, Math.floor(Math.max(width, height) / 300));
    const columns = Math.ceil(width / size), lines = Math.ceil(height / size);
    const blocks = new Uint8Array(columns * lines);
    for (let y = 0, i = 0; y < height; y++) {
      const line = Math.floor(y / size) * columns;
      for (let x = 0; x < width; x++, i++) if (pixels[i] >= THRESHOLD) blocks[line + Math.floor(x / size)] = 1;
    }
    const marks = [];
    for (let start = 0; start < blocks.length; start++) {
      if (!blocks[start]) continue;
      blocks[start] = 0;
      const mark = { blocks: [start], top: lines, bottom: 0, left: columns, right: 0 };
      for (let next = 0; next < mark.blocks.length; next++) {
        const y = Math.floor(mark.blocks[next] / columns), x = mark.blocks[next] % columns;
        mark.top = Math.min(mark.top, y); mark.bottom = Math.max(mark.bottom, y);
        mark.left = Math.min(mark.left, x); mark.right = Math.max(mark.right, x);
        for (let j = Math.max(0, y - 1); j < Math.min(lines, y + 2); j++)
          for (let i = Math.max(0, x - 1); i < Math.min(columns, x + 2); i++)
            if (blocks[j * columns + i]) { blocks[j * columns + i] = 0; mark.blocks.push(j * columns + i); }
      }
      marks.push(mark);
    }
    if (!marks.length) return;
    const main = marks.reduce((a, b) => (b.blocks.length >= a.blocks.length ? b : a));
    const total = marks.reduce((sum, mark) => sum + mark.blocks.length, 0);
    for (const mark of marks) {
      const aside = mark.right < main.left || main.right < mark.left;
      const above = mark.bottom < main.top || main.bottom < mark.top;
      if (!(mark.blocks.length < MAX_SHARE * total && aside && above)) continue;
      for (const block of mark.blocks) {
        const top = Math.floor(block / columns) * size, left = (block % columns) * size;
        for (let y = top; y < Math.min(top + size, height); y++)
          pixels.fill(0, y * width + left, y * width + Math.min(left + size, width));
      }
    }
  }

  /** The smallest rectangle that holds all ink, and the ink's share; null where there is none. */
  function bounds(pixels, width, height) {
    let left = width, right = -1, top = height, bottom = -1, count = 0;
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++)
        if (pixels[i] >= THRESHOLD) {
          count++;
          if (x < left) left = x;
          if (x > right) right = x;
          if (y < top) top = y;
          bottom = y;
        }
    if (!count) return null;
    return { left, top, width: right - left + 1, height: bottom - top + 1, share: f(count / pixels.length) };
  }

  function cells(start, length, pixels) {
    const edge = (i) => f(start + f(f(length * i) / SIDE));
    return Array.from({ length: SIDE }, (_, i) => {
      const from = edge(i), to = edge(i + 1);
      const end = Math.min(Math.max(Math.ceil(to), 0), pixels);
      return { from, to, end, first: Math.min(Math.max(Math.floor(from), 0), end) };
    });
  }
  const weight = (cell, i) => Math.max(f(Math.min(cell.to, i + 1) - Math.max(cell.from, i)), 0);

  /** The mean ink of 28 x 28 cells of a square, by exact area. */
  function resample(pixels, width, height, left, top, side) {
    const columns = cells(left, side, width), out = new Uint8Array(PIXELS);
    const from = columns[0].first, to = columns[SIDE - 1].end, sums = new Float32Array(width);
    cells(top, side, height).forEach((row, j) => {
      sums.fill(0);
      for (let y = row.first; y < row.end; y++) {
        const share = weight(row, y);
        for (let x = from, i = y * width + from; x < to; x++, i++) sums[x] += f(share * pixels[i]);
      }
      columns.forEach((column, i) => {
        let total = 0;
        for (let x = column.first; x < column.end; x++) total = f(total + f(weight(column, x) * sums[x]));
        out[j * SIDE + i] = Math.round(f(total / f(f(row.to - row.from) * f(column.to - column.from))));
      });
    });
    return out;
  }

  /** What the network sees of a drawing: 28 x 28 pixels and six features. */
  function preprocess(grey, width, height) {
    const pixels = ink(grey, width, height);
    wipeSpecks(pixels, width, height);
    const box = bounds(pixels, width, height);
    if (!box) return null;
    const side = f(f(Math.max(box.width, box.height) * SIDE) / BOX);
    const middle = [box.left + box.width / 2, box.top + box.height / 2];
    const [left, top] = middle.map((value) => f(value - f(side / 2)));
    const shares = [
      box.height / height, box.width / width, middle[0] / width, middle[1] / height, box.share,
      Math.log(f(box.height / box.width)),
    ];
    const features = shares.map((value, i) => f(f(f(value) - f(TYPICAL[i][0])) / f(TYPICAL[i][1])));
    return { pixels: resample(pixels, width, height, left, top, side), features };
  }

  // The network.
  let tensors;
  const ready = board.inflate(data.weights).then((bytes) => {
    let offset = 0;
    tensors = {};
    for (const [name, count] of data.tensors) {
      tensors[name] = new Float32Array(bytes.buffer, offset, count);
      offset += 4 * count;
    }
    // The dense layer's weights: whole numbers, low bytes before high ones, with a scale for each row.
    const rows = tensors.scale.length, count = data.dense, columns = count / rows;
    const low = bytes.subarray(offset, offset + count), high = bytes.subarray(offset + count, offset + 2 * count);
    tensors.dense = Float32Array.from(low, (value, i) =>
      (value + 256 * high[i] - data.middle) * tensors.scale[Math.floor(i / columns)]);
  });

  /** A convolution of 3 x 3 with its batch normalisation folded in, and a ReLU. */
  function convolve(input, channels, side, name) {
    const weights = tensors[`${name}.weight`], bias = tensors[`${name}.bias`];
    const wide = side + 2, area = wide * wide, padded = new Float32Array(channels * area);
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < side; y++)
        padded.set(input.subarray((c * side + y) * side, (c * side + y + 1) * side), c * area + (y + 1) * wide + 1);
    const out = new Float32Array(bias.length * side * side);
    for (let o = 0; o < bias.length; o++) {
      const plane = out.subarray(o * side * side, (o + 1) * side * side).fill(bias[o]);
      for (let c = 0; c < channels; c++) {
        const w = weights.subarray((o * channels + c) * 9, (o * channels + c + 1) * 9);
        const [a, b, d, e, g, h, k, l, m] = w;
        for (let y = 0; y < side; y++) {
          let p = c * area + y * wide;
          for (let x = 0, q = y * side; x < side; x++, q++, p++) {
            plane[q] += a * padded[p] + b * padded[p + 1] + d * padded[p + 2]
              + e * padded[p + wide] + g * padded[p + wide + 1] + h * padded[p + wide + 2]
              + k * padded[p + 2 * wide] + l * padded[p + 2 * wide + 1] + m * padded[p + 2 * wide + 2];
          }
        }
      }
    }
    for (let i = 0; i < out.length; i++) if (out[i] < 0) out[i] = 0;
    return out;
  }

  function pool(input, channels, side) {
    const half = side / 2, out = new Float32Array(channels * half * half);
    for (let c = 0, q = 0; c < channels; c++)
      for (let y = 0; y < side; y += 2)
        for (let x = 0; x < side; x += 2, q++) {
          const p = (c * side + y) * side + x;
          out[q] = Math.max(input[p], input[p + 1], input[p + side], input[p + side + 1]);
        }
    return out;
  }

  function linear(x, weights, bias) {
    const out = new Float32Array(bias);
    for (let o = 0, p = 0; o < out.length; o++) {
      let sum = 0;
      for (let i = 0; i < x.length; i++, p++) sum += weights[p] * x[i];
      out[o] += sum;
    }
    return out;
  }

  /** The probability of each class. */
  function read({ pixels, features }) {
    let x = Float32Array.from(pixels, (value) => value / 255);
    x = pool(convolve(convolve(x, 1, 28, "block1.1"), 32, 28, "block1.2"), 32, 28);
    x = pool(convolve(convolve(x, 32, 14, "block2.1"), 64, 14, "block2.2"), 64, 14);
    const beside = linear(features, tensors.features, tensors.hidden);
    const hidden = linear(x, tensors.dense, beside).map((value) => Math.max(value, 0));
    const logits = linear(hidden, tensors["output.weight"], tensors["output.bias"]);
    const most = Math.max(...logits), shares = Array.from(logits, (value) => Math.exp(value - most));
    const total = shares.reduce((a, b) => a + b);
    return shares.map((share) => share / total);
  }

  return { ready, preprocess, read };
})();

(async () => {
  const { data, element, percent } = board;
  const canvas = element("paper"), context = canvas.getContext("2d", { willReadFrequently: true });
  const training = await board.inflate(data.pixels);
  await glyphsDraw.ready;
  let strokes = [];

  function paint() {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(context, { lineWidth: data.pen, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
    for (const stroke of strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
  }

  function grey() {
    const { data: colours } = context.getImageData(0, 0, canvas.width, canvas.height);
    const grey = new Uint8Array(colours.length / 4);
    for (let i = 0; i < grey.length; i++) grey[i] = colours[4 * i];
    return grey;
  }

  function read() {
    const start = performance.now();
    const seen = glyphsDraw.preprocess(grey(), canvas.width, canvas.height);
    if (!seen) return clear();
    const shares = glyphsDraw.read(seen), milliseconds = performance.now() - start;
    const best = shares.map((share, i) => [i, share]).sort((a, b) => b[1] - a[1]).slice(0, 5);
    board.rows(element("answers"), best.map(([i, share]) => [data.classes[i], percent(share)]));
    const [answer, share] = best[0];
    element("said").textContent = `Read as ${data.classes[answer]}, ${percent(share)}, in ${milliseconds.toFixed(0)} ms.`;
    element("seen").replaceChildren(board.tile(seen.pixels, "What the network sees of the drawing"));
    element("nearest").replaceChildren(...board.neighbours(seen.pixels, training, () => true, (i) =>
      `${data.classes[data.labels[i]]}, writer ${data.writers[i]}`));
    document.body.dataset.milliseconds = milliseconds;
  }

  function clear() {
    strokes = [];
    paint();
    element("answers").replaceChildren();
    element("seen").replaceChildren();
    element("nearest").replaceChildren();
    element("said").textContent = "Nothing has been drawn.";
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  // The pointer that draws: another finger, or the palm, does not.
  let drawing = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== null || event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    drawing = event.pointerId;
    strokes.push([at(event)]);
    paint();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drawing !== event.pointerId) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).push(at(each));
    paint();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (drawing !== event.pointerId) return;
      drawing = null;
      read();
    });
  }
  // The browser compiles what has run: so the first drawing waits no longer than the others.
  const sheet = new Uint8Array(canvas.width * canvas.height).fill(255).fill(0, canvas.width * 400, canvas.width * 500);
  for (let i = 0; i < 3; i++) glyphsDraw.read(glyphsDraw.preprocess(sheet, canvas.width, canvas.height));
  element("clear").onclick = clear;
  element("undo").onclick = () => { strokes.pop(); paint(); read(); };
  clear();
  document.body.dataset.ready = "yes";
})();
