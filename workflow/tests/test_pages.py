"""The report's pages: complete, and asking no network for anything."""

import json
import re
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import pages
import results
from conftest import chromium, missing

ROOT = Path(__file__).resolve().parents[2]
# Everything a browser fetches on its own; links that a reader follows are not among it.
FETCHED = re.compile(
    r"""<(?:script|link|iframe|object|embed|audio|video|source)\b[^>]*(?:src|href|data)=(?!["']?data:)"""
    r"""|<(?:img|image|use)\b[^>]*(?:src|href)=(?!["']?(?:data:|\#))|url\((?!["']?(?:data:|\#))|@import""",
    re.IGNORECASE,
)
SVG = '<div><svg viewBox="0 0 10 10"><circle r="4"/></svg></div>'
STAND_IN = f"<p>{pages.STAND_IN} not the real data</p>"


def result(seed, accuracy, **changed):
    return {
        "part": 1, "network": "original", "init": "random", "protocol": "report", "seed": seed, "loss": "cross_entropy",
        "dataset": {"name": "handwritten", "source": "trainPart1.zip", "sha256": "ab" * 32, "count": 2480, "synthetic": False},
        "config": {}, "setup": {"split": "test_set"}, "epochs": [{"accuracy": 0.9, "val_accuracy": accuracy, "loss": 0.1, "val_loss": 0.2}],
        "test_accuracy": None,
    } | changed  # fmt: skip


@pytest.fixture
def report(tmp_path, monkeypatch):
    """The pages of two small executed notebooks."""
    monkeypatch.setattr(results, "PUBLISHED", tmp_path / "published")
    monkeypatch.delenv("GLYPHS_QUICK", raising=False)
    first = new_notebook(
        cells=[
            new_markdown_cell("# Ink, made *bright*\n\nWhat this page is about.\n\n![dot](attachment:dot.png)"),
            new_markdown_cell("## The mean\n\nInline $\\bar{x} = \\frac{1}{n}\\sum_i x_i$ and\n\n$$\\sigma^2$$"),
            new_code_cell("let x: u32 = 1; // a comment\nx", outputs=[
                new_output("stream", name="stdout", text="epoch 1 <loss> 0.5\n"),
                new_output("execute_result", data={"text/html": SVG, "text/plain": "a chart"}),
            ]),
            new_markdown_cell("### Deeper"),
        ]
    )  # fmt: skip
    first.cells[0]["attachments"] = {"dot.png": {"image/png": "iVBORw0KGgo="}}
    second = new_notebook(cells=[
        new_markdown_cell("# Networks"),
        new_code_cell("1", outputs=[new_output("execute_result", data={"text/html": STAND_IN})]),
    ])  # fmt: skip
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "results").mkdir()
    for name, notebook in {"01-ink": first, "02-networks": second}.items():
        notebook.metadata["language_info"] = {"name": "Rust"}
        notebook.metadata["glyphs"] = {"started": "2026-01-01 10:00:00 UTC", "seconds": 65.2}
        nbformat.write(notebook, tmp_path / "notebooks" / f"{name}.ipynb")
    for seed, accuracy in enumerate([0.86, 0.88]):
        (tmp_path / "results" / f"seed{seed}.json").write_text(json.dumps(result(seed, accuracy)))
    pages.main(tmp_path, ["01-ink", "02-networks"])
    return {path.stem: path.read_text() for path in (tmp_path / "report").glob("*.html")}


def test_a_page_holds_what_its_notebook_shows(report):
    page = report["01-ink"]
    assert "<title>Ink, made bright</title>" in page
    assert '<circle r="4"' in page
    assert "epoch 1 &lt;loss&gt; 0.5" in page
    assert 'class="kd"' in page, "code has syntax colours"
    assert "data:image/png;base64,iVBORw0KGgo=" in page
    assert "1\u00a0min\u00a005\u00a0s" in page


def test_nbconvert_makes_a_page_without_this_template():
    """JupyterLab's *Save and Export Notebook As > HTML*."""
    executed = ROOT / "outputs/quick/notebooks/02-cnn-dataset1.ipynb"
    if not executed.exists():
        missing("no executed notebook: run `make quick`")
    page, _ = HTMLExporter().from_filename(str(executed))
    shown = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert shown.count('role="img"') > 5 and "<table" in shown
    words = re.sub(r"<[^>]*>", "", shown)
    assert "A network for 62 characters" in words and "--glyphs" not in words and "var(" not in words


def test_mathematics_needs_no_script(report):
    page = report["01-ink"]
    assert page.count("<math") == 2 and "<mfrac>" in page
    assert 'display="block"' in page
    assert "$" not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)
    assert "<script src" not in page


def test_navigation_and_contents(report):
    page = report["01-ink"]
    assert '<a href="#The-mean">The mean</a>' in page
    assert '<li class=deeper><a href="#Deeper">' in page
    assert 'id="The-mean"' in page
    assert 'rel="next">Networks' in page and 'rel="prev"' not in page
    assert re.search('<a aria-current="page" href="02-networks.html">', report["02-networks"])
    for html in report.values():
        for target in re.findall(r'href="([\w-]+)\.html"', html):
            assert target in report


def test_stand_in_data_are_marked_on_the_page_that_shows_them(report):
    assert "The real data were not found" in report["02-networks"]
    assert "The real data were not found" not in report["01-ink"]


def test_the_overview_shows_results_beside_the_original(report):
    page = report["index"]
    # Mean of 0.86 and 0.88; half interval: 12.706 * 0.01414 / sqrt(2).
    reported = results.reference_2021()[0]["epochs"][-1]["val_accuracy"]
    assert "87.00 ± 12.71" in page and f"{100 * reported:.2f}" in page
    assert "handwritten" in page and "sha256 <code>abababababababab</code>" in page
    assert "No results have been recorded for this part." in page


def test_a_synthetic_result_is_marked_on_the_overview(tmp_path):
    run = result(0, 0.5)
    run["dataset"] = run["dataset"] | {"synthetic": True}
    row = results.parts([run])[0]["rows"][0]
    assert row["synthetic"] and row["ours"] == "50.00"


def test_a_start_from_stand_in_data_counts_as_one(tmp_path, monkeypatch):
    real, stand_in = ({**result(0, 0.5)["dataset"], "sha256": x * 32, "synthetic": x == "cd"} for x in ("ab", "cd"))
    monkeypatch.setattr(results, "PUBLISHED", tmp_path)
    (tmp_path / "b.json").write_text(json.dumps(result(1, 0.6, init="pretrained", pretraining=real)))
    own = result(0, 0.5, init="pretrained", pretraining=stand_in) | {"file": "a.json"}
    assert results.with_published([own]) == [own]
    assert [row["synthetic"] for part in results.parts([own]) for row in part["rows"]] == [True]
    assert stand_in in results.datasets([own])


def test_published_seeds_of_the_same_data_join_in(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "PUBLISHED", tmp_path)
    other_data = result(2, 0.1)["dataset"] | {"sha256": "cd" * 32}
    for name, run in {"a": result(0, 0.3), "b": result(1, 0.4), "c": result(2, 0.1, dataset=other_data)}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    runs = results.with_published([result(0, 0.5) | {"file": "a.json"}])
    assert [(run["seed"], run["epochs"][0]["val_accuracy"]) for run in runs] == [(0, 0.5), (1, 0.4)]


def test_other_published_experiments_join_in_and_changed_ones_stand_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "PUBLISHED", tmp_path)
    for name, run in {"b": result(1, 0.4), "c": result(1, 0.6, protocol="ours")}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(run))
    runs = results.with_published([result(0, 0.5, config={"epochs": 1}) | {"file": "a.json"}])
    assert [(run["seed"], run["protocol"]) for run in runs] == [(0, "report"), (1, "ours")]


def test_no_page_names_anything_to_fetch(report):
    for name, html in report.items():
        assert not FETCHED.search(html), f"{name}: {FETCHED.search(html).group()}"
    assert FETCHED.search('<script src="https://example.org/x.js">'), "the pattern finds what it is for"


# Folders that people and systems keep their files in; no page or result needs one.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|tmp|Users|var)/[\w.]+")


def test_nothing_finished_names_a_folder_of_a_machine():
    outputs = ROOT / "outputs"
    for path in [*outputs.glob("**/report/*.html"), *outputs.glob("**/results/*.json")]:
        text = path.read_text()
        assert str(ROOT) not in text and not MACHINE_PATH.search(text), path
    assert MACHINE_PATH.search('"path": "/home/someone/data"'), "the pattern finds what it is for"


def requests(page, folder):
    """The addresses that a page makes Chromium ask for."""
    log = folder / "net.json"
    subprocess.run(
        [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--no-first-run", "--disable-sync", f"--user-data-dir={folder}/profile",
         f"--log-net-log={log}", "--virtual-time-budget=5000", "--dump-dom", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    entries = json.loads(log.read_text())["events"]
    asked = [entry["params"] for entry in entries if "initiator" in entry.get("params", {})]
    # The browser's own errands (updates, the time) are nobody's page's.
    return {request["url"] for request in asked if request["initiator"] != "not an origin"}


def test_chromium_asks_the_network_for_nothing(report, tmp_path):
    finished = [*(ROOT / "outputs").glob("**/report/*.html"), *(tmp_path / "report").glob("*.html")]
    for page in finished:
        assert requests(page, tmp_path) == set(), page


def test_chromium_would_be_caught_asking(tmp_path):
    page = tmp_path / "asking.html"
    page.write_text('<img src="http://127.0.0.1:9/picture.png">')
    assert requests(page, tmp_path) == {"http://127.0.0.1:9/picture.png"}


def test_what_scrolls_is_reached_and_what_is_shown_is_linked_to():
    html = pages.accessible(
        "<pre>x</pre><table><tr><th></th><th>a</th></tr></table>"
        '<figure class="g-figure"><figcaption>One &amp; all</figcaption></figure>' * 2
    )
    assert html.count('<pre tabindex="0">') == html.count('<div class="scroll" tabindex="0"><table>') == 2
    assert "<th></th>" not in html
    drawn = pages.accessible('<svg width="9" viewBox="0 0 9 9"><text x="1">\n99 % &amp; "all"\n</text><text>0</text></svg>')
    assert drawn.startswith('<svg role="img" aria-label="99 % &amp; &quot;all&quot;" width="9" viewBox="0 0 9 9"><text x="1">')
    assert pages.accessible(SVG) == SVG, "a sample in a legend has no words of its own"
    anchors = re.findall(r'<figure class="g-figure" id="([^"]+)">', html)
    assert len(set(anchors)) == 2 and all(f'href="#{anchor}"' in html for anchor in anchors)


def test_no_line_ends_inside_a_figure():
    html = pages.whole('<p title="1 %">28 × 28, 99.2 %, 3 min 05 s, 2026-11-29</p><pre>28 × 28</pre><style>a { width: 9 % }</style>')
    assert '<p title="1 %">28\u00a0×\u00a028, 99.2\u00a0%, 3\u00a0min\u00a005\u00a0s, <span class="whole">2026-11-29</span></p>' in html
    assert "<pre>28 × 28</pre>" in html and "9 % }" in html


def test_every_run_is_accounted_for(report):
    runs = [result(seed, 0.9) | {"epochs": [{"val_accuracy": 0.9, "seconds": 1}]} for seed in range(2)]
    first = result(0, 0.9, part=2, protocol="pretraining") | {"epochs": [{"val_accuracy": 0.9, "seconds": 2}]}
    assert results.effort(runs + [first], 2) == {"runs": 3, "made": 2, "shown": 2, "pretrain": True, "processors": "", "seconds": 4}
    assert results.legend([{"ours": "8.92 (2 runs); 9.74 (3 runs)"}]) == "where the runs fall into two groups, the mean of each with its number of runs"
    shared = {"pages": [], "boards": [], "quick": False, "data": []}
    page = pages.overview(shared, runs + [first], 2)
    assert "2 of them were made here, the others are published with the project. 2 of these 3 are in the tables below, and the other 1 pretrain" in page
    # What no row has is no column.
    assert page.count("2021 report</th>") == 1 and "<td></td>" not in page


def test_notebooks_can_be_downloaded(report, tmp_path):
    targets = re.findall(r'href="(notebooks/[^"]+)"', report["01-ink"])
    assert len(targets) == 2 and (tmp_path / "report" / targets[1]).exists()


def test_a_page_does_not_wait_for_the_other_notebooks(report, tmp_path):
    folder = tmp_path / "first"
    pages.main(tmp_path, ["01-ink", "02-networks", "03-never-run"], folder, only="01-ink")
    assert {path.name for path in folder.glob("*.html")} == {"01-ink.html", "index.html"}
    assert 'href="01-ink.html"' in (folder / "index.html").read_text()


def test_the_index_opens_with_figures_of_the_records():
    def runs(**changed):
        base = result(0, 0.9, part=2, test_accuracy=changed.pop("accuracy")) | {"seed": changed.pop("seed")}
        return base | changed

    both = [
        runs(seed=seed, accuracy=accuracy + seed / 1000, protocol="few-100", init=init)
        for init, accuracy in (("random", 0.86), ("pretrained", 0.96))
        for seed in range(3)
    ]
    picture = results.picture(both)
    assert "<title>With 100 images, pretraining on 360 drawings cuts errors from 13.9 to 3.9 %</title>" in picture
    assert picture.count("<circle") == 1 and "100 images, random: 13.90 %" in picture
    assert results.picture(both[:3]) == "" and results.findings(both) == []
    random, own = both[:3], both[3:]

    def next_seed(runs, protocol):
        return [run | {"protocol": f"{protocol}-pretraining-next-seed", "init": "pretrained"} for run in runs]

    all_images = [run | {"protocol": "report"} for run in random]
    found = " ".join(results.findings(both + all_images + next_seed(own, "few-100") + next_seed(own, "report")))
    assert "raises MNIST accuracy from 86.1 to 96.1 % with 100 images, and from" in found
    found = " ".join(results.findings(both + all_images + next_seed(own, "few-100") + next_seed(random, "report")))
    assert "; with all 60,000 (86.1 and 86.1 %) the difference may be chance (3 seeds" in found


def test_intervals_allow_for_splits_and_groups():
    run = result(0, 0.9)
    assert results.overlap(run | {"setup": {"split": {"fold": 5}}}) == 0.25
    assert results.overlap(run | {"part": 2, "setup": {"split": "test_set"}}) == 0
    assert results.interval([0.86, 0.88], results.overlap(run | {"setup": {"split": {"random": 0.5}}}), False) == "87.00 ± 22.01"
    either = [0.0016, 0.0068, 0.0892, 0.0974, 0.0974]
    assert results.interval(either, 0, True) == "0.42 (2 runs); 9.47 (3 runs)"
    assert " ± " in results.interval(either, 0, False)
    assert " ± " in results.interval([0.8421, 0.8501, 0.8831, 0.8868, 0.8889], 0, True)
    assert results.learns_either(run | {"part": 3, "protocol": "report"}) and not results.learns_either(run)


def test_no_cell_of_a_report_shows_debug_text():
    """As evcxr does with a value whose display does not compile."""
    executed = [path for folder in ("outputs", "outputs/quick") for path in (ROOT / folder / "notebooks").glob("[0-9]*.ipynb")]
    if not executed:
        missing("no executed notebook: run `make quick`")
    for path in executed:
        cells = nbformat.read(path, as_version=4).cells
        for output in (output for cell in cells for output in cell.get("outputs", [])):
            data = output.get("data", {})
            assert "text/html" in data or not re.match(r"[A-Z]\w* ?[({]", data.get("text/plain", "")), f"{path.name}: {data}"
