"""A published network in PyTorch; needs torch and safetensors, and nothing of this project.

    python workflow/checks/pytorch_network.py > workflow/checks/logits.json   # the golden values
"""

import json
import math
from collections import OrderedDict as Layers
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn


def block(i, o):
    conv = lambda i: nn.Conv2d(i, o, 3, padding=1)
    return nn.Sequential(Layers(conv1=conv(i), bn1=nn.BatchNorm2d(o), relu1=nn.ReLU(),
                                conv2=conv(o), bn2=nn.BatchNorm2d(o), relu2=nn.ReLU(), pool=nn.MaxPool2d(2)))


class CharCnn(nn.Module):
    def __init__(self, hidden, classes, features):
        super().__init__()
        self.block1, self.block2 = block(1, 32), block(32, 64)
        self.hidden, self.output = nn.Linear(3136, hidden), nn.Linear(hidden, classes)
        self.features = nn.Linear(features, hidden, bias=False) if features else None

    def forward(self, images, features=None):  # (n, 1, 28, 28) from 0 to 1, and (n, features)
        units = self.hidden(self.block2(self.block1(images)).flatten(1))
        return self.output((units if features is None else units + self.features(features)).relu())


def load(checkpoint):
    """In evaluation mode."""
    tensors = load_file(checkpoint)
    if (scale := tensors.pop("hidden.weight.scale", None)) is not None:  # of each row of 8-bit integers
        tensors["hidden.weight"] = tensors["hidden.weight"] * scale[:, None]
    sizes = [len(tensors["hidden.bias"]), len(tensors["output.bias"])]
    features = tensors["features.weight"].shape[1] if "features.weight" in tensors else 0
    network = CharCnn(*sizes, features)
    counters = {name: torch.tensor(0) for name in network.state_dict() if name.endswith("num_batches_tracked")}
    network.load_state_dict(tensors | counters)
    return network.eval()


def wave(*shape):
    """The inputs of the golden values."""
    values = torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * 0.07)
    return ((values + 1) / 2).float().reshape(shape)


def golden(path):
    network = load(path)
    features = wave(3, network.features.in_features) if network.features else None
    with torch.no_grad():
        return network(wave(3, 1, 28, 28), features)


if __name__ == "__main__":
    paths = sorted(Path("outputs/reference/checkpoints").glob("*.safetensors"))
    logits = {path.stem: [[round(x, 6) for x in row] for row in golden(path).tolist()] for path in paths}
    print(json.dumps({"torch": torch.__version__, "logits": logits}))
