"""Measures how well the published networks read photographs of single characters, and keeps a record.

    photographs.py FOLDER

The photographs lie in FOLDER, each in a folder named after its character. `glyphs predict` reads them with
each network of PROTOCOLS that is published; outputs/reference/photographs.json says what came out, of which
files. data/README.md quotes it (`quoted`), which a test checks.
"""

import datetime
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import results

RECORD = results.PUBLISHED.parent / "photographs.json"
PROTOCOLS = ("ours", "photographs")
# Without size and position, the network for photographs has seen 3.2 times as many of each digit as of
# a letter: of 36 drawings in five pens one half, and 200 digits of MNIST.
EXPECTED = 3.2


def lookalikes():
    """The group of each character, where it is in one: as lib/src/study/lookalikes.rs has them."""
    text = (results.ROOT / "lib/src/study/lookalikes.rs").read_text()
    groups = re.findall(r'"(\w+)"', text.partition("CASE_AND_LOOKALIKES")[2])
    return {character: group for group in groups for character in group}


def read(checkpoint, folder):
    """What `glyphs predict` says: one row for each image, and the lines that it prints."""
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "predictions.json"
        options = ["--checkpoint", checkpoint, "--images", folder, "--json", "--out", out, "--top", "62"]
        said = results.glyphs("predict", *options, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(out.read_text()), said


def judged(rows, predicted):
    """Accuracies, and how many digits and letters are right; an image without an answer is read wrongly."""
    groups = lookalikes()
    pairs = [(row["label"], predicted(row)) for row in rows if row["label"]]
    right = [label for label, answer in pairs if answer == label]
    merged = [label for label, answer in pairs if answer and groups.get(answer, answer) == groups.get(label, label)]
    return {
        "accuracy": len(right) / len(pairs),
        "merged_accuracy": len(merged) / len(pairs),
        "digits": [sum(map(str.isdigit, right)), sum(label.isdigit() for label, _ in pairs)],
        "letters": [sum(map(str.isalpha, right)), sum(label.isalpha() for label, _ in pairs)],
    }


def without_expectation(row):
    """The answer where a digit is as likely as a letter."""
    shares = {name: share / EXPECTED if name.isdigit() else share for name, share in row["top"]}
    return max(shares, key=shares.get, default=None)


def measured(checkpoint, folder):
    rows, said = read(checkpoint, folder)
    found = judged(rows, lambda row: row["predicted"])
    for accuracy, words in ((found["accuracy"], ":"), (found["merged_accuracy"], " with case and look-alikes as one")):
        if f"accuracy {accuracy:.4f}{words}" not in said:
            sys.exit(f"{checkpoint}: {accuracy:.4f}{words} is not what glyphs predict prints:\n{said}")
    problems = [row["problem"] for row in rows if row["problem"]]
    return {
        "run": checkpoint.stem,
        "checkpoint": str(checkpoint.relative_to(results.ROOT)),
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        **found,
        "not_read": {problem: problems.count(problem) for problem in sorted(set(problems))},
        **({"without_expectation": judged(rows, without_expectation)} if "-photographs-" in checkpoint.stem else {}),
    }


def sha256(folder):
    """As data/README.md defines it of a folder of images."""
    digest = hashlib.sha256()
    paths = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    for name, path in paths:
        data = path.read_bytes()
        digest.update(name.encode() + b"\0" + len(data).to_bytes(8, "little") + data)
    return len(paths), digest.hexdigest()


def quoted(record):
    """The words of data/README.md that hold its figures."""
    of = {network["run"]: network for network in record["networks"]}
    ours, best = (of[f"part1-original-random-{protocol}-seed0"] for protocol in PROTOCOLS)
    even = best["without_expectation"]
    (digits, all_digits), (letters, all_letters) = best["digits"], best["letters"]
    return [
        f"The test: {record['count']} characters",
        f"`ours` | {ours['accuracy']:.4f} | {ours['merged_accuracy']:.4f} |",
        f"(`part1-original-random-photographs`) | **{best['accuracy']:.4f}** | **{best['merged_accuracy']:.4f}** |",
        f"{all_digits} of the {record['count']} photographs are digits ({digits} are read correctly; of the {all_letters} letters {letters})",
        f"each digit's probability divided by {EXPECTED}",
        f"accuracy is {even['accuracy']:.4f}, and {even['merged_accuracy']:.4f} with case and look-alikes as one "
        f"({even['digits'][0]} digits, {even['letters'][0]} letters)",
    ]


def missing(record, text):
    """Which of the quoted words a text lacks."""
    text = " ".join(text.split())
    return [words for words in quoted(record) if words not in text]


def main(folder):
    folder = Path(folder)
    published = results.PUBLISHED.parent / "checkpoints"
    checkpoints = [path for protocol in PROTOCOLS for path in sorted(published.glob(f"*-{protocol}-seed*.safetensors"))]
    count, digest = sha256(folder)
    record = {
        "date": datetime.date.today().isoformat(),
        "commit": results.commit(),
        "count": count,
        "sha256": digest,
        "networks": [measured(checkpoint, folder) for checkpoint in checkpoints],
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")
    for network in record["networks"]:
        print(f"{network['run']}: {network['accuracy']:.4f}, with case and look-alikes as one {network['merged_accuracy']:.4f}")
    print(RECORD)
    for words in missing(record, (results.ROOT / "data/README.md").read_text()):
        print(f"data/README.md does not say: {words}")


if __name__ == "__main__":
    main(*sys.argv[1:])
