"""Keras on TensorFlow: answers the requests that README.md describes."""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
from keras import layers


def network(name):
    units, dropout = (500, 0.7) if name == "experimental" else (1000, 0.5)
    stack = [layers.Input((28, 28, 1))]
    for channels in (32, 64):
        for _ in range(2):
            stack.append(layers.Conv2D(channels, 3, padding="same"))
            if name != "plain":
                stack.append(layers.BatchNormalization(momentum=0.9, epsilon=1e-5))
            stack.append(layers.ReLU())
        stack.append(layers.MaxPooling2D(2))
    stack += [
        layers.Flatten(),
        layers.Dense(units, activation="relu"),
        layers.Dropout(dropout),
        layers.Dense(10),
    ]
    model = keras.Sequential(stack)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    return model


def main():
    models = {}
    rng = np.random.default_rng(1)
    print("ready", keras.__version__, flush=True)
    for line in sys.stdin:
        task, name, count = line.split()
        count = int(count)
        model = models.get(name) or models.setdefault(name, network(name))
        images = rng.random((count, 28, 28, 1), dtype=np.float32)
        labels = rng.integers(0, 10, count)
        start = time.perf_counter()
        if task == "train":
            model.train_on_batch(images, labels)
        else:
            for first in range(0, count, 1000):
                model.predict_on_batch(images[first : first + 1000])
        print((time.perf_counter() - start) * 1e3, flush=True)


main()
