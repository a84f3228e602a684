"""Writes into reproducibility.md, between its marks, which commits the published records come from,
and which runs of each were made again at a later commit.

    commits.py [--check | --next | --add [OUTPUTS]]

A run that was made again either replaces its record, and git keeps the earlier one; or `--add`
compares the records of OUTPUTS (default: outputs) with the published ones, as `make verify` does, and
notes how it came out in outputs/reference/repeated.json. Runs with another configuration, set-up or
other images are no repetition, nor are those on instructions that round differently. With `--check`
nothing is written, and it fails where the page is out of date; `--next` prints, for each commit of which no
run was made again, the one that took the least time, for `glyphs train`.
"""

import datetime
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import results
import verify

PAGE = results.ROOT / "reproducibility.md"
PLACE = re.compile(r"(<!-- commits:[^\n]*-->\n).*?(<!-- end of commits -->)", re.DOTALL)
REPEATED = results.PUBLISHED.parent / "repeated.json"
HEAD = ["| commit | processor | records: part 1, 2, 3 | made again later | with the same weights |", "|---|---|---:|---:|---:|"]


def git(*arguments, **options):
    done = subprocess.run(["git", "-C", results.ROOT, *arguments], capture_output=True, **options)
    return done.stdout if done.returncode == 0 else b""


def commit(run):
    return run["environment"]["commit"][:7]


def processor(run):
    environment = run["environment"]
    return f"{verify.processor(environment).replace(' Processor,', ',')}, {environment['instructions']}"


def versions():
    """Each published record, and before it in time what git has of it: the newest first. Nothing in a shallow clone or without git."""
    if git("rev-parse", "--is-shallow-repository").strip() != b"false":
        return {}
    folder = results.PUBLISHED.relative_to(results.ROOT)
    log = git("log", "--format=", "--raw", "--no-abbrev", "--no-renames", "--diff-filter=AM", "--", folder).decode()
    found = [(Path(path).name, entry.split()[3]) for entry, path in (line.split("\t") for line in log.splitlines() if line)]
    blobs = sorted({blob for _, blob in found})
    texts = git("cat-file", "--batch", input="\n".join(blobs).encode() + b"\n")
    records, at = {}, 0
    while at < len(texts):
        end = texts.index(b"\n", at)
        blob, _, size = texts[at:end].decode().split()
        at = end + 1 + int(size) + 1
        records[blob] = json.loads(texts[end + 1 : at - 1])
    of_file = {run["file"]: [run] for run in results.read(results.PUBLISHED)}
    for file, blob in found:
        if file in of_file:
            of_file[file].append(records[blob])
    return of_file


def made_again(history, repeated):
    """By commit: of its runs that were made again later, whether every weight was the same."""
    found = defaultdict(dict)

    def note(name, run, is_same):
        found[name][run] = found[name].get(run, True) and is_same

    for file, of_file in history.items():
        known = [run for run in of_file if "environment" in run and run["checkpoint"].get("weights_sha256")]
        for at, run in enumerate(known):
            for other in known[:at]:
                if commit(other) != commit(run) and made_by(other) == made_by(run):
                    note(commit(run), Path(file).stem, weights(other) == weights(run))
    for entry in repeated:
        note(entry["published"], entry["run"], not entry["differs"])
    return {name: list(of.values()) for name, of in found.items()}


def add(outputs):
    """Notes how the records made here compare with the published ones."""
    published = {run["file"]: run for run in results.read(results.PUBLISHED)}
    entries = {(entry["run"], entry["commit"]): entry for entry in noted()}
    for run in results.read(Path(outputs) / "results"):
        other = published.get(run["file"])
        if not other or commit(run) == commit(other) or made_by(run) != made_by(other) or verify.level(run, other)[0] != "exact":
            continue
        name, here = Path(run["file"]).stem, run["environment"]["commit"]
        if here.endswith("-dirty") or here == "unknown":
            sys.exit(f"{name} was made at {here}: commit what was changed, and make it again")
        entries[name, here] = {
            "run": name,
            "published": commit(other),
            "commit": here,
            "date": datetime.date.today().isoformat(),
            "processor": processor(run),
            "differs": [what for what, *_ in verify.compare(run, other)],
        }
    REPEATED.write_text(json.dumps([entries[key] for key in sorted(entries)], indent=1) + "\n")
    print(f"{REPEATED}: {len(entries)} runs")


def noted():
    return json.loads(REPEATED.read_text()) if REPEATED.exists() else []


def made_by(run):
    return [run[name] for name in ("config", "setup", "samples")]


def weights(run):
    return run["checkpoint"]["weights_sha256"]


def by_commit(runs):
    """The runs of each commit, the oldest commit first, where git knows them."""
    found = defaultdict(list)
    for run in runs:
        found[commit(run)].append(run)
    age = {name: int(git("log", "-1", "--format=%ct", name, "--") or 0) for name in found}
    return {name: found[name] for name in sorted(found, key=lambda name: (age[name], name))}


def table(commits, again):
    for name, of in commits.items():
        parts = ", ".join(str(sum(run["part"] == part for run in of)) for part in (1, 2, 3))
        processors = "; ".join(sorted({processor(run) for run in of}))
        of_commit = again.get(name, [])
        yield f"| {name} | {processors} | {len(of)}: {parts} | {len(of_commit) or '–'} | {sum(of_commit) if of_commit else '–'} |"


def section(runs, again):
    commits = by_commit(runs)
    repeated = [is_same for name in commits for is_same in again.get(name, [])]
    # Nothing is later than the newest.
    never = [name for name in list(commits)[:-1] if not again.get(name)]
    pretrained = [run for run in runs if run["init"] == "pretrained"]
    named = sum("start_weights_sha256" in run for run in pretrained)
    lines = [
        f"The {len(runs)} published records come from {len(commits)} commits, here from the oldest to the newest. "
        f"{len(repeated)} runs made at these commits were made again at a later one, with the same configuration, set-up and images: "
        + ("in each, every weight is the same." if all(repeated) else f"in {repeated.count(False)} of them a weight differs."),
        "",
        *HEAD,
        *table(commits, again),
        "",
        *([f"No run was made again of those at {', '.join(never)}.", ""] if never else []),
        f"Of the {len(pretrained)} records of a pretrained start, {named} name the weights that it started from; the other {len(pretrained) - named} "
        "are older than that field.",
    ]
    return "\n".join(lines) + "\n"


def cells(text):
    """Of each row of the table what the records alone say."""
    return sorted(re.findall(r"^\| ([0-9a-f]{7} \| .* \| \d+: [\d, ]+) \|", text, re.MULTILINE))


def main(option=None, outputs="outputs"):
    if option == "--add":
        add(outputs)
    runs, history = results.read(results.PUBLISHED), versions()
    again = made_again(history, noted())
    if option == "--next":
        for name, of in list(by_commit(runs).items())[:-1]:
            if not again.get(name):
                seconds = {run["file"]: sum(epoch["seconds"] for epoch in run["epochs"]) for run in of}
                # One that starts from another network needs that one too.
                run = min(of, key=lambda run: (run["init"] == "pretrained", seconds[run["file"]]))
                print(f"{name}  {seconds[run['file']]:5.0f} s  {Path(run['file']).stem}")
        return
    page = PAGE.read_text()
    wanted = PLACE.sub(lambda mark: mark[1] + section(runs, again) + mark[2], page)
    if option != "--check":
        if not history:
            sys.exit("git has no full history here (a shallow clone, or no git): fetch it first")
        PAGE.write_text(wanted)
    elif (page != wanted) if history else (cells(page) != cells(wanted)):
        sys.exit(f"{PAGE.name} is out of date: run `python workflow/commits.py`")


if __name__ == "__main__":
    main(*sys.argv[1:])
