"""Compares the results of a run here with the published ones, number by number.

    verify.py [OUTPUTS]

Reads OUTPUTS/results/*.json (default: outputs) and outputs/reference/results/*.json.
A run on other data, or with another configuration, is another experiment: it is
reported as such. What two machines agree on to the last bit is not demanded; the
tolerances below say how far rounding may carry a network from another one.
"""

import sys
from pathlib import Path

import results

REFERENCE = Path("outputs/reference/results")

# How far an accuracy may be off: a share of the test images, by part.
ACCURACY = {1: 0.02, 2: 0.005, 3: 0.03}
# Losses, relative to the published one.
LOSS = 0.15

MUST_BE_EQUAL = ("part", "network", "init", "protocol", "seed", "loss")


def compare(ours, published):
    """What differs between two records of the same run: a list of (name, ours, published, allowed)."""
    differences = []

    def equal(name, a, b):
        if a != b:
            differences.append((name, a, b, "equal"))

    def close(name, a, b, tolerance):
        if a is None or b is None:
            equal(name, a, b)
        elif not abs(a - b) <= tolerance:
            differences.append((name, a, b, f"± {tolerance:.4g}"))

    for name in MUST_BE_EQUAL:
        equal(name, ours.get(name), published.get(name))
    for name in ("name", "sha256", "count", "synthetic"):
        equal(f"dataset.{name}", ours["dataset"].get(name), published["dataset"].get(name))
    equal("config", ours["config"], published["config"])
    equal("number of epochs", len(ours["epochs"]), len(published["epochs"]))

    tolerance = ACCURACY[published["part"]]
    close("test_accuracy", ours.get("test_accuracy"), published.get("test_accuracy"), tolerance)
    if ours["epochs"] and published["epochs"]:
        a, b = ours["epochs"][-1], published["epochs"][-1]
        for name in ("accuracy", "val_accuracy"):
            close(f"last epoch {name}", a[name], b[name], tolerance)
        for name in ("loss", "val_loss"):
            close(f"last epoch {name}", a[name], b[name], LOSS * abs(b[name]))
    return differences


def main(outputs="outputs"):
    published = {run["file"]: run for run in results.read(REFERENCE)}
    ours = {run["file"]: run for run in results.read(Path(outputs) / "results")}
    if not published:
        sys.exit(f"{REFERENCE}: there are no published results to compare with")
    common = sorted(published.keys() & ours.keys())
    if not common:
        sys.exit(f"{outputs}/results holds none of the {len(published)} published runs: run `make report` or `make full` first")

    failed = 0
    for file in common:
        differences = compare(ours[file], published[file])
        failed += bool(differences)
        print(f"{'differs' if differences else 'agrees '}  {file}")
        for name, a, b, allowed in differences:
            print(f"           {name}: here {show(a)}, published {show(b)}, allowed {allowed}")
    print(f"{len(common) - failed} passed, {failed} failed, {len(published) - len(common)} not run here")
    sys.exit(failed > 0)


def show(value):
    return f"{value:.6g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
