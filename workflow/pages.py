"""Makes the report's pages from executed notebooks and result files.

    pages.py OUTPUTS NAME...

Reads OUTPUTS/notebooks/NAME.ipynb and OUTPUTS/results/*.json, and writes
OUTPUTS/report/NAME.html and OUTPUTS/report/index.html. A page is one file that
asks no network for anything: styles are inside, mathematics becomes MathML.
"""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import jinja2
import nbformat
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

import results

TEMPLATE = Path(__file__).parent / "template"
# How lib/src/display marks data that only stand in for the real.
STAND_IN = '<strong class="g-badge">STAND-IN</strong>'
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


def main(outputs, names):
    outputs = Path(outputs)
    notebooks = {
        name: nbformat.read(outputs / "notebooks" / f"{name}.ipynb", as_version=4) for name in names
    }
    quick = bool(os.environ.get("GLYPHS_QUICK"))
    runs = results.read(outputs / "results")
    if not quick:
        runs = results.with_published(runs)
    pages = [describe(name, notebook) for name, notebook in notebooks.items()]
    shared = {
        "pages": pages,
        "quick": quick,
        "data": results.datasets(runs),
    }

    report = outputs / "report"
    report.mkdir(parents=True, exist_ok=True)
    for i, page in enumerate(pages):
        neighbours = {
            "previous": pages[i - 1] if i > 0 else None,
            "next": pages[i + 1] if i + 1 < len(pages) else None,
        }
        html = export(notebooks[page["name"]], {**page, **shared, **neighbours})
        write(report / f"{page['name']}.html", html)
    write(report / "index.html", overview(shared, runs))


def describe(name, notebook):
    """What navigation and overview say about a notebook."""
    markdown = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    first = markdown[0] if markdown else ""
    title = re.search(r"^# +(.+)$", first, re.MULTILINE)
    prose = [p for p in re.split(r"\n\s*\n", first) if p.strip() and not p.lstrip().startswith("#")]
    number, _, short = name.partition("-")
    return {
        "name": name,
        "number": number,
        "short": short.replace("-", " "),
        "title": plain(title.group(1)) if title else name,
        "summary": plain(prose[0]) if prose else "",
        "run": {"versions": versions(), "commit": commit(), **notebook.metadata.get("glyphs", {})},
    }


def export(notebook, page):
    exporter = Exporter(
        template_name="template",
        extra_template_basedirs=[str(TEMPLATE.parent)],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        filters={"clock": clock},
    )
    page["stand_in"] = any(
        STAND_IN in str(output.get("data", {}).get("text/html", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    html, _ = exporter.from_notebook_node(notebook, {"glyphs": page})
    return html.replace("<!--contents-->", contents(html), 1)


def contents(html):
    """The table of contents, from the headings of a page."""
    items = "".join(
        f'<li{" class=deeper" if level == "3" else ""}><a href="#{anchor}">{text}</a></li>\n'
        for level, anchor, text in HEADING.findall(html)
    )
    return f"<details open><summary>On this page</summary>\n<ul>\n{items}</ul></details>" if items else ""


def overview(shared, runs):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATE))
    environment.filters["clock"] = clock
    return environment.get_template("overview.html.j2").render(
        **shared,
        parts=results.parts(runs),
        run={"versions": versions(), "commit": commit()},
    )


def versions():
    return [tool("rustc", "--version").split(" (")[0], f"Python {platform.python_version()}"] + [
        f"evcxr_jupyter {os.environ['GLYPHS_EVCXR_VERSION']}"
    ] * bool(os.environ.get("GLYPHS_EVCXR_VERSION"))


def commit():
    """The commit that the working tree is at, marked where something was changed."""
    return tool("git", "describe", "--always", "--dirty", "--abbrev=10")


def tool(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


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
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
