import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

import picture  # noqa: E402

os.chdir(ROOT)


def missing(what):
    """Skips a test that this machine cannot run; in CI it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def chromium():
    """The browser's program."""
    return picture.chromium() or missing("Chromium is not installed")
