"""The pages on which a reader acts: made from readings.json, which `glyphs readings` writes, and
from the checkpoint of the network that reads drawings."""

import base64
import json
import math
import os
import zlib
from array import array
from pathlib import Path

import results

# Bits of a weight of the dense layer, which has 97 % of all weights. With eight, probabilities are
# 0.002 away from the library's; ten keep the page below 6 MB.
BITS = 10
# The first block's convolutions, then the second's.
CONVOLUTIONS = [f"block{block}.{half}" for block in (1, 2) for half in (1, 2)]
EPSILON = 1e-5
# Width of the pen on a sheet of 1200 x 900, as the drawings' own (data/README.md).
PEN = 64
SIDE = 28


def make(outputs):
    """What each of these pages shows; none where nothing was read or there is no network."""
    path = Path(outputs) / "readings.json"
    if not path.exists():
        return []
    readings = json.loads(path.read_text())
    shared = {
        "network": readings["networks"][0],
        "networks": readings["networks"],
        "synthetic": readings["dataset"]["synthetic"],
        "count": sum(1 for drawing in readings["drawings"] if drawing["readings"]),
    }
    boards = [
        {"name": "draw", "short": "Draw", "title": "Draw a character", "about": "the network of part 1 says after every stroke what it reads", "bits": BITS, **shared, "data": draw(outputs, readings)},
        {"name": "mistakes", "short": "Mistakes", "title": "Every held-out drawing, and how it was read", "about": "what each network answered, how sure it was, and the most similar drawings that it learned from", **shared, "data": mistakes(readings)},
        {"name": "read", "short": "Read", "title": "Read them yourself", "about": "type what you see in drawings that the network was judged on, and compare your accuracy with the network's", **shared, "data": read(readings)},
    ]
    return [board for board in boards if board["data"]]


def draw(outputs, readings):
    """Weights, and the drawings that the network learned from."""
    network = f"checkpoints/{readings['networks'][0]['run']}.safetensors"
    found = [path for path in (Path(outputs) / network, results.PUBLISHED.parent / network) if path.exists()]
    if not found:
        return ""
    names, packed, count = pack(tensors(found[0]))
    learned = [drawing for drawing in readings["drawings"] if not any(n == 0 for n, _ in drawing["readings"])]
    return text(
        {
            "classes": readings["classes"],
            "tensors": names,
            "dense": count,
            "middle": 1 << (BITS - 1),
            "weights": packed,
            "pen": PEN,
            # In 16 greys, which is enough to look at and takes half the room.
            "pixels": pixels(learned, greys=16),
            "labels": [drawing["label"] for drawing in learned],
            "writers": [drawing["writer"] for drawing in learned],
        }
    )


def mistakes(readings):
    """The five best answers of each network to each drawing that it never saw."""
    best = lambda row: sorted(range(len(row)), key=row.__getitem__, reverse=True)[:5]
    return text(
        {
            "classes": readings["classes"],
            "lookalikes": readings["lookalikes"],
            "networks": [network["seed"] for network in readings["networks"]],
            "pixels": pixels(readings["drawings"]),
            "drawings": [
                {
                    "name": drawing["name"],
                    "label": drawing["label"],
                    "writer": drawing["writer"],
                    "picture": drawing["picture"],
                    "readings": [
                        {"network": n, "best": [[i, round(row[i], 4)] for i in best(row)], "truth": round(row[drawing["label"]], 4)}
                        for n, row in drawing["readings"]
                    ],
                }
                for drawing in readings["drawings"]
            ],
        }
    )


def read(readings):
    """The validation part of the first network, and what it read."""
    held_out = [
        (drawing, row) for drawing in readings["drawings"] for n, row in drawing["readings"] if n == 0
    ]
    return text(
        {
            "classes": readings["classes"],
            "lookalikes": readings["lookalikes"],
            "run": readings["networks"][0]["run"],
            "dataset": readings["dataset"]["sha256"],
            "pixels": pixels([drawing for drawing, _ in held_out]),
            "drawings": [
                {
                    "name": drawing["name"],
                    "label": drawing["label"],
                    "picture": drawing["picture"],
                    "network": max(range(len(row)), key=row.__getitem__),
                }
                for drawing, row in held_out
            ],
        }
    )


def text(data):
    """JSON inside a script element, which ends at no `</`."""
    return json.dumps(data, separators=(",", ":")).replace("</", "<\\/")


def deflated(data):
    return base64.b64encode(zlib.compress(data, 9)).decode()


def pixels(drawings, greys=256):
    step = 255 / (greys - 1)
    nearest = bytes(round(round(value / step) * step) for value in range(256))
    return deflated(b"".join(base64.b64decode(drawing["pixels"]) for drawing in drawings).translate(nearest))


def tensors(path):
    """Every tensor of a safetensors file, flat, as 32-bit numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    found = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            found[name] = array({"F32": "f", "I8": "b"}[entry["dtype"]], data[start + first : start + last])
    for name in [name for name in found if name.endswith(".scale")]:
        scales, whole = found.pop(name), found[name.removesuffix(".scale")]
        columns = len(whole) // len(scales)
        found[name.removesuffix(".scale")] = array("f", (value * scales[i // columns] for i, value in enumerate(whole)))
    return found


def pack(found):
    """Names with counts, and everything in one: 32-bit numbers, then the dense layer's weights in
    whole numbers, low bytes before high ones; how many these are."""
    kept = {}
    for name in CONVOLUTIONS:
        block, half = name.split(".")
        conv, norm = f"{block}.conv{half}", f"{block}.bn{half}"
        gamma, beta, mean, var = (found[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
        scales = [g / math.sqrt(v + EPSILON) for g, v in zip(gamma, var)]
        weights, bias = found[f"{conv}.weight"], found[f"{conv}.bias"]
        each = len(weights) // len(bias)
        kept[f"{name}.weight"] = array("f", (w * scales[i // each] for i, w in enumerate(weights)))
        kept[f"{name}.bias"] = array("f", (b + s * (c - m) for b, s, c, m in zip(beta, scales, bias, mean)))
    kept["features"], kept["hidden"] = found["features.weight"], found["hidden.bias"]
    kept["output.weight"], kept["output.bias"] = found["output.weight"], found["output.bias"]

    dense, rows = found["hidden.weight"], len(found["hidden.bias"])
    columns, middle = len(dense) // rows, 1 << (BITS - 1)
    scales, whole = array("f"), []
    for row in range(rows):
        weights = dense[row * columns : (row + 1) * columns]
        scales.append(max(map(abs, weights)) / (middle - 1) or 1.0)
        scale = scales[-1]
        whole.extend(round(weight / scale) + middle for weight in weights)
    kept["scale"] = scales
    planes = bytes(value & 255 for value in whole) + bytes(value >> 8 for value in whole)
    everything = b"".join(values.tobytes() for values in kept.values()) + planes
    return [[name, len(values)] for name, values in kept.items()], deflated(everything), len(whole)
