"""Makes the report's pages from executed notebooks and result files.

    pages.py OUTPUTS NAME... [--only NAME]

Reads OUTPUTS/notebooks/NAME.ipynb and OUTPUTS/results/*.json, and writes
OUTPUTS/report/NAME.html and OUTPUTS/report/index.html; where OUTPUTS/readings.json
is there, also the pages on which a reader acts (boards.py). A page is one file that
asks no network for anything: styles and scripts are inside, mathematics becomes MathML.

With `--only`, one notebook's page and the index, for a reader who does not wait for the
others; links to pages that are not there yet come with the last call, without it.
"""

import argparse
import base64
import hashlib
import itertools
import json
import os
import platform
import re
import shutil
from pathlib import Path

import jinja2
import nbformat
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

import boards
import results

TEMPLATE = Path(__file__).parent / "template"
# How lib/src/display marks data that only stand in for the real.
STAND_IN = '<strong class="g-badge">STAND-IN</strong>'
# What a reader without a mouse has to reach, because it may scroll.
SCROLLS = re.compile(r'<pre>|<table>.*?</table>|<math [^>]*display="block".*?</math>', re.DOTALL)
# A chart that a cell draws with plotters itself; its first text is its title.
DRAWN = re.compile(r"<svg (?=[^>]*\bwidth=)(?![^>]*\brole=)([^>]*)>(.*?)</svg>", re.DOTALL)
CAPTION = re.compile(r'<figure class="(g-figure[^"]*)"><figcaption>(.*?)</figcaption>', re.DOTALL)
# Tags, and with their contents those whose text stays as it is.
MARKUP = re.compile(r"(<(script|style|pre|code|svg|math|title)\b.*?</\2>|<[^>]*>)", re.DOTALL)
# What no line ends within: a number and its unit, a product of two numbers.
UNITS = re.compile(r"(?<=\d) (?=(?:[%×]|min\b|h\b|s\b))|(?<=×) (?=\d)|(?<= h) (?=\d)|(?<= min) (?=\d\d s\b)")
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
HEADING = re.compile(r'<h([23]) id="([^"]+)">(.*?)<a class="anchor-link"')


class Renderer(IPythonRenderer):
    """Markdown with mathematics as MathML, which browsers show without a script."""

    def inline_math(self, body):
        return mathml(body)

    def block_math(self, body):
        return mathml(body, display="block")

    def latex_environment(self, name, body):
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", display="block")


class Exporter(HTMLExporter):
    """nbconvert's HTML exporter with this project's template and mathematics."""

    @jinja2.pass_context
    def markdown2html(self, context, source):
        cell = context.get("cell", {})
        renderer = Renderer(
            escape=False,
            embed_images=True,
            path=context.get("resources", {}).get("metadata", {}).get("path", ""),
            attachments=cell.get("attachments", {}),
        )
        return MarkdownWithMath(renderer=renderer).render(source)


def main(outputs, names, report=None, without=(), only=None):
    """Into the folder `report`, if that is another one than OUTPUTS/report; `without` some of the
    pages on which a reader acts, or of the notebooks `only` one."""
    outputs = Path(outputs)
    executed = {name: outputs / "notebooks" / f"{name}.ipynb" for name in names}
    notebooks = {
        name: nbformat.read(path, as_version=4) for name, path in executed.items() if not only or path.exists()
    }
    quick = bool(os.environ.get("GLYPHS_QUICK"))
    made = results.read(outputs / "results")
    runs = made if quick else results.with_published(made)
    pages = [describe(name, notebook) for name, notebook in notebooks.items()]
    shared = {
        "pages": pages,
        "boards": [board for board in boards.make(outputs) if board["name"] not in without] if not only else [],
        "quick": quick,
        "data": results.datasets(runs),
    }

    report = report or outputs / "report"
    (report / "notebooks").mkdir(parents=True, exist_ok=True)
    for i, page in enumerate(pages):
        if only not in (None, page["name"]):
            continue
        neighbours = {
            "previous": pages[i - 1] if i > 0 else None,
            "next": pages[i + 1] if i + 1 < len(pages) else None,
        }
        html = export(notebooks[page["name"]], {**page, **shared, **neighbours})
        write(report / f"{page['name']}.html", html)
        name = page["name"]
        shutil.copyfile(outputs / "notebooks" / f"{name}.ipynb", report / "notebooks" / f"{name}.executed.ipynb")
        clean = results.ROOT / "notebooks" / f"{name}.ipynb"
        if clean.exists():
            shutil.copyfile(clean, report / "notebooks" / f"{name}.ipynb")
    write(report / "index.html", overview(shared, runs, len(made)))
    if only:
        print(f"{only} · {report / only}.html")
    for board in shared["boards"]:
        html = render(f"{board['name']}.html.j2", **shared, board=board, run={"versions": versions(), "commit": results.commit()})
        write(report / f"{board['name']}.html", html)


def describe(name, notebook):
    """What navigation and overview say about a notebook."""
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    first = markdown[0] if markdown else ""
    title = re.search(r"^# +(.+)$", first, re.MULTILINE)
    prose = [p for p in re.split(r"\n\s*\n", first) if p.strip() and not p.lstrip().startswith("#")]
    number, _, words = name.partition("-")
    return {
        "name": name,
        "number": number.lstrip("0"),
        "short": notebook.metadata.get("title", words.replace("-", " ")),
        "title": plain(title.group(1)) if title else name,
        "summary": re.sub(r"^Question\. *", "", plain(prose[0])) if prose else "",
        "run": {"versions": versions(), "commit": results.commit(), **notebook.metadata.get("glyphs", {})},
    }


def export(notebook, page):
    exporter = Exporter(
        template_name="template",
        extra_template_basedirs=[str(TEMPLATE.parent)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        filters={"clock": clock, "sha256": sha256},
    )
    page["script"] = script
    page["stand_in"] = any(
        STAND_IN in str(output.get("data", {}).get("text/html", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    exporter.environment.globals["script"] = script
    html, _ = exporter.from_notebook_node(notebook, {"glyphs": page})
    html = whole(accessible(html))
    return html.replace("<!--contents-->", contents(html), 1)


def accessible(html):
    """Reached without a mouse: what scrolls. Without empty headers; each figure with a link, each chart with words."""
    seen = set()

    def reachable(match):
        if match[0] == "<pre>":
            return '<pre tabindex="0">'
        return f'<div class="scroll" tabindex="0">{match[0]}</div>'

    def linked(match):
        words = re.sub(r"<.*?>", "", match[2])
        anchor = slug = re.sub(r"\W+", "-", words).strip("-")
        numbers = itertools.count(2)
        while anchor in seen:
            anchor = f"{slug}-{next(numbers)}"
        seen.add(anchor)
        link = f'<a class="anchor-link" href="#{anchor}" aria-label="Link to: {words}">¶</a>'
        return f'<figure class="{match[1]}" id="{anchor}"><figcaption>{match[2]}{link}</figcaption>'

    def named(match):
        title = re.search(r"<text\b[^>]*>(.*?)</text>", match[2], re.DOTALL)
        words = title[1].strip().replace('"', "&quot;") if title else "A chart"
        return f'<svg role="img" aria-label="{words}" {match[1]}>{match[2]}</svg>'

    html = re.sub(r"<th\b[^>]*></th>", "<td></td>", SCROLLS.sub(reachable, html))
    return CAPTION.sub(linked, DRAWN.sub(named, html))


def whole(html):
    """With no line ending inside a date, nor between a number and its unit."""

    def words(text):
        return DATE.sub(r'<span class="whole">\g<0></span>', UNITS.sub("\u00a0", text))

    # Split by a pattern with two groups: text, a tag, the tag's name, and so on.
    pieces = MARKUP.split(html)
    pieces[::3] = map(words, pieces[::3])
    del pieces[2::3]
    return "".join(pieces)


def contents(html):
    """The table of contents, from the headings of a page."""
    items = "".join(
        f'<li{" class=deeper" if level == "3" else ""}><a href="#{anchor}">{text}</a></li>\n'
        for level, anchor, text in HEADING.findall(html)
    )
    return f"<details><summary>On this page</summary>\n<ul>\n{items}</ul></details>" if items else ""


def overview(shared, runs, made):
    return render(
        "overview.html.j2",
        **shared,
        parts=results.parts(runs),
        findings=results.findings(runs),
        picture=results.picture(runs),
        trained=results.effort(runs, made),
        legend=results.legend,
        setup=setup(),
        seconds=sum(page["run"].get("seconds") or 0 for page in shared["pages"]),
        run={"versions": versions(), "commit": results.commit()},
    )


def setup():
    """Where this repository is, and the minutes that README states for the first set-up."""
    minutes = re.search(r"minutes the first time: (\d+) of set-up", (results.ROOT / "README.md").read_text())
    repository = json.loads((results.ROOT / "codemeta.json").read_text())["codeRepository"]
    return {"repository": repository, "minutes": minutes and minutes[1]}


def render(template, **values):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATE))
    environment.filters.update(clock=clock, sha256=sha256)
    environment.globals["script"] = script
    return whole(environment.get_template(template).render(**values))


def script(name):
    """A script of ours, as it stands in a page."""
    return (TEMPLATE / name).read_text(encoding="utf-8")


def sha256(text):
    """As a content security policy names a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def versions():
    kernel = os.environ.get("GLYPHS_EVCXR_VERSION")
    found = [results.tool("rustc", "--version").split(" (")[0], f"Python {platform.python_version()}"]
    return found + ([f"evcxr_jupyter {kernel}"] if kernel else [])


def clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s"


def plain(markdown):
    """Markdown's text without its marks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"[*_`$]+", "", text).replace("\n", " ").strip()


def write(path, text):
    """Writes a file whole or not at all."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("outputs")
    arguments.add_argument("names", nargs="+")
    arguments.add_argument("--only")
    main(**vars(arguments.parse_args()))
