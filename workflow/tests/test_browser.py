"""The finished pages in a browser: reached by everybody, on any screen, and right in what they compute."""

import base64
import json
import os
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, chromium, missing
from playwright.sync_api import expect, sync_playwright

REPORTS = [folder for name in os.environ.get("GLYPHS_PAGES", "report quick/report reference/report").split() if (folder := ROOT / "outputs" / name).is_dir()]
PAGES = [path for folder in REPORTS for path in sorted(folder.glob("*.html"))]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# The width between the margins of an A4 sheet, 190 mm, in CSS pixels.
A4 = {"width": 718, "height": 1000}

every_page = pytest.mark.parametrize("path", PAGES or [None], ids=lambda path: path and str(path.relative_to(ROOT / "outputs")))


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Opens a page; an error in one of its scripts fails the test."""
    contexts, errors = [], []

    def visit(path, viewport=WIDE, **options):
        if path is None or not Path(path).exists():
            missing("no finished page: run `make quick`")
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: message.type == "error" and errors.append(message.text))
        page.goto(Path(path).as_uri())
        if page.locator("#data").count():
            page.wait_for_selector("body[data-ready]", state="attached")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not errors


def report(name):
    found = [folder / name for folder in REPORTS if (folder / name).exists()]
    return found[0] if found else None


@every_page
def test_axe_finds_nothing(visit, path):
    for viewport, scheme in ((WIDE, "light"), (NARROW, "dark")):
        page = visit(path, viewport, color_scheme=scheme)
        # On a gradient axe would not judge the contrast of what stands there.
        page.add_style_tag(content=".scroll, .glyphs .g-scroll, .input_area pre, .output_stdout pre { background: none }")
        found = Axe().run(page).response["violations"]
        told = [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
        assert not told, (viewport["width"], scheme, *told[:10])


def test_axe_would_find_something(visit, tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<!DOCTYPE html><html lang="en"><title>A page</title><main><h1>A page</h1><img src="data:,"></main>')
    assert [rule["id"] for rule in Axe().run(visit(page)).response["violations"]] == ["image-alt"]


# Elements that reach beyond the page, unless they stand in a frame that scrolls.
OVERRUNS = """() => [...document.querySelectorAll("main *, footer *, header *")]
    .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
    .filter((e) => {
        for (let f = e; f; f = f.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(f).overflowX)) return false;
        return !e.closest("svg svg, .skip");
    })
    .slice(0, 5).map((e) => e.outerHTML.slice(0, 160))"""


@every_page
def test_nothing_is_cut_off_on_a_phone_or_on_paper(visit, path):
    assert visit(path, NARROW).evaluate(OVERRUNS) == []
    page = visit(path, A4)
    page.emulate_media(media="print")
    assert page.evaluate(OVERRUNS) == []


# The size of a chart's first text on the screen, in pixels.
TEXT = """() => [...document.querySelectorAll(".g-scroll > svg[viewBox]")].map((svg) =>
    svg.querySelector("text").getAttribute("font-size") * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"""


@pytest.mark.parametrize("name", ["02-cnn-dataset1.html", "04-mnist.html"])
def test_the_text_of_charts_is_readable_on_a_phone(visit, name):
    sizes = visit(report(name), NARROW).evaluate(TEXT)
    assert sizes and min(sizes) > 9.9


# Only a matrix of many classes is wider.
@pytest.mark.parametrize("name", ["02-cnn-dataset1.html", "04-mnist.html", "06-cnn-dataset3.html"])
def test_a_phone_shows_the_whole_of_a_chart(visit, name):
    charts = visit(report(name), NARROW).locator(".g-figure:not(.g-wide) > .g-scroll:has(> svg)")
    assert charts.count() > 0
    assert charts.evaluate_all("all => all.filter((chart) => chart.scrollWidth > chart.clientWidth).length") == 0


def test_the_contents_leave_the_title_in_sight_on_a_phone(visit):
    page = visit(report("02-cnn-dataset1.html"), NARROW)
    assert page.locator("h1").bounding_box()["y"] < NARROW["height"]


def test_code_is_folded_tables_are_sorted_and_charts_enlarged(visit):
    page = visit(report("02-cnn-dataset1.html"))
    code = page.locator(".input_area .highlight").first
    page.get_by_role("button", name="Hide all code").click()
    expect(code).to_be_hidden()
    page.get_by_role("button", name="Show all code").click()
    expect(code).to_be_visible()

    table = page.locator(".g-table:has(th button)").first
    header = table.locator("th").nth(0)
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    # Long tables are filtered as well.
    table = page.locator(".filter + * .g-table").first
    rows = table.locator("tbody tr:visible")
    every, words = rows.count(), rows.last.inner_text().split("\t")[0]
    page.locator(".filter input").first.fill(words)
    assert 0 < rows.count() < every
    page.locator(".filter input").first.fill("")
    assert rows.count() == every

    page.locator(".g-scroll > svg").first.click()
    enlarged = page.get_by_role("dialog", name="Enlarged picture")
    expect(enlarged).to_be_visible()
    figure = page.locator("figure:has(> .g-scroll > svg)").first
    assert enlarged.locator("figcaption").inner_text() == figure.locator("figcaption").evaluate("e => e.firstChild.textContent")
    expect(enlarged.locator(".g-legend")).to_have_count(figure.locator(".g-legend").count())
    page.keyboard.press("Escape")
    for focused in (".g-scroll:has(> svg)", "img.enlarges"):
        expect(enlarged).to_be_hidden()
        page.locator(focused).first.press("Enter")
        expect(enlarged).to_be_visible()
        page.keyboard.press("Escape")

    body = page.locator("body")
    light = body.evaluate("e => getComputedStyle(e).backgroundColor")
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours: light").click()
    assert body.evaluate("e => getComputedStyle(e).backgroundColor") != light

    link = page.get_by_role("link", name="the notebook", exact=True).get_attribute("href")
    assert json.loads((report("02-cnn-dataset1.html").parent / link).read_text())["cells"]


def test_the_tables_of_the_first_page_are_sorted(visit):
    page = visit(report("index.html"))
    header = page.locator("main table:has(th button) th").first
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")


def test_headers_are_text_while_a_page_is_printed(visit):
    page = visit(report("index.html"))
    header = page.locator("main table:has(tbody tr:nth-child(3)) th").first
    words = header.inner_text()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert header.locator("button").count() == 0 and header.inner_text() == words
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")


def test_the_header_has_one_line_on_a_wide_screen(visit):
    for name in ("index.html", "02-cnn-dataset1.html"):
        page = visit(report(name))
        assert page.locator("nav.pages").evaluate("e => e.clientHeight") < 60


def test_without_scripts_everything_stays_in_sight(visit):
    page = visit(report("02-cnn-dataset1.html"), java_script_enabled=False)
    expect(page.locator(".input_area .highlight").first).to_be_visible()
    expect(page.locator(".g-table").first).to_be_visible()


def readings(page):
    """What the page of that report was made from."""
    return json.loads((page.parent.parent / "readings.json").read_text())


def test_the_drawing_page_computes_what_the_library_does(visit):
    path = report("draw.html")
    page = visit(path)
    # A quick run's network has hardly learned: its weights are noise, which packs less well.
    limit = 6.1e6 if "quick" in path.parts else 6e6
    assert path.stat().st_size <= limit
    known = [drawing for drawing in readings(path)["drawings"] if any(n == 0 for n, _ in drawing["readings"])]
    apart = []
    for drawing in known:
        pixels = list(base64.b64decode(drawing["pixels"]))
        shares = page.evaluate("seen => glyphsDraw.read(seen)", {"pixels": pixels, "features": drawing["features"]})
        row = next(row for n, row in drawing["readings"] if n == 0)
        apart.append(max(abs(a - b) for a, b in zip(shares, row, strict=True)))
    print("largest difference of a probability:", max(apart))
    assert max(apart) < 1e-3


def test_the_drawing_page_sees_what_the_library_sees(visit):
    path = report("draw.html")
    page = visit(path)
    archive = Path(os.environ.get("GLYPHS_DATA", ROOT / "data/raw")) / "trainPart1.zip"
    if not archive.exists():
        missing("the drawings are not here")
    files = zipfile.ZipFile(archive)
    names = {Path(name).name: name for name in files.namelist()}
    known = readings(path)["drawings"]
    for drawing in known[:: len(known) // 62][:62]:
        seen = page.evaluate(
            """async (source) => {
                const image = new Image();
                image.src = source;
                await image.decode();
                const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
                context.drawImage(image, 0, 0);
                const { data } = context.getImageData(0, 0, image.width, image.height);
                const grey = Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
                const { pixels, features } = glyphsDraw.preprocess(grey, image.width, image.height);
                return { pixels: [...pixels], features };
            }""",
            "data:image/png;base64," + base64.b64encode(files.read(names[drawing["name"]])).decode(),
        )
        assert bytes(seen["pixels"]) == base64.b64decode(drawing["pixels"]), drawing["name"]
        assert seen["features"] == pytest.approx(drawing["features"], abs=1e-5)


def test_a_drawing_is_read_at_once(visit):
    page = visit(report("draw.html"), NARROW)
    box = page.locator("#paper").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])
    times = []
    for _ in range(5):
        page.get_by_role("button", name="Clear").click()
        page.mouse.move(*at(0.5, 0.25))
        page.mouse.down()
        page.mouse.move(*at(0.5, 0.75), steps=8)
        page.mouse.up()
        times.append(float(page.locator("body").get_attribute("data-milliseconds")))
    # How long it took is said, not judged: machines differ, and this one has other things to do.
    print("milliseconds:", times)
    expect(page.locator("#answers tr")).to_have_count(5)
    expect(page.locator("#nearest figure")).to_have_count(5)


def test_mistakes_are_filtered_and_looked_at(visit):
    page = visit(report("mistakes.html"))
    known = readings(report("mistakes.html"))
    # A quick run has few drawings, and not of every class.
    name = next(known["classes"][drawing["label"]] for drawing in known["drawings"] if drawing["readings"])
    page.locator("#kind").select_option("all")
    every = page.locator("#drawings button").count()
    page.locator("#class").select_option(name)
    assert 0 < page.locator("#drawings button").count() < every
    page.locator("#drawings button").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(f"{name}, writer")
    assert page.locator("#answers tr").count() >= 1
    expect(page.locator("#nearest figure")).to_have_count(5)
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Escape")
    page.locator("#kind").select_option("wrong")
    page.locator("#class").select_option("")
    wrong = sum(
        any(max(range(len(row)), key=row.__getitem__) != drawing["label"] for _, row in drawing["readings"])
        for drawing in known["drawings"]
    )
    expect(page.locator("#count")).to_contain_text(f"{wrong} of ")


def test_a_person_reads_and_saves(visit, tmp_path):
    page = visit(report("read.html"))
    page.get_by_role("button", name="Begin").click()
    for letter in "A3z":
        page.keyboard.press(letter)
    page.keyboard.press("Backspace")
    page.keyboard.press("Q")
    expect(page.locator("#progress")).to_contain_text("Drawing 4")
    page.get_by_role("button", name="Stop here").click()
    expect(page.locator("#scores")).to_contain_text("You")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the answers").click()
    download.value.save_as(tmp_path / "answers.json")
    answers = json.loads((tmp_path / "answers.json").read_text())["answers"]
    assert [answer["answer"] for answer in answers] == ["A", "3", "Q"]
    assert Axe().run(page).violations_count == 0
