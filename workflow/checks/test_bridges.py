"""Networks outside of this project: the ONNX models in onnxruntime and in tract, and the golden
logits of PyTorch. `make test` runs this after the Rust tests, which write some of the models."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy
import onnxruntime
import pytest
import safetensors
import tract
from safetensors.numpy import load_file

CHECKS = Path(__file__).parent
WRITTEN = Path(os.environ["CARGO_TARGET_DIR"]) / os.environ["CARGO_BUILD_TARGET"] / "tmp/onnx"
GOLDEN = json.loads((CHECKS / "logits.json").read_text())["logits"]
CHECKPOINTS = "outputs/reference/checkpoints"
CLOSE = 1e-4


def wave(*shape):
    return ((numpy.sin(numpy.arange(numpy.prod(shape)) * 0.07) + 1) / 2).astype("f4").reshape(shape)


def with_onnxruntime(path, inputs):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {value.name: inputs[value.name] for value in session.get_inputs()})[0]


def with_tract(path, inputs):
    model = tract.onnx().load(str(path))
    values = [inputs[model.input_name(i)] for i in range(model.input_count())]
    return model.into_model().into_runnable().run(values)[0].to_numpy()


RUNTIMES = pytest.mark.parametrize("logits_of", [with_onnxruntime, with_tract])


@RUNTIMES
@pytest.mark.parametrize("name", ["residual", "features"])
def test_every_kind_of_layer(logits_of, name):
    values = load_file(WRITTEN / f"{name}.safetensors")
    for batch in (7, 1):
        first = {name: value[:batch] for name, value in values.items()}
        logits = logits_of(WRITTEN / f"{name}.onnx", first)
        assert numpy.abs(logits - first["logits"]).max() < CLOSE


@pytest.fixture(scope="module", params=sorted(GOLDEN))
def exported(request, tmp_path_factory):
    """A published network's name, and its ONNX model."""
    onnx = tmp_path_factory.mktemp("onnx") / f"{request.param}.onnx"
    checkpoint = f"{CHECKPOINTS}/{request.param}.safetensors"
    subprocess.run(["glyphs", "export", checkpoint, "--onnx", onnx], check=True)
    return request.param, onnx


@RUNTIMES
def test_a_published_network_gives_the_golden_logits(logits_of, exported):
    name, onnx = exported
    weights = load_file(f"{CHECKPOINTS}/{name}.safetensors").get("features.weight", numpy.empty((0, 0)))
    logits = logits_of(onnx, {"images": wave(3, 1, 28, 28), "features": wave(3, weights.shape[1])})
    remedy = "where other networks were published, make logits.json again (pytorch_network.py)"
    assert numpy.abs(logits - numpy.array(GOLDEN[name])).max() < CLOSE, remedy


def test_the_model_says_what_its_classes_are(exported):
    name, onnx = exported
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    assert len(json.loads(metadata["classes"])) == len(GOLDEN[name][0])


# PyTorch is too large to be installed for one test: the system's Python has it (on Debian and Ubuntu
# python3-torch, which .ci/run installs), or the peers of `make bench`, or this one.
PYTHONS = ["/usr/bin/python3", "bench-peers/.venv/bin/python", sys.executable]


def test_pytorch_gives_the_golden_logits_of_the_published_networks(tmp_path):
    # The only other package that it needs, for all of these.
    (tmp_path / "safetensors").symlink_to(Path(safetensors.__file__).parent)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    asked = ((python, subprocess.run([python, "-c", "import torch"], capture_output=True)) for python in PYTHONS if Path(python).exists())
    python = next((python for python, has_torch in asked if has_torch.returncode == 0), None)
    if python is None:
        pytest.skip("PyTorch is not installed (on Debian: python3-torch)")
    done = subprocess.run([python, CHECKS / "pytorch_network.py"], env=environment, stdout=subprocess.PIPE, check=True)
    logits = json.loads(done.stdout)["logits"]
    assert logits.keys() == GOLDEN.keys()
    for name, golden in GOLDEN.items():
        assert numpy.abs(numpy.array(logits[name]) - numpy.array(golden)).max() < CLOSE, name
