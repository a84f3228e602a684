"""The tables of bench-peers/README.md, and who is left out of a comparison."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import readme

ROOT = Path(__file__).resolve().parents[2]


def times(median, bits=32):
    return {"median": median, "min": median - 1, "max": median + 1, "bits": bits}


def row(name, ratio_f32, ratio, limit=None):
    peers = {"keras": times(100), "pytorch_bfloat16": times(50, 16)}
    return {
        "name": name, "network": "original", "batch": 100, "threads": 2, "limit": limit, "ms": times(45), "peers": peers,
        "ours": {"glyphs, layers": times(54)}, "ratio_f32": ratio_f32, "ratio": ratio, "peak_share": 1.5, "peak_gflops": 233, "others": 0.01,
    }  # fmt: skip


def test_a_row_that_misses_its_goal_is_marked():
    # Training is held against f32, inference against all.
    [train] = [line for line in readme.timings([row("training step", 0.45, 0.9)], None) if "original" in line]
    assert "| 45.0 (44.0) | 100.0 (99.0) | 50.0 (49.0) | 0.45 | 0.90 | 150 % of 233 | 1 % |" in train
    [infer] = [line for line in readme.timings([row("inference", 0.45, 0.9)], None) if "original" in line]
    assert "| 0.45 | **0.90** |" in infer
    assert readme.timings([row("inference", 0.45, 0.9)], "AVX2") == []


def test_a_composed_network_is_compared_with_the_study_s():
    [sentence, _] = readme.composed([row("training step", 0.45, 0.9)])
    assert "takes 1.20 (batches of 100) times as long" in sentence


class Peer:
    """Stands for a contestant, whose logits differ by `difference`."""

    def __init__(self, name, difference=0.0, bits=32):
        self.name, self.difference, self.bits, self.ours = name, difference, bits, name == "glyphs"
        self.problem, self.networks, self.refused = None, ("original",), {}

    def request(self, task, network, path):
        return [json.dumps([1 + self.difference, 2])]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench.py", "ours"])
    spec = importlib.util.spec_from_file_location("bench", ROOT / "bench-peers/bench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_peer_with_other_logits_is_left_out(bench, tmp_path):
    everyone = [Peer("glyphs"), Peer("same", 1e-5), Peer("other", 2e-3), Peer("nan", float("nan")), Peer("half", 2e-3, bits=16)]
    bench.agreement(everyone, tmp_path)
    assert [peer.name for peer in everyone if peer.refused] == ["other", "nan"]
