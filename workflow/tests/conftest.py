import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

import picture  # noqa: E402

os.chdir(ROOT)


# `pytest -n 2 --dist loadgroup`: what works with kernels, one after another, and the rest beside it.
KERNELS = {"test_kernel", "test_lab", "test_runner", "test_setup", "test_verify"}


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xdist_group("kernels" if item.path.stem in KERNELS else "pages"))


def missing(what):
    """Skips a test that this machine cannot run; in CI it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def chromium():
    """The browser's program."""
    return picture.chromium() or missing("Chromium is not installed")
