"""PyTorch, channels last, as its tuning guide says. Arguments: `compile` for torch.compile, `bf16` for autocast."""

import contextlib
import sys

import networks
import torch
from torch import nn


def module(layer, channels, units):
    match layer:
        case ("conv", outputs, kernel):
            return nn.Conv2d(channels, outputs, kernel, padding=kernel // 2)
        case ("norm",):
            return nn.BatchNorm2d(channels)
        case ("relu",):
            return nn.ReLU()
        case ("pool",):
            return nn.MaxPool2d(2)
        case ("flatten",):
            return nn.Flatten()
        case ("dropout", p):
            return nn.Dropout(p)
        case ("dense", outputs):
            return nn.Linear(units, outputs)


class Network:
    def __init__(self, name):
        self.name = name
        stack = [module(layer, channels, units) for layer, channels, _, units in networks.shapes(name)]
        self.model = nn.Sequential(*stack).to(memory_format=torch.channels_last)
        self.adam = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True)
        self.forward = torch.compile(self.model, dynamic=False) if "compile" in sys.argv else self.model

    def cast(self):
        return torch.autocast("cpu", torch.bfloat16) if "bf16" in sys.argv else contextlib.nullcontext()

    def load(self, tensors):
        modules = [m for m in self.model if isinstance(m, (nn.Conv2d, nn.BatchNorm2d, nn.Linear))]
        with torch.no_grad():
            for module, (_, values, _) in zip(modules, networks.weighted(self.name, tensors), strict=True):
                names = ("weight", "bias", "running_mean", "running_var")
                for name, value in zip(names, values):
                    getattr(module, name).copy_(torch.from_numpy(value))

    def batch(self, images, labels):
        return torch.from_numpy(images).to(memory_format=torch.channels_last), torch.from_numpy(labels).long()

    def train(self, images, labels):
        self.model.train()
        self.adam.zero_grad()
        with self.cast():
            loss = nn.functional.cross_entropy(self.forward(images), labels)
        loss.backward()
        self.adam.step()

    def logits(self, images):
        self.model.eval()
        with torch.inference_mode(), self.cast():
            return self.forward(images).float()


torch._dynamo.config.recompile_limit = 64
if "compile" in sys.argv:
    # Each size is compiled by itself, which takes long.
    networks.BATCHES = networks.BATCHES[:1]
networks.serve(torch.__version__, Network)
