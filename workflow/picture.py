"""README's picture: the mistakes in the published page of notebook 2, as a browser shows them.

    picture.py [PAGE [PICTURE]]
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

REFERENCE = Path(__file__).resolve().parent.parent / "outputs/reference"
# In the title of the confusion matrix.
TITLE = "classified correctly"


def chromium():
    """The browser's program; none where it is not installed."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def main(page=REFERENCE / "report/02-cnn-dataset1.html", picture=REFERENCE / "report.png"):
    program = chromium()
    if not program:
        sys.exit("Chromium was not found: install it (on Debian: apt install chromium), or name its program in $CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        tab.goto(Path(page).resolve().as_uri())
        tab.locator("figure", has=tab.locator("figcaption", has_text=TITLE)).first.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
