"""Exports a run as an RO-Crate: records, pages with their notebooks, and what made them.

    crate.py [OUTPUTS [CRATE]]

A Process Run Crate 0.5 (https://w3id.org/ro/wfrun/process): each record is an action of its own,
with its network, its data by their sha256, and its machine.
"""

import datetime
import json
import shutil
import sys
import tomllib
from pathlib import Path

import results

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SPEC = "https://w3id.org/ro/crate/1.1"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENCE = "https://spdx.org/licenses/MIT"
METADATA = "ro-crate-metadata.json"


def ids(entities):
    return [{"@id": entity["@id"]} for entity in entities]


def dataset(data, catalogue):
    """What a run learned from; it stays where it was published."""
    entry = catalogue.get(data["name"].removesuffix("-train"))
    return {
        "@id": f"#data-{data['name']}-{data['sha256'][:12]}",
        "@type": "Dataset",
        "name": data["name"] + " (a stand-in)" * data["synthetic"],
        "description": f"{data['count']} images, sha256 {data['sha256']}",
        **({"url": entry["homepage"], "citation": entry["citation"]} if entry else {}),
    }


def action(run, record, version):
    environment = run["environment"]
    name = Path(run["file"]).stem
    return {
        "@id": f"#run-{name}",
        "@type": "CreateAction",
        "name": name,
        "description": f"Training under seed {run['seed']}, {len(run['epochs'])} epochs, on {environment['cpu']}, "
        f"{environment['threads']} threads, {environment['rustc']}; commit {environment['commit']}",
        "instrument": {"@id": version},
        "result": {"@id": record},
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }


def files(crate, pattern, kind, what):
    return [
        {
            "@id": str(path.relative_to(crate)),
            "@type": "File",
            "name": f"{what} {path.stem}",
            "encodingFormat": kind,
            "contentSize": str(path.stat().st_size),
        }
        for path in sorted(crate.glob(pattern))
    ]


def describe(crate, runs):
    catalogue = tomllib.loads((results.ROOT / "data/datasets.toml").read_text())
    software = {
        "@id": "#glyphs",
        "@type": "SoftwareApplication",
        "name": "glyphs train",
        "url": "https://github.com/glyphs-rs/glyphs",
        "version": tomllib.loads((results.ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"],
    }
    records = files(crate, "results/*.json", "application/json", "Record of")
    pages = files(crate, "report/*.html", "text/html", "Page")
    pages += files(crate, "report/notebooks/*.ipynb", "application/x-ipynb+json", "Notebook")
    found = {}
    actions = []
    for run, record in zip(runs, records, strict=True):
        used = [dataset(data, catalogue) for data in results.trained_on(run)]
        found |= {data["@id"]: data for data in used}
        actions.append(action(run, record["@id"], software["@id"]) | {"object": ids(used)})
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": "A run of glyphs, a study of handwritten characters",
        "description": "Records, pages and notebooks of a run, with data, machine and seed of each training.",
        "datePublished": datetime.date.today().isoformat(),
        "license": {"@id": LICENCE},
        "conformsTo": {"@id": PROFILE},
        "hasPart": ids(records + pages),
        "mentions": ids(actions),
    }
    context = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": SPEC},
            "about": {"@id": "./"},
        },
        root,
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT", "description": "MIT or Apache-2.0, at your option"},
        software,
    ]
    return {"@context": [f"{SPEC}/context", TERMS], "@graph": [*context, *found.values(), *records, *pages, *actions]}


def main(outputs="outputs", crate=None):
    outputs = Path(outputs)
    crate = Path(crate or outputs / "crate")
    runs = results.read(outputs / "results")
    if not runs:
        sys.exit(f"{outputs}/results holds no record: run `make report` first, or name another folder")
    if any(crate.glob("*")) and not (crate / METADATA).exists():
        sys.exit(f"{crate} holds something else: name another folder")
    shutil.rmtree(crate, ignore_errors=True)
    crate.mkdir(parents=True)
    # First, so that one that was not finished can be made again.
    (crate / METADATA).touch()
    for folder, pattern in (("results", "*.json"), ("report", "*.html"), ("report/notebooks", "*.ipynb")):
        (crate / folder).mkdir()
        for path in (outputs / folder).glob(pattern):
            shutil.copy(path, crate / folder)
    (crate / METADATA).write_text(json.dumps(describe(crate, runs), indent=1) + "\n")
    print(f"The crate: {crate}, {len(runs)} runs")


if __name__ == "__main__":
    main(*sys.argv[1:])
