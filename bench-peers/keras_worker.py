"""Keras. Arguments: its backend, and the policy of its numbers (`float32`, `mixed_bfloat16`)."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = sys.argv[1]

import keras
import networks
import numpy as np
from keras import layers

keras.config.set_dtype_policy(sys.argv[2])
# "auto", "true" or "false": whether XLA compiles it.
JIT = {"true": True, "false": False}.get(os.environ.get("BENCH_KERAS_JIT"), "auto")


def layer_of(layer):
    match layer:
        case ("conv", channels, kernel):
            return layers.Conv2D(channels, kernel, padding="same")
        case ("norm",):
            return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        case ("relu",):
            return layers.ReLU()
        case ("pool",):
            return layers.MaxPooling2D(2)
        case ("flatten",):
            return layers.Flatten()
        case ("dropout", p):
            return layers.Dropout(p)
        case ("dense", units):
            return layers.Dense(units)


class Network:
    def __init__(self, name):
        self.name = name
        stack = [layer_of(layer) for layer in networks.layers(name)]
        self.model = keras.Sequential([layers.Input((28, 28, 1)), *stack])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, jit_compile=JIT)

    def load(self, tensors):
        mine = [layer for layer in self.model.layers if layer.weights]
        for layer, (_, values) in zip(mine, networks.rows_last(self.name, tensors), strict=True):
            layer.set_weights([np.ascontiguousarray(value) for value in values])

    def batch(self, images, labels):
        return images.transpose(0, 2, 3, 1).copy(), labels

    def train(self, images, labels):
        self.model.train_on_batch(images, labels)

    def logits(self, images):
        return self.model.predict_on_batch(images)


networks.serve(f"{keras.__version__} on {sys.argv[1]}", Network)
