"""Metadata, each checked by the tool made for it. No network is needed."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import mlcroissant
import pytest
import rocrate
from rocrate_validator import models, services
from rocrate_validator.utils import document_loader

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GLYPHS_DATA") or "data/raw")
DATASETS = ["handwritten", "mislabelled", "mnist"]


def made_by(script, *arguments):
    subprocess.run([sys.executable, ROOT / "workflow" / script, *arguments], check=True)


def test_the_citation_is_valid():
    subprocess.run([Path(sys.executable).parent / "cffconvert", "--validate"], check=True)


def test_croissant_says_what_datasets_toml_says(tmp_path):
    made_by("croissant.py", tmp_path)
    for name in DATASETS:
        assert (tmp_path / f"{name}.json").read_text() == (ROOT / f"data/croissant/{name}.json").read_text()


@pytest.mark.parametrize("name", DATASETS)
def test_croissant_is_valid(name):
    issues = mlcroissant.Dataset(f"data/croissant/{name}.json").metadata.ctx.issues
    assert not issues.errors


@pytest.mark.parametrize(
    "name, archive, fields",
    [("handwritten", "trainPart1.zip", ("class", "writer")), ("mislabelled", "mnistTask3.zip", ("label",))],
)
def test_croissant_reads_the_archive(name, archive, fields):
    if not (DATA / archive).exists():
        pytest.skip(f"{archive} is not here")
    dataset = mlcroissant.Dataset(f"data/croissant/{name}.json", mapping={archive: str(DATA / archive)})
    for record in islice(dataset.records("samples"), 5):
        assert record["samples/image"].size == ((1200, 900) if name == "handwritten" else (28, 28))
        assert all(0 <= record[f"samples/{field}"] <= 62 for field in fields)


@pytest.fixture
def contexts_at_hand(monkeypatch):
    """The terms of RO-Crate from the package rocrate, whichever version is asked for."""
    terms = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text())
    read = document_loader._original_source_to_json

    def at_hand(source, *arguments):
        return (terms, None) if str(source).startswith("https://w3id.org/ro/") else read(source, *arguments)

    monkeypatch.setattr(document_loader, "_patched_source_to_json", at_hand)


def problems_of(crate):
    settings = services.ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="process-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        result = services.validate(settings)
    return [issue.message for issue in result.get_issues()]


def test_a_run_as_a_crate_is_valid_and_a_broken_one_is_not(tmp_path, contexts_at_hand):
    made_by("crate.py", "outputs/reference", tmp_path)
    assert problems_of(tmp_path) == []
    metadata = tmp_path / "ro-crate-metadata.json"
    metadata.write_text(metadata.read_text().replace('"instrument"', '"description"'))
    assert problems_of(tmp_path)


def test_every_published_network_has_a_card_of_its_own():
    folder = Path("outputs/reference/checkpoints")
    networks = sorted(path.stem for path in folder.glob("*.safetensors"))
    assert networks and networks == sorted(path.stem for path in folder.glob("*.md"))
    for name in networks:
        card = (folder / f"{name}.md").read_text()
        record = json.loads(next(Path("outputs/reference/results").glob(f"{run_of(card)}.json")).read_text())
        assert record["checkpoint"]["sha256"] in card or record["checkpoint"].get("weights_sha256", "-") in card


def run_of(card):
    return re.search(r"It is the run `([^`]+)`", " ".join(card.split()))[1]
