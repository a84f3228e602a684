// What the pages share on which a reader draws, looks and answers.
"use strict";
const board = (() => {
  const SIDE = 28, PIXELS = SIDE * SIDE;
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);

  /** Bytes from base64 of deflated data. */
  async function inflate(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** An image of 28 x 28 as a picture; `words` for who cannot see it. */
  function tile(pixels, words) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    canvas.className = "tile";
    canvas.role = "img";
    canvas.ariaLabel = words;
    const context = canvas.getContext("2d");
    const image = context.createImageData(SIDE, SIDE);
    pixels.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /** The `count` images nearest to `pixels` by the sum of absolute differences, of those allowed. */
  function nearest(pixels, all, count, allowed) {
    const found = [];
    for (let i = 0; i < all.length / PIXELS; i++) {
      if (!allowed(i)) continue;
      let distance = 0;
      for (let p = 0, q = i * PIXELS; p < PIXELS; p++, q++) distance += Math.abs(pixels[p] - all[q]);
      found.push({ index: i, distance });
    }
    return found.sort((a, b) => a.distance - b.distance).slice(0, count);
  }

  /** Training drawings that look most like `pixels`, as captioned pictures. */
  function neighbours(pixels, all, allowed, describe) {
    return nearest(pixels, all, 5, allowed).map(({ index }) => {
      const words = describe(index);
      const image = tile(all.subarray(index * PIXELS, (index + 1) * PIXELS), words);
      return figure(image, words);
    });
  }

  function figure(picture, words) {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = words;
    figure.append(picture, caption);
    return figure;
  }

  /** Rows of a table from lists of words. */
  function rows(body, lists) {
    body.replaceChildren(...lists.map((list) => {
      const row = document.createElement("tr");
      list.forEach((words) => { row.insertCell().textContent = words; });
      return row;
    }));
  }

  const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}\u00a0%`;

  /** Wilson's 95 % interval of `right` in `total`. */
  function wilson(right, total) {
    const z = 1.959964, share = right / total, z2 = (z * z) / total;
    const middle = (share + z2 / 2) / (1 + z2);
    const half = (z / (1 + z2)) * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total));
    return [middle - half, middle + half];
  }

  return { SIDE, PIXELS, data, element, inflate, tile, nearest, neighbours, figure, rows, percent, wilson };
})();
