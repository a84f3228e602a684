"""Writes the published results into README.md, between its two marks.

    readme.py [--check]

With `--check` nothing is written, and it fails where README.md is out of date.
"""

import re
import sys
from pathlib import Path

import results

README = Path(__file__).resolve().parent.parent / "README.md"
PLACE = re.compile(r"(<!-- results:[^\n]*-->\n).*?(<!-- end of results -->)", re.DOTALL)


def section(runs):
    """The results as markdown; nothing where nothing has been published."""
    lines = []
    for part in results.parts(runs):
        if part["rows"]:
            lines += [
                f"**Part {part['number']}: {part['title']}.** {part['measure']}, mean over the seeds, ± half of its 95 % interval.",
                "",
                "| network | start | protocol | seeds | this project | the original |",
                "|---|---|---|---:|---:|---:|",
            ]
            for row in part["rows"]:
                mark = " (stand-in data)" if row["synthetic"] else ""
                lines.append(
                    f"| {row['network']} | {row['init']} | {row['protocol']}{mark} "
                    f"| {row['seeds']} | {row['ours']} | {row['original']} |"
                )
            lines.append("")
    return "\n".join(["", "## Results", "", *lines]) if lines else ""


def main(check):
    old = README.read_text()
    new = PLACE.sub(lambda match: match[1] + section(results.read(results.PUBLISHED)) + match[2], old)
    if check and new != old:
        sys.exit("README.md does not show the published results: run `python workflow/readme.py`")
    if new != old:
        README.write_text(new)


if __name__ == "__main__":
    main("--check" in sys.argv)
