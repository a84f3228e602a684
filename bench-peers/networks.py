"""The networks of `make bench` for the peers in Python, and how a peer answers requests (README.md)."""

import json
import sys
import time

import numpy as np
from safetensors.numpy import load_file

BATCHES = (100, 250, 1000)
"""Sizes of which inference takes the one that is fastest for the peer, on its first 1,000 images."""
TENSORS = {"conv": 2, "norm": 4, "dense": 2}
"""Tensors of a layer: weight, bias, and the running statistics."""


def layers(name):
    """Kinds of layers with their sizes, in order."""
    lenet = name == "lenet"
    stack = []
    for channels, times in ((6, 1), (16, 1)) if lenet else ((32, 2), (64, 2)):
        for _ in range(times):
            stack.append(("conv", channels, 5 if lenet else 3))
            if name != "plain":
                stack.append(("norm",))
            stack.append(("relu",))
        stack.append(("pool",))
    stack.append(("flatten",))
    if lenet:
        return stack + [("dense", 120), ("relu",), ("dense", 84), ("relu",), ("dense", 10)]
    units, dropout = (500, 0.7) if name == "experimental" else (1000, 0.5)
    return stack + [("dense", units), ("relu",), ("dropout", dropout), ("dense", 10)]


def shapes(name):
    """Each layer with the channels, side and units that it takes."""
    channels, side, units = 1, 28, 784
    for layer in layers(name):
        yield layer, channels, side, units
        if layer[0] == "conv":
            channels = layer[1]
        if layer[0] == "pool":
            side //= 2
        if layer[0] == "flatten":
            units = channels * side * side
        if layer[0] == "dense":
            units = layer[1]


def weighted(name, tensors):
    """Each layer that has tensors with its own, as the file has them, and the shape it takes."""
    tensors = iter(tensors)
    for layer, channels, side, _ in shapes(name):
        if layer[0] in TENSORS:
            yield layer, [next(tensors) for _ in range(TENSORS[layer[0]])], (channels, side)


def rows_last(name, tensors):
    """The same for networks whose channels are last."""
    flat = None
    for layer, values, (channels, side) in weighted(name, tensors):
        if layer[0] == "conv":
            values[0] = values[0].transpose(2, 3, 1, 0)
        elif layer[0] == "dense":
            weight = values[0]
            if flat is None:
                flat = weight.reshape(len(weight), channels, side, side).transpose(0, 2, 3, 1)
                weight = flat.reshape(len(weight), -1)
            values[0] = weight.T
        yield layer, values


def serve(version, network):
    """Answers requests. `network(name)` has `load(tensors)`, `batch(images, labels)` of numpy arrays,
    `train(*batch)` and `logits(images)`, which both return when all is computed."""
    models, best = {}, []
    rng = np.random.default_rng(1)

    def answer(task, name, argument):
        model = models.get(name) or models.setdefault(name, network(name))
        if task == "agree":
            tensors = load_file(argument)
            images = tensors.pop("images")
            model.load([tensors[key] for key in sorted(tensors)])
            images, _ = model.batch(images, np.zeros(len(images), dtype=np.int32))
            logits = np.asarray(model.logits(images), dtype=np.float32)
            return json.dumps([float(value) for value in logits.ravel()])
        count = int(argument)
        images = rng.random((count, 1, 28, 28), dtype=np.float32)
        batch = model.batch(images, (np.arange(count) % 10).astype(np.int32))

        def timed(work):
            start = time.perf_counter()
            work()
            return (time.perf_counter() - start) * 1e3

        def infer(size, count=count):
            for first in range(0, count, size):
                model.logits(batch[0][first : first + size])

        if task == "train":
            return timed(lambda: model.train(*batch))
        if count < 1000:
            return timed(lambda: infer(count))
        if not best:
            for size in BATCHES:
                infer(size, size)
            best.append(min(BATCHES, key=lambda size: timed(lambda: infer(size, 1000))))
        return timed(lambda: infer(best[0]))

    print("ready", version, flush=True)
    for line in sys.stdin:
        try:
            print(answer(*line.rstrip("\n").split(" ", 2)), flush=True)
        except Exception as error:
            print("error:", type(error).__name__, " ".join(str(error).split())[:300], flush=True)
