"""Times the notebook kernel: its start, the first `:dep`, trivial cells, cells with a network.

    measure_kernel.py [--warm]

Starts the kernel twice. The first start compiles what has changed in lib/; the
second one finds everything warm, and its times are what environment.md quotes.
With `--warm` only the first is made, and shows that a cell works (`make setup` does so).
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent
LENET5 = """type LeNet5 = (
    (Conv2d<1, 6, 5>, BatchNorm2d<6>, ReLU, MaxPool2d),
    (Conv2d<6, 16, 5>, BatchNorm2d<16>, ReLU, MaxPool2d),
    (Flatten<784>, Linear<784, 120>, ReLU, Linear<120, 2>),
);"""
SKIP = """type Skip = (
    (Conv2d<1, 8>, BatchNorm2d<8>, ReLU, MaxPool2d),
    Residual<(Conv2d<8, 8>, BatchNorm2d<8>, ReLU, Conv2d<8, 8>, BatchNorm2d<8>)>,
    (ReLU, GlobalAvgPool2d, Linear<8, 2>),
);"""
CELLS = [
    (":dep", ':dep glyphs = { path = "../lib" }\nuse glyphs::{ndarray::Array4, prelude::*};'),
    ("trivial cell", "1 + 1"),
    ("first variable", "let first: u32 = 40;"),
    ("next variable", "let second: u32 = first + 2;"),
    ("a cell that prints", 'println!("{second}");'),
    ("a cell that uses lib", 'let error: Error = Error::argument("a", "b");\nprintln!("{error}");'),
    ("a cell that defines a network and creates it", f"{LENET5}\nlet mut model: Network<LeNet5> = Network::new(0);"),
    ("its summary", "model.summary()"),
    (
        "32 images",
        "let images: Array4<u8> = Array4::from_shape_fn((32, 1, 28, 28), |(i, _, y, _)| ((i + y) % 2 * 255) as u8);\n"
        "let labels: Vec<usize> = (0..32).map(|i| i % 2).collect();\n"
        'let samples: Samples = Samples::new("stripes", images, labels, ["even", "odd"]).or_stop();',
    ),
    (
        "an epoch of training",
        "let config: Config = Config { epochs: 1, ..Config::default() };\n"
        "let history: History = fit(&mut model, &samples, &samples, &config).or_stop();",
    ),
    ("its evaluation", "let result: Evaluation = evaluate(&model, &samples).or_stop();\nresult"),
    ("a second network", f"{SKIP}\nlet mut second: Network<Skip> = Network::new(0);"),
]


def times(cells=CELLS):
    """Seconds of a kernel's start and of each cell."""
    folder = ROOT / "notebooks"
    folder.mkdir(exist_ok=True)
    seconds = {}
    begun = time.monotonic()
    manager, client = start_new_kernel(kernel_name="rust", cwd=str(folder), startup_timeout=600)
    try:
        seconds["start"] = time.monotonic() - begun
        for name, code in cells:
            begun = time.monotonic()
            problems = []
            reply = client.execute_interactive(
                code, allow_stdin=False, output_hook=lambda msg: note(msg, problems)
            )
            seconds[name] = time.monotonic() - begun
            if reply["content"]["status"] != "ok" or problems:
                sys.exit(f"{name}: {reply['content']['status']}\n" + "\n".join(problems))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return seconds


def note(msg, problems):
    if msg["msg_type"] == "error":
        problems.append(msg["content"]["evalue"])
    elif msg["msg_type"] == "stream" and msg["content"]["name"] == "stderr":
        problems.append(msg["content"]["text"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warm", action="store_true", help="make everything warm, and report nothing")
    arguments = parser.parse_args()
    os.environ["GLYPHS_KERNEL"] = "set-up"
    if arguments.warm:
        times(CELLS[:2])
        return
    cold = times()
    warm = times()
    print(f"{platform.platform()}, {os.cpu_count()} processors, {time.strftime('%Y-%m-%d')}")
    print("| seconds | first start | warm |\n|---|---|---|")
    for name in cold:
        print(f"| {name} | {cold[name]:.1f} | {warm[name]:.1f} |")


if __name__ == "__main__":
    main()
