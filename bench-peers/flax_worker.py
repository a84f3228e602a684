"""JAX with Flax and Optax, compiled as a function of the state, as Flax's guide to performance says."""

from functools import partial

import flax
import jax
import jax.numpy as jnp
import networks
import optax
from flax import nnx


def module(layer, channels, units, rngs):
    match layer:
        case ("conv", outputs, kernel):
            return nnx.Conv(channels, outputs, (kernel, kernel), rngs=rngs)
        case ("norm",):
            return nnx.BatchNorm(channels, momentum=0.9, epsilon=1e-5, rngs=rngs)
        case ("relu",):
            return nnx.relu
        case ("pool",):
            return partial(nnx.max_pool, window_shape=(2, 2), strides=(2, 2))
        case ("flatten",):
            return lambda x: x.reshape(len(x), -1)
        case ("dropout", p):
            return nnx.Dropout(p, rngs=rngs)
        case ("dense", outputs):
            return nnx.Linear(units, outputs, rngs=rngs)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def step(graph, state, images, labels):
    model, adam = nnx.merge(graph, state)
    model.train()

    def loss(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(images), labels).mean()

    value, gradients = nnx.value_and_grad(loss)(model)
    adam.update(model, gradients)
    return nnx.state((model, adam)), value


@partial(jax.jit, static_argnums=0)
def infer(graph, state, images):
    model, _ = nnx.merge(graph, state)
    model.eval()
    return model(images)


class Network:
    def __init__(self, name):
        self.name = name
        rngs = nnx.Rngs(0)
        stack = [module(layer, channels, units, rngs) for layer, channels, _, units in networks.shapes(name)]
        self.keep(nnx.Sequential(*stack))

    def keep(self, model):
        adam = nnx.Optimizer(model, optax.adam(1e-3), wrt=nnx.Param)
        self.graph, self.state = nnx.split((model, adam))

    def load(self, tensors):
        model, _ = nnx.merge(self.graph, self.state)
        kinds = (nnx.Conv, nnx.BatchNorm, nnx.Linear)
        mine = [layer for layer in model.layers if isinstance(layer, kinds)]
        for layer, (_, values) in zip(mine, networks.rows_last(self.name, tensors), strict=True):
            norm = isinstance(layer, nnx.BatchNorm)
            names = ("scale", "bias", "mean", "var") if norm else ("kernel", "bias")
            for name, value in zip(names, values):
                getattr(layer, name)[...] = jnp.asarray(value)
        self.keep(model)

    def batch(self, images, labels):
        return jnp.asarray(images.transpose(0, 2, 3, 1)), jnp.asarray(labels)

    def train(self, images, labels):
        self.state, loss = step(self.graph, self.state, images, labels)
        jax.block_until_ready((self.state, loss))

    def logits(self, images):
        return jax.block_until_ready(infer(self.graph, self.state, images))


networks.serve(f"{flax.__version__}, JAX {jax.__version__}", Network)
