"""Metadata, each checked by the tool made for it. No network is needed."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import islice
from pathlib import Path

import mlcroissant
import pytest
import rocrate
import yaml
from requests.adapters import HTTPAdapter
from rocrate_validator import models, services
from rocrate_validator.utils import document_loader
from urllib3 import HTTPResponse

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("GLYPHS_DATA") or "data/raw")
DATASETS = ["handwritten", "mislabelled", "mnist"]


def made_by(script, *arguments):
    subprocess.run([sys.executable, ROOT / "workflow" / script, *arguments], check=True)


def problems_of_software(folder):
    """In codemeta.json and CITATION.cff, and where they contradict each other."""
    command = [Path(sys.executable).parent / "rs-metadata", "validate", folder, "--format", "json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)["diagnostics"]
    problems = [(problem["code"], problem["message"]) for problem in found if problem["severity"] == "error"]
    assert done.returncode == bool(problems)
    return problems


def test_the_software_is_described_validly():
    assert problems_of_software(ROOT) == []


@pytest.mark.parametrize(
    "file, right, wrong, code",
    [
        ("codemeta.json", '"codeRepository"', '"repository"', "profile.required-field"),
        ("codemeta.json", "licenses/MIT", "licenses/MTI", "profile.invalid-value"),
        ("codemeta.json", '"version": "0.1.0"', '"version": "0.1.1"', "consistency.mismatch"),
        ("CITATION.cff", "type: software", "type: program", "source.invalid"),
    ],
)
def test_a_description_with_an_error_is_not_valid(tmp_path, file, right, wrong, code):
    for name in ("codemeta.json", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    text = (tmp_path / file).read_text()
    (tmp_path / file).write_text(text.replace(right, wrong))
    assert text.count(right) == 1 and code in dict(problems_of_software(tmp_path))


def test_croissant_says_what_datasets_toml_says(tmp_path):
    made_by("croissant.py", tmp_path)
    for name in DATASETS:
        assert (tmp_path / f"{name}.json").read_text() == (ROOT / f"data/croissant/{name}.json").read_text()


@pytest.mark.parametrize("name", DATASETS)
def test_croissant_is_valid(name):
    issues = mlcroissant.Dataset(f"data/croissant/{name}.json").metadata.ctx.issues
    assert not issues.errors


def test_croissant_reads_the_drawings():
    archive = here("trainPart1.zip")
    dataset = mlcroissant.Dataset("data/croissant/handwritten.json", mapping={archive.name: str(archive)})
    for record in islice(dataset.records("samples"), 5):
        path = f"Sample{record['samples/class']:03}/img{record['samples/class']:03}-{record['samples/writer']:03}.png"
        with zipfile.ZipFile(archive) as drawings:
            assert f"train/{path}" in drawings.namelist()
        assert record["samples/image"].size == (1200, 900)


def test_croissant_finds_a_label_in_every_path_of_dataset_3():
    # To let mlcroissant read its 60,000 images takes two minutes.
    metadata = json.loads((ROOT / "data/croissant/mislabelled.json").read_text())
    label = next(field for field in metadata["recordSet"][0]["field"] if field["name"] == "label")
    pattern = label["source"]["transform"]["regex"]
    with zipfile.ZipFile(here("mnistTask3.zip")) as images:
        paths = [name for name in images.namelist() if name.endswith(".jpg")]
    assert len(paths) == 60_000
    assert {re.match(pattern, path)[1] for path in paths} == set("0123456789")


def here(name):
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not here")
    return DATA / name


@pytest.fixture
def contexts_at_hand(monkeypatch):
    """The terms of RO-Crate from the package rocrate, whichever version is asked for."""
    terms = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text())

    def at_hand(adapter, request, **options):
        assert request.url.startswith("https://w3id.org/ro/"), request.url
        body = io.BytesIO(json.dumps(terms).encode())
        headers = {"Content-Type": "application/ld+json"}
        raw = HTTPResponse(body, headers=headers, status=200, preload_content=False)
        return adapter.build_response(request, raw)

    monkeypatch.setattr(HTTPAdapter, "send", at_hand)
    # The validator's other way to the network.
    reading = document_loader._original_source_to_json
    of_source = lambda source, *rest: (terms, None) if str(source).startswith("https://") else reading(source, *rest)
    monkeypatch.setattr(document_loader, "_patched_source_to_json", of_source)


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
    for page in tmp_path.glob("report/*.html"):
        links = set(re.findall(r'href="([^"#:]+)["#]', page.read_text()))
        assert links and [link for link in links if not (page.parent / link).exists()] == [], page
    metadata = tmp_path / "ro-crate-metadata.json"
    described = {part["@id"] for part in json.loads(metadata.read_text())["@graph"][1]["hasPart"]}
    assert described == {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/**/*") if path.is_file()}
    metadata.write_text(metadata.read_text().replace('"instrument"', '"description"'))
    assert problems_of(tmp_path)


def test_a_crate_replaces_nothing_but_a_crate(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(subprocess.CalledProcessError):
        made_by("crate.py", "outputs/reference", tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_every_published_network_has_a_card_of_its_own():
    folder = Path("outputs/reference/checkpoints")
    networks = sorted(path.stem for path in folder.glob("*.safetensors"))
    assert networks and networks == sorted(path.stem for path in folder.glob("*.md"))
    for name in networks:
        card = (folder / f"{name}.md").read_text()
        record = json.loads(next(Path("outputs/reference/results").glob(f"{run_of(card)}.json")).read_text())
        assert record["checkpoint"]["sha256"] in card or record["checkpoint"].get("weights_sha256", "-") in card
        front = yaml.safe_load(card.split("---\n")[1])
        assert front["pipeline_tag"] == "image-classification" and record["dataset"]["name"] in front["datasets"]
        count, accuracy = re.search(r"On the (\d+) images.*?\*\*([\d.]+)\*\*", card, re.DOTALL).groups()
        # By class, and by writer.
        for table in re.split(r"\|---\|---:\|---:\|", card)[1:]:
            rows = re.findall(r"^\| \S+ \| (\d+) \| (\d+) \|$", table, re.MULTILINE)
            images, correct = (sum(map(int, column)) for column in zip(*rows))
            assert (images, f"{correct / images:.4f}") == (int(count), accuracy)


def run_of(card):
    return re.search(r"It is the run `([^`]+)`", " ".join(card.split()))[1]


def test_codemeta_says_what_the_crates_say():
    codemeta = json.loads((ROOT / "codemeta.json").read_text())
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    assert codemeta["version"] == package["version"]
    assert codemeta["codeRepository"] == package["repository"]
    assert [address.rsplit("/")[-1] for address in codemeta["license"]] == package["license"].split(" OR ")
    needed = {needs["name"]: needs.get("version") for needs in codemeta["softwareRequirements"]}
    assert needed["Rust"] == f">={package['rust-version']}"


@pytest.mark.parametrize("page", ["README.md", "reproducibility.md", "cluster.md"])
def test_what_a_page_names_is_there(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text()) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []
