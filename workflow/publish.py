"""Puts what a complete run made (`make full`) into outputs/reference/, for a commit.

    publish.py [OUTPUTS]

Results are copied and pages made from them. So that the repository stays quick to clone, the two
largest pages are left out (the one to draw on, and all drawings with their readings), and of the
checkpoints only the networks that read characters are kept, with dense weights in 8 bits. The
sha256 of every checkpoint stands in its result file, and all in checkpoints.sha256.
"""

import json
import shutil
import sys
from pathlib import Path

import pages
import results

REFERENCE = results.PUBLISHED.parent
# One drawing at a time and beside the writer's others, under each seed, so that all drawings can be
# shown with their readings and the official test needs no training; and for photographs. The networks
# that parts 2 and 3 start from are made in 20 seconds.
CHECKPOINTS = [
    *(f"part1-original-random-{protocol}-seed{seed}" for protocol in ("ours", "ours-in-context") for seed in range(5)),
    "part1-original-random-photographs-seed0",
]


def main(outputs="outputs"):
    outputs = Path(outputs)
    listed = json.loads(results.glyphs("train", "--list", capture_output=True, text=True).stdout)
    missing = [run["name"] for run in listed if not (outputs / f"results/{run['name']}.json").exists()]
    if missing:
        sys.exit(f"{outputs} lacks {len(missing)} of {len(listed)} runs, {missing[0]} among them: `make full` makes them")
    networks = [outputs / "checkpoints" / f"{name}.safetensors" for name in CHECKPOINTS]
    missing = [str(path) for path in networks if not path.exists()]
    if missing:
        sys.exit(f"{', '.join(missing)}: missing, and nothing was published; `glyphs train` makes them")
    # Asked before the tree changes, for the pages.
    results.commit()
    for folder in ("results", "ensembles"):
        replace(outputs / folder, REFERENCE / folder, "*.json")
    shutil.rmtree(REFERENCE / "report", ignore_errors=True)
    # Not what a failed run left beside them (`.partial`).
    executed = [path for path in sorted((results.ROOT / "notebooks").glob("*.ipynb")) if (outputs / "notebooks" / path.name).exists()]
    pages.main(outputs, [path.stem for path in executed], REFERENCE / "report", without=["draw", "mistakes"])
    if (outputs / "official-test.json").exists():
        shutil.copy(outputs / "official-test.json", REFERENCE)
    # What people read is added to: nobody's answers are lost. So are the trials, which `make full` does not repeat.
    for folder in ("human", "trials"):
        for path in (outputs / folder).glob("*.json"):
            (REFERENCE / folder).mkdir(exist_ok=True)
            shutil.copy(path, REFERENCE / folder)
    kept = REFERENCE / "checkpoints"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for path in networks:
        results.glyphs("export", path, "--int8", kept / path.name)
    (REFERENCE / "checkpoints.sha256").write_text("".join(sums(results.read(results.PUBLISHED))))


def sums(runs):
    """A line for the last and, where it is another file, the best checkpoint of each run."""
    for run in runs:
        for kept in (run["checkpoint"], run.get("best_checkpoint")):
            if kept:
                yield f"{kept['sha256']}  {kept['path']}\n"


def replace(source, target, pattern):
    """The files of `source` instead of those of `target`."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in source.glob(pattern):
        shutil.copy(path, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
