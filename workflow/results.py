"""Reads the result files of a run, and sets them beside the figures of the 2021 report."""

import functools
import json
import math
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

# Student's t for a 95 % interval, by degrees of freedom, from 1 on.
T95 = [12.70620, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600, 2.26216, 2.22814, 2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302]

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "outputs/reference/results"

# Protocols whose figure answers the 2021 report's: done as it was, and done our way.
COMPARABLE = ("report", "plain", "ours")

# The protocols that a reader looks for first, in words; all others stand on the pages.
MAIN = {
    "plain": "the baseline",
    "ours": "ours, one drawing at a time",
    "ours-in-context": "ours, in context",
    "ours-by-writer": "ours, writers never seen",
    "ours-in-context-by-writer": "ours, in context, writers never seen",
    "report": "as we read the 2021 report",
    "report-pretraining-next-seed": "the same, pretrained by another seed",
    "clean": "5,000 images held out, one cycle",
    "few-100": "100 images",
    "few-100-pretraining-next-seed": "100 images, pretrained by another seed",
    "few-100-distorted": "100 images, distorted, 1,000 steps",
    "few-100-unlabelled": "100 images, and the others without labels",
    "true-labels-9": "distorted images, nine epochs",
    "true-labels-30": "distorted images, thirty epochs",
    "forward-9": "labels taken as wrong, nine epochs",
    "forward-30": "labels taken as wrong, thirty epochs",
}

PARTS = {
    1: ("62 characters from drawings", "Validation accuracy after the last epoch (the report's: after epoch 28 of 30)"),
    2: ("MNIST, from a random start and from the pretrained digits", "Accuracy on the MNIST test set"),
    3: ("Labels that are hardly ever right", "Accuracy on the MNIST test set"),
}


def glyphs(*arguments, **options):
    """Runs the command line."""
    return subprocess.run(["glyphs", *arguments], check=True, **options)


@functools.cache
def commit():
    """The commit that the working tree is at when this is first asked, marked where something was changed."""
    return tool("git", "describe", "--always", "--dirty", "--abbrev=10")


def tool(*command):
    """What a program prints; nothing where it is missing or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def read(folder):
    """All results of a folder, in the order of their file names."""
    return [record(path) for path in sorted(Path(folder).glob("*.json"))]


def record(path):
    """One result file."""
    try:
        return json.loads(path.read_text()) | {"file": path.name}
    except ValueError as error:
        sys.exit(f"{path} is damaged ({error}): delete it, or restore it with git checkout, and make the report again")


def with_published(runs):
    """`runs`, and the published ones on the same data: of these experiments under other seeds, and of all others.
    An experiment that was changed here stands alone."""
    own = {run["file"] for run in runs}
    data = {sha256 for run in runs for sha256 in origin(run)}
    here = {experiment(run): label(run) for run in runs}
    published = [
        run
        for run in read(PUBLISHED)
        if run["file"] not in own and data.issuperset(origin(run)) and here.get(experiment(run), label(run)) == label(run)
    ]
    return runs + published


def experiment(run):
    """What the name of a run says, but for the seed."""
    return tuple(run[key] for key in ("part", "network", "init", "protocol"))


def origin(run):
    return tuple(data["sha256"] for data in trained_on(run))


def reference_2021():
    """The runs of the 2021 report, in the words of a result file."""
    return json.loads((ROOT / "lib/src/report/reference_2021.json").read_text())["runs"]


def datasets(runs):
    """Each data set that the runs used, once, with as many of its images as any of them."""
    found = {}
    for data in (data for run in runs for data in trained_on(run)):
        known = found.setdefault((data["name"], data["sha256"]), data)
        if data["count"] > known["count"]:
            found[(data["name"], data["sha256"])] = data
    return list(found.values())


def accuracy(run):
    """The figure that a table shows: in part 1, which has no test set yet, validation after the last epoch."""
    if run["part"] == 1 and run.get("epochs"):
        return run["epochs"][-1]["val_accuracy"]
    return run.get("test_accuracy")


def measured(runs, part, protocol, init="random", value=accuracy):
    """A figure of every seed of the original network in one protocol, on real data alone, by seed."""
    return {
        run["seed"]: value(run)
        for run in runs
        if experiment(run) == (part, "original", init, protocol)
        and not synthetic(run)
    }


def findings(runs):
    """The study in a few sentences; each only where its runs were made, on real data."""

    def mean(*key, **value):
        found = measured(runs, *key, **value)
        return f"{100 * statistics.fmean(found.values()):.1f} %" if found else None

    def both(protocol):
        return [mean(2, protocol, init) for init in ("pretrained", "random")]

    def merged(run):
        return run["metrics"]["merged_accuracy"]

    other_seed = measured(runs, 2, "report-pretraining-next-seed", "pretrained")
    sentences = [
        (
            "Of the drawings held out for validation, {} are classified correctly, and {} once characters that look alike count as one. "
            "The baseline, without cropping or distortions, reaches {}.",
            [mean(1, "ours"), mean(1, "ours", value=merged), mean(1, "plain")],
        ),
        ("Knowing a drawing's size and position relative to the writer's other drawings (its context) {}.", [context(runs)]),
        ("Pretraining on 360 drawn digits {} ({} seeds, each from a network that another seed pretrained).", [pretraining(runs), len(other_seed)]),
        (
            "With frozen convolutions, the original network that was pretrained under its own seed, its dense layer included, classifies {} of the MNIST test set correctly; "
            "with frozen random ones, {}.",
            both("frozen-trunk"),
        ),
        (
            "Trained on wrong labels as if they were right, the original network from a random start classifies {} of the digits correctly ({}); "
            "told that each label names a digit that the image does not show, and trained for nine epochs on distorted images, {}.",
            [mean(3, "report"), one_answer(runs), mean(3, "forward-9")],
        ),
    ]
    return [sentence.format(*values) for sentence, values in sentences if all(values)]


def context(runs):
    """What a writer's other drawings do to the accuracy of the validation images."""
    comparisons = {
        "for writers never seen in training": ("ours-by-writer", "ours-in-context-by-writer"),
        "for writers seen in training": ("ours", "ours-in-context"),
    }
    found = {words: [measured(runs, 1, protocol) for protocol in pair] for words, pair in comparisons.items()}
    overlaps = [overlap(run) for run in runs if experiment(run) == (1, "original", "random", "ours")]
    return effect("validation accuracy", found, overlaps[0] if overlaps else 0, with_intervals=True)


def one_answer(runs):
    """How many runs of part 3's other networks are right about as often as one digit occurs."""
    others = [run for run in runs if run["part"] == 3 and run["protocol"] == "report" and (run["network"], run["init"]) != ("original", "random")]
    alike = sum(0.085 < accuracy(run) < 0.12 for run in others)
    return f"{alike} of the {len(others)} runs of the other three networks are right as often as one digit occurs, 9 to 11 %" if others else None


def pretraining(runs):
    """What it does to the accuracy with few and with all images. Networks that another seed pretrained have no head
    start: their features never met their output layer."""
    distorted = "with 100 distorted images and 1,000 steps instead of 300 (here with a head start)"
    unlabelled = "with 100 images beside the others without labels, again with a head start"
    amounts = {
        "with 100 images": ("few-100", "few-100-pretraining-next-seed"),
        distorted: ("few-100-distorted", "few-100-distorted"),
        unlabelled: ("few-100-unlabelled", "few-100-unlabelled"),
        "with all 60,000": ("report", "report-pretraining-next-seed"),
    }
    found = {words: [measured(runs, 2, random), measured(runs, 2, pretrained, "pretrained")] for words, (random, pretrained) in amounts.items()}
    for words in (distorted, unlabelled):
        if not found[words][1]:
            del found[words]
    return effect("MNIST accuracy", found)


def effect(what, comparisons, overlap=0, with_intervals=False):
    """What a change does to an accuracy, which has two values by seed, in each of the comparisons; nothing where a run is missing."""
    changes = {"raises": [], "lowers": [], "": []}
    for words, (before, after) in comparisons.items():
        seeds = sorted(before.keys() & after.keys())
        if not seeds:
            return None
        gain, half = mean_and_half([after[seed] - before[seed] for seed in seeds], overlap)
        means = [f"{100 * statistics.fmean(of[seed] for seed in seeds):.1f}" for of in (before, after)]
        if abs(gain) > half:
            ends = sorted(100 * abs(end) for end in (gain - half, gain + half))
            by = f" (by {ends[0]:.2f} to {ends[1]:.2f} points)" if with_intervals else ""
            changes["raises" if gain > 0 else "lowers"].append(f"from {' to '.join(means)} % {words}{by}")
        else:
            changes[""].append(f"{words} ({' and '.join(means)} %)")
    told = [f"{verb} {{}} {', and '.join(found)}" for verb, found in changes.items() if verb and found]
    sentence = " and ".join(told).replace("{}", what, 1).replace("{}", "it")
    if changes[""]:
        untold = f"{' and '.join(changes[''])} the difference may be chance"
        sentence = f"{sentence}; {untold}" if sentence else f"changes {what} so little that {untold}"
    shown = len(changes["raises"] + changes["lowers"]) * with_intervals
    intervals = "interval in brackets is" if shown == 1 else "intervals in brackets are"
    return f"{sentence}. The 95 % {intervals} not corrected for the number of comparisons; notebook 8 corrects for it, and says how close the verdict is" if shown else sentence


def effort(runs, made):
    """How many runs there are, how many of them (the first) were made here and on which processors, how many the tables of the parts show, and how long all
    trained; none where there is none."""
    seconds = sum(epoch.get("seconds") or 0 for run in runs for epoch in run.get("epochs", []))
    shown = sum(row["runs"] for part in parts(runs) for row in part["rows"])
    untested = {run["protocol"].split("-")[0] for run in runs if not in_table(run)}
    machines = [run["environment"] for run in runs[:made] if run.get("environment")]
    processors = sorted({f"{machine['cpu']}, {machine['threads']} threads" for machine in machines})
    counts = {"runs": len(runs), "made": made, "shown": shown, "pretrain": untested == {"pretraining"}}
    return {**counts, "processors": " or ".join(processors), "seconds": seconds} if seconds else None


def picture(runs):
    """The accuracy with few and with many images, from both starts, as a chart; nothing where the runs are missing."""
    amounts = [
        ("100 images", "few-100"),
        ("100, distorted", "few-100-distorted"),
        ("100, the others without labels", "few-100-unlabelled"),
        ("1,000 images", "few-1000"),
        ("1,000, distorted", "few-1000-distorted"),
        ("10,000 images", "few-10000"),
        ("all 60,000", "report"),
    ]
    rows = [
        (words, init, values)
        for words, protocol in amounts
        for init in ("random", "pretrained")
        if len(values := list(measured(runs, 2, protocol, init).values())) > 1
    ]
    if [init for _, init, _ in rows[:2]] != ["random", "pretrained"]:
        return ""
    spans = [(mean - half, mean, mean + half) for mean, half in (mean_and_half(values) for *_, values in rows)]
    # Errors on a logarithmic scale: 0.5 % beside 15 % has room.
    errors = [[max(1 - bound, 0.001) for bound in span] for span in spans]
    left, right = math.log10(0.003), math.log10(max(0.3, max(map(max, errors))))

    def x(error):
        return 96 + 270 * (math.log10(min(max(error, 0.003), 0.99)) - left) / (right - left)

    parts, words = [], []
    for i, ((amount, init, _), span) in enumerate(zip(rows, errors)):
        # The amount stands above its two rows, so that the chart fits a phone.
        y = 38 + 22 * i + 24 * (i // 2)
        high, error, low = span
        if init == "random":
            parts.append(f'<text x="0" y="{y - 18}" font-weight="600" stroke="var(--glyphs-bg)" stroke-width="5" paint-order="stroke">{amount}</text>')
        colour = "var(--glyphs-accent)" if init == "pretrained" else "var(--glyphs-warn)"
        shape = f'<circle cx="{x(error):.1f}" cy="{y}" r="5"/>' if init == "pretrained" else f'<path d="M{x(error) - 5:.1f} {y - 5}h10v10h-10z"/>'
        parts.append(f'<g fill="{colour}" stroke="{colour}"><path d="M{x(low):.1f} {y}H{x(high):.1f}" stroke-width="2"/>{shape}</g>')
        parts.append(f'<text x="0" y="{y + 4}">{init}</text><text x="382" y="{y + 4}">{100 * error:.2f} %</text>')
        words.append(f"{amount}, {init}: {100 * error:.2f} %")
    bottom = 38 + 22 * len(rows) + 24 * (len(rows) // 2 - 1)
    for tick in (0.003, 0.01, 0.03, 0.1, 0.3):
        parts.insert(0, f'<path d="M{x(tick):.1f} 10V{bottom - 14}" stroke="var(--glyphs-grid)"/><text x="{x(tick):.1f}" y="{bottom + 4}" text-anchor="middle" font-size="12">{100 * tick:g} %</text>')
    random, pretrained = errors[0][1], errors[1][1]
    verb = "cuts" if pretrained < random else "raises"
    title = f"With {rows[0][0]}, pretraining on 360 drawings {verb} errors from {100 * random:.1f} to {100 * pretrained:.1f} %"
    if [row[:2] for row in rows[2:4]] == [("100, distorted", "random"), ("100, distorted", "pretrained")]:
        title += f"; with distorted ones and 1,000 steps instead of 300, from {100 * errors[2][1]:.1f} to {100 * errors[3][1]:.1f} %"
    return (
        f'<figure class="overview-picture"><figcaption>{title}. The chart shows errors on the MNIST test set by the images trained on: '
        "means of the seeds with 95 % intervals, on a logarithmic scale. "
        "Pretrained networks have a head start, which notebook 4 measures.</figcaption>"
        f'<svg viewBox="0 0 440 {bottom + 12}" role="img" font-size="14" fill="var(--glyphs-fg)">'
        f'<title>{title}</title><desc>Errors on the MNIST test set. {"; ".join(words)}</desc>{"".join(parts)}</svg></figure>'
    )


def parts(runs):
    """One table for each part: runs that differ only by seed share a row."""
    tables = []
    for number, (title, measure) in PARTS.items():
        groups = defaultdict(list)
        for run in runs:
            if run.get("part") == number and in_table(run):
                groups[label(run)].append(run)
        rows = sorted((row(group) for group in groups.values()), key=place)
        tables.append({"number": number, "title": title, "measure": measure, "rows": rows})
    return tables


def place(row):
    """Where a row stands: protocol by protocol as MAIN has them, each from the report's first network on; the others as they were found."""
    protocols = list(MAIN.values())
    if not row["main"]:
        return (len(protocols), 0, 0)
    return (protocols.index(row["protocol"]), row["network"] != "original", row["init"] != "random")


def in_table(run):
    """Whether a run has the figure that its part is about; pretraining, which is tested on nothing, has none."""
    return run.get("part") in PARTS and accuracy(run) is not None


def label(run):
    """What runs that differ only by seed have in common."""
    made = [run["config"] | {"seed": None}, run["setup"]]
    return (run["network"], run["init"], run["protocol"], run["dataset"]["name"], synthetic(run), json.dumps(made, sort_keys=True))


def synthetic(run):
    """Whether anything that the network learned is a stand-in."""
    return any(data["synthetic"] for data in trained_on(run))


def trained_on(run):
    """The data of a run, and of the network that it started from."""
    return [run["dataset"], *([run["pretraining"]] if run.get("pretraining") else [])]


def row(group):
    run = group[0]
    network, init, protocol, dataset, synthetic, _ = label(run)
    reported = [
        entry["epochs"][-1]["val_accuracy"]
        for entry in reference_2021()
        if (entry["part"], entry["network"], entry["init"]) == (run["part"], network, init)
    ]
    return {
        "network": network,
        "init": init,
        "protocol": MAIN.get(protocol, protocol),
        "main": protocol in MAIN,
        "dataset": dataset,
        "synthetic": synthetic,
        "seeds": len({r["seed"] for r in group}),
        "runs": len(group),
        "ours": interval([accuracy(r) for r in group], overlap(run), learns_either(run)),
        "reported": f"{100 * reported[0]:.2f}" if reported and protocol in COMPARABLE else "",
    }


def overlap(run):
    """How many samples validate for each that is trained on, where the seeds' splits overlap (Nadeau and Bengio, 2003)."""
    split = run["setup"]["split"]
    if run["part"] != 1 or not isinstance(split, dict):
        return 0
    ((kind, size),) = split.items()
    return 1 / (size - 1) if kind.startswith("fold") else (1 - size) / size


def mean_and_half(values, overlap=0):
    """Mean and half the width of the 95 % interval; infinite for one value."""
    if len(values) < 2:
        return values[0], math.inf
    t = T95[min(len(values) - 1, len(T95)) - 1]
    return statistics.fmean(values), t * statistics.stdev(values) * (1 / len(values) + overlap) ** 0.5


def learns_either(run):
    """As `report/mod.rs` has it: taught wrong labels as right ones, a network avoids the right digit or learns nothing."""
    return run["part"] == 3 and run["protocol"] == "report"


def two_groups(values):
    """As `report/mod.rs` has it: at least two on each side of a gap five times as wide as either side, or all but one equal."""
    values = sorted(values)
    if len(values) < 4:
        return None
    at = max(range(1, len(values)), key=lambda i: values[i] - values[i - 1])
    groups = values[:at], values[at:]
    gap = values[at] - values[at - 1]
    widest = max(group[-1] - group[0] for group in groups)
    alone = min(map(len, groups)) == 1
    return groups if (gap > widest == 0 if alone else 5 * widest < gap) else None


def interval(values, overlap, may_be_two):
    """In percent: mean and half the width of the 95 % interval, or the one value there is; of runs in two groups the mean of each."""
    if may_be_two and (groups := two_groups(values)):
        return "; ".join(f"{100 * statistics.fmean(group):.2f} ({len(group)} {'run' if len(group) == 1 else 'runs'})" for group in groups)
    mean, half = mean_and_half(values, overlap)
    return f"{100 * mean:.2f} ± {100 * half:.2f}" if math.isfinite(half) else f"{100 * mean:.2f}"


def legend(rows):
    """What the figures of a table are, in words: only what occurs in it."""
    kinds = (
        ("±", "the mean over the seeds ± half of its 95 % interval, which says how seeds vary, not how other test images would do"),
        ("run", "where the runs fall into two groups, the mean of each with its number of runs"),
        ("", "for a single run its own figure"),
    )
    found = {next(mark for mark, _ in kinds if mark in row["ours"]) for row in rows}
    return "; ".join(words for mark, words in kinds if mark in found)
