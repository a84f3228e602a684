"""Compares the results of a run here with the published ones, at one of two levels.

    verify.py [OUTPUTS]

Reads OUTPUTS/results/*.json (default: outputs) and outputs/reference/results/*.json.
A run on other data, or with another configuration, is another experiment: it is
reported as such. At both levels the images that it saw are equal to the last bit.

*Exact*: where both used fused multiply-adds (`avx512` or `avx2`, which give the same bits), or the
same instructions, every epoch, measure and curve is equal to the last bit, and so is the hash of
the weights.

*Tolerance*: on other instructions a rounding grows, step by step, until the network is as
different as that of another seed. A number may therefore be off by what another seed could
make of it: four standard deviations over the published seeds, within which 95 % of the
differences between two seeds lie (Student's t with 4 degrees of freedom, 2.8, times the root
of 2). Where that is more than LARGEST the published seeds do not agree among themselves, and
the number is not compared, and said not to be.

The last line names a certificate, OUTPUTS/certificate.md: what was compared, on which machine, at
which level and why, and how it came out.
"""

import datetime
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import results

REFERENCE = results.PUBLISHED

# Where fewer seeds were published, and at the least: as far as chance in the choice of
# some hundred images (part 1) or of 10,000 carries an accuracy; a loss by this share.
ACCURACY = {1: 0.02, 2: 0.002, 3: 0.002}
LOSS = 0.05
LARGEST = 0.05

# Instructions that give the same bits, which lib/nn/tests/agreement/bits.rs tests.
FUSED = {"avx512", "avx2"}

MUST_BE_EQUAL = ("part", "network", "init", "protocol", "seed", "loss")


def test_accuracy(run):
    return run.get("test_accuracy")


def last_epoch(name):
    return lambda run: run["epochs"][-1][name] if run["epochs"] else None


def spread(value, runs):
    """What two seeds may differ by in 95 % of cases, 0 where that cannot be told."""
    values = [value(run) for run in runs]
    values = [value for value in values if value is not None]
    return 4 * statistics.stdev(values) if len(values) > 2 else 0


def compare(ours, published, seeds=(), skipped=None):
    """What differs between two records of the same run: a list of (name, ours, published, allowed).

    `seeds`: the published records that differ from `published` by their seed alone. What is not
    compared is added to `skipped`, with the reason.
    """
    skipped = [] if skipped is None else skipped
    differences = []

    def equal(name, a, b):
        if a != b:
            differences.append((name, a, b, "equal"))

    def close(name, value, least):
        a, b = value(ours), value(published)
        tolerance = max(least, spread(value, seeds))
        if tolerance > max(least, LARGEST):
            skipped.append(f"{name} (the published seeds do not agree)")
            return
        if a is None or b is None:
            equal(name, a, b)
        elif not abs(a - b) <= tolerance:
            differences.append((name, a, b, f"± {tolerance:.4g}"))

    is_exact = level(ours, published)[0] == "exact"
    for name in MUST_BE_EQUAL:
        equal(name, ours.get(name), published.get(name))
    for name in ("name", "sha256", "count", "synthetic"):
        equal(f"dataset.{name}", ours["dataset"].get(name), published["dataset"].get(name))
    equal("pretraining", results.origin(ours)[1:], results.origin(published)[1:])
    equal("config", ours["config"], published["config"])
    equal("setup", ours["setup"], published["setup"])
    equal("samples", ours.get("samples"), published.get("samples"))
    equal("number of epochs", len(ours["epochs"]), len(published["epochs"]))
    if is_exact:
        for name in ("metrics", "test_accuracy"):
            equal(name, ours.get(name), published.get(name))
        for name in ("epochs", "curve"):
            equal(name, timeless(ours.get(name, [])), timeless(published.get(name, [])))
        for name in ("checkpoint", "best_checkpoint"):
            equal(f"weights of {name}", weights(ours, name), weights(published, name))
        if start := published.get("start_weights_sha256"):
            equal("weights of the start", ours.get("start_weights_sha256"), start)
        elif published["init"] == "pretrained":
            skipped.append("weights of the start (the published record is older than their mention)")
        return differences

    accuracy = ACCURACY[published["part"]]
    close("test_accuracy", test_accuracy, accuracy)
    for name in ("accuracy", "val_accuracy"):
        close(f"last epoch {name}", last_epoch(name), accuracy)
    for name in ("loss", "val_loss"):
        of_last = last_epoch(name)
        close(f"last epoch {name}", of_last, LOSS * abs(of_last(published) or 0))
    return differences


def level(ours, published):
    """`exact` where the instructions of both runs give the same bits, else `tolerance`; and why."""
    here, there = (run.get("environment", {}) for run in (ours, published))
    one, other = (environment.get("instructions") for environment in (here, there))
    if not (one and other):
        how, why = "tolerance", f"{'the published record' if one else 'the record made here'} does not name its instructions"
    elif one == other:
        how, why = "exact", f"{one}, here and in the published record"
    elif {one, other} <= FUSED:
        how, why = "exact", f"{one} here and {other} in the published record, which give the same bits"
    else:
        how, why = "tolerance", f"{one} here and {other} in the published record, which round differently"
    processors = [processor(environment) for environment in (here, there)]
    if all(processors):
        same = processors[0] == processors[1]
        why += f"; the same kind of processor ({processors[0]})" if same else f"; another kind of processor: {processors[0]} here, {processors[1]} there"
    return how, why


def processor(environment):
    """Name, family and model."""
    model = environment.get("cpu_model", "").partition(", stepping")[0]
    return ", ".join(part for part in (environment.get("cpu"), model) if part)


def timeless(points):
    """Epochs, or points of a curve, without the time they took."""
    return [{name: value for name, value in point.items() if name != "seconds"} for point in points]


def weights(run, name):
    return (run.get(name) or {}).get("weights_sha256")


def same_but_seed(a, b):
    return a["part"] == b["part"] and results.label(a) == results.label(b)


def main(outputs="outputs"):
    published = {run["file"]: run for run in results.read(REFERENCE)}
    ours = {run["file"]: run for run in results.read(Path(outputs) / "results")}
    if not published:
        sys.exit(f"{REFERENCE}: there are no published results to compare with")
    common = sorted(published.keys() & ours.keys())
    if not common:
        sys.exit(f"{outputs}/results holds none of the {len(published)} published runs: run `make report` or `make full` first")

    rows, reasons = [], {}
    for file in common:
        alike = [run for run in published.values() if same_but_seed(run, published[file])]
        skipped = []
        differences = compare(ours[file], published[file], alike, skipped)
        how, why = level(ours[file], published[file])
        reasons.setdefault((how, why), []).append(file)
        rows.append((file, how, differences, skipped))
        print(f"{'differs' if differences else 'agrees '}  {how:9}  {file}")
        for name, a, b, allowed in differences:
            print(f"           {name}: here {show(a)}, published {show(b)}, allowed {allowed}")
        if skipped:
            print(f"           not compared: {', '.join(skipped)}")
    for (how, why), files in reasons.items():
        print(f"{how}, {len(files)} of {len(common)}: {why}")
    exact = sum(how == "exact" for _, how, *_ in rows)
    failed = sum(bool(differences) for *_, differences, _ in rows)
    print(f"{exact} compared to the last bit, {len(common) - exact} within a tolerance")
    print(f"{len(common) - failed} passed, {failed} failed, {len(published) - len(common)} not run here")
    page = Path(outputs) / "certificate.md"
    page.write_text(certificate(rows, reasons, [ours[file] for file in common], sorted(published.keys() - ours.keys())))
    print(f"The certificate: {page}")
    sys.exit(failed > 0)


def certificate(rows, reasons, runs, not_run):
    """One page: what was repeated, where, at which level and why, and how it compares."""
    differing = sum(bool(differences) for _, _, differences, _ in rows)
    equal = sum(how == "exact" and not differences for _, how, differences, _ in rows)
    seeds = defaultdict(list)
    for file in not_run:
        name, _, seed = Path(file).stem.rpartition("-seed")
        seeds[name].append(int(seed))
    machines = sorted({machine(run) for run in runs})
    lines = [
        "# Certificate of a repetition",
        "",
        f"{len(rows)} of {len(rows) + len(not_run)} published records were repeated and compared "
        f"on {datetime.date.today().isoformat()} by `make verify`; {equal} are equal bit for bit, "
        f"{len(rows) - equal - differing} agree within a tolerance, {differing} differ.",
        "",
        *(f"- Machine: {machine}" for machine in machines),
        "",
        "How they were compared, and why: *exact* is to the last bit; *tolerance* is within what another seed could change.",
        "",
        *(f"- {how} ({len(files)} of {len(rows)}): {why}." for (how, why), files in reasons.items()),
        "",
        "| record | compared | outcome | not compared |",
        "|---|---|---|---|",
    ]
    for file, how, differences, skipped in rows:
        agreeing = "equal bit for bit" if how == "exact" else "within tolerance"
        names = ", ".join(name for name, *_ in differences)
        outcome = f"differs in {names}" if differences else agreeing
        lines.append(f"| {Path(file).stem} | {how} | {outcome} | {', '.join(skipped)} |")
    lines += ["", f"Not run ({len(not_run)}):", ""]
    lines += [f"- {name}: seed{'s' * (len(of) > 1)} {', '.join(map(str, sorted(of)))}" for name, of in seeds.items()]
    return "\n".join(lines) + "\n"


def machine(run):
    environment = run.get("environment", {})
    known = [environment.get(name) for name in ("cpu", "cpu_model", "instructions", "rustc")]
    threads = f"{environment['threads']} threads" if "threads" in environment else None
    commit = f"commit {environment['commit']}" if "commit" in environment else None
    return ", ".join(str(part) for part in (*known, threads, commit) if part) or "not recorded"


def show(value):
    return f"{value:.6g}" if isinstance(value, float) else value


if __name__ == "__main__":
    main(*sys.argv[1:])
