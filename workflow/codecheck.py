"""Writes codecheck.yml, whose manifest lists what `make report` makes: `codecheck.py [FILE]`

CODECHECK configuration 1.0 (https://codecheck.org.uk/spec/config/1.0/). What the codechecker says
(certificate, names, time) is theirs to add.
"""

import json
import sys
from pathlib import Path

import results

HEAD = """\
---
version: https://codecheck.org.uk/spec/config/1.0/
paper:
  title: "glyphs: handwritten characters in Rust notebooks"
  authors:
    - name: The glyphs contributors
repository: https://github.com/glyphs-rs/glyphs
summary: >
  `make report` makes the pages, `make verify` compares every record with the published one.
manifest:
"""


def main(file="codecheck.yml"):
    text = HEAD
    for path in sorted((results.ROOT / "notebooks").glob("*.ipynb")):
        first = "".join(json.loads(path.read_text())["cells"][0]["source"]).splitlines()[0]
        title = json.dumps(first.lstrip("# "), ensure_ascii=False)
        text += f"  - file: outputs/report/{path.stem}.html\n    comment: {title}\n"
    Path(file).write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
