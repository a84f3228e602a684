"""PyTorch: answers the requests that README.md describes. Argument: `channels_last` or `default`."""

import sys
import time

import torch
from torch import nn

LAYOUT = torch.channels_last if sys.argv[1] == "channels_last" else torch.contiguous_format


def network(name):
    units, dropout = (500, 0.7) if name == "experimental" else (1000, 0.5)
    stack, inputs = [], 1
    for channels in (32, 64):
        for _ in range(2):
            stack.append(nn.Conv2d(inputs, channels, 3, padding=1))
            if name != "plain":
                stack.append(nn.BatchNorm2d(channels))
            stack.append(nn.ReLU())
            inputs = channels
        stack.append(nn.MaxPool2d(2))
    stack += [nn.Flatten(), nn.Linear(3136, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, 10)]
    model = nn.Sequential(*stack).to(memory_format=LAYOUT)
    return model, torch.optim.Adam(model.parameters(), 1e-3)


def main():
    models = {}
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        task, name, count = line.split()
        count = int(count)
        model, adam = models.get(name) or models.setdefault(name, network(name))
        images = torch.rand(count, 1, 28, 28).to(memory_format=LAYOUT)
        labels = torch.randint(0, 10, (count,))
        start = time.perf_counter()
        if task == "train":
            model.train()
            adam.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            adam.step()
        else:
            model.eval()
            with torch.inference_mode():
                for batch in images.split(1000):
                    model(batch)
        print((time.perf_counter() - start) * 1e3, flush=True)


main()
