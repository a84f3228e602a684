import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))
os.chdir(ROOT)


def missing(what):
    """Skips a test that this machine cannot run; in CI it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def chromium():
    """The browser's program."""
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        if name and shutil.which(name):
            return shutil.which(name)
    missing("Chromium is not installed")
