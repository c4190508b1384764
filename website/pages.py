"""From an executed notebook to a `Lesson`: the HTML of its page and slides, and what index and search need.

nbconvert's `lab` and `reveal` templates give the cells; the page around them is ours, so that nothing is
loaded from anywhere.
"""

import copy
import html
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter, SlidesExporter

from tools import bound

from . import answers, formulas, sketches, terms
from .twin import SAMPLES

WIDGET = "application/vnd.jupyter.widget-view+json"
NEEDS_KERNEL = (
    '<p class="needs-kernel">This form works in the '
    '<a href="notebooks/{name}.ipynb" download>notebook file</a>, where a kernel answers it.{start}</p>'
)
EXERCISE = "exercise"  # cell tag: a learner's answer is checked here
NOTEBOOK_ONLY = "notebook-only"  # cell tag: about kernels and files, of no use on a page
NUMBER = re.compile(r"-?\d+(\.\d+)?")
TIME = re.compile(r"(\d{4}-\d\d-\d\d(?: \d\d:\d\d)?)(?::\d\d)?\+00:00")
YEAR = re.compile(r"(?:19|20)\d\d")
UNIT = re.compile(r"(?<=\d) (?=%|(?:USDT|BTC|ETH|bp)\b)")  # where a line must not end
NO_WORD = re.compile(r"\b(?:USDT|BTC|ETH|bp|NaN|NaT|None|inf|days?)\b")  # may stand in a column of numbers
SHOWN_ON_SLIDES = "show-code"  # cell tag: this code is part of the lesson, show it on its slide


@dataclass
class Lesson:
    """One notebook, ready for the site."""

    name: str
    title: str
    question: str
    minutes: str
    body: str
    slides: str
    sections: list = field(repr=False)
    figures: list = field(repr=False)
    explorers: list = field(repr=False)
    exercises: list = field(repr=False)
    votes: int = 0  # options of its prediction, if that is put to the vote

    @property
    def number(self):
        """The number that the file name starts with."""
        return int(self.name.split("_")[0])


def lesson(name, notebook, course=terms.ALONE):
    """Turn an executed notebook into a `Lesson`.

    Parameters
    ----------
    name : str
        File name without its ending, such as ``02_full_hedge``.
    notebook : nbformat.NotebookNode
        With a title and a sentence at its top, and with the outputs that `twin.show_twins` makes.
    course : terms.Course
        The words and lessons that its sentences may lead to.
    """
    figures, explorers, exercises = {}, [], []
    notebook = copy.deepcopy(notebook)
    notebook.cells = [cell for cell in notebook.cells if NOTEBOOK_ONLY not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = bound.plain(cell.source)
        for output in cell.get("outputs", []):
            if "data" in output:
                _choose(output, name, figures, explorers)
        if EXERCISE in cell.metadata.get("tags", []):
            _ask(cell, name)
            exercises += answers.asked(cell.source)
    body = _page(notebook)
    votes = answers.put_to_vote(body, name[:2])
    sketches.put_in(body, name[:2])
    terms.mark_rows(body)
    terms.link(body, course, name)
    slides = _slides(notebook)
    terms.link(slides, replace(course, terms=()), name, "../")
    title, summary = body.find("h1"), body.select_one("h1 ~ p")
    minutes = re.search(r"Minutes\W*(\d+)|(\d+)\W*minutes", title.parent.get_text())
    return Lesson(
        name=name,
        title=title.get_text(),
        question=summary.get_text(),
        minutes=next(filter(None, minutes.groups())) if minutes else "",
        body=_with_figures(str(body), figures),
        slides=_with_figures(str(slides), figures),
        sections=_sections(body),
        figures=list(figures.values()),
        explorers=explorers,
        exercises=exercises,
        votes=votes,
    )


def _ask(cell, name):
    """Let a cell show the forms of its exercises; slides leave out code that says no more than they do."""
    for output in cell.outputs:
        output.data["text/html"] = answers.forms(cell.source, name)
    if answers.only_asks(cell.source):
        cell.metadata.tags = [tag for tag in cell.metadata.tags if tag != SHOWN_ON_SLIDES]


def _choose(output, name, figures, explorers):
    """Choose what a page shows of an output; an explorer leaves a mark: nbconvert would rewrite its SVG."""
    samples = output.data.pop(SAMPLES, None)
    if samples:
        mark = f'<div data-explorer="{len(figures)}"></div>'
        figures[mark] = output.data["text/html"]
        output.data["text/html"] = mark
        explorers.append(samples)
    if output.data.pop(WIDGET, None):
        start = output.data.get("text/html", "")
        note = NEEDS_KERNEL.format(name=name, start=" Here is how it starts." if start else "")
        output.data["text/html"] = note + start
    if "image/png" in output.data and "text/html" not in output.data:
        alt, png = html.escape(output.data.get("text/plain", "")), output.data["image/png"].strip()
        output.data["text/html"] = f'<img alt="{alt}" src="data:image/png;base64,{png}">'


def _with_figures(text, figures):
    for mark, figure in figures.items():
        text = text.replace(mark, figure)
    return text


def _exported(exporter, template, notebook):
    """Cells as HTML, nothing around them."""
    made = exporter(template_name=template, template_file="base.html.j2", exclude_anchor_links=True)
    made.exclude_input_prompt = made.exclude_output_prompt = True
    return BeautifulSoup(made.from_notebook_node(notebook)[0], "html.parser")


def _page(notebook):
    """Cells of the page: all but the teacher's notes; code is folded."""
    shown = copy.copy(notebook)
    shown.cells = [cell for cell in shown.cells if _slide_type(cell) != "notes"]
    body = _exported(HTMLExporter, "lab", shown)
    _polish(body, "")
    answers.settle(body)
    for cell in body.select(".jp-CodeCell"):
        _fold_code(body, cell)
    for table in body.select("table"):
        table.wrap(body.new_tag("div", attrs={"class": "scroll"}))
    return body


def _fold_code(body, cell):
    """Fold the code of a cell and its result as Python writes it: the sentence behind says it in words."""
    fold = body.new_tag("details", attrs={"class": "python"})
    summary = body.new_tag("summary", string="Python")
    code = cell.select_one(".jp-Cell-inputWrapper")
    code.wrap(fold).insert(0, summary)
    for result in cell.select('.jp-OutputArea-executeResult [data-mime-type="text/plain"]'):
        fold.append(result.find_parent(class_="jp-OutputArea-child").extract())


def _slides(notebook):
    """Cells as slides: sections of reveal.js, code only where it is tagged."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and SHOWN_ON_SLIDES not in cell.metadata.get("tags", []):
            cell.metadata["transient"] = {"remove_source": True}
    body = _exported(SlidesExporter, "reveal", notebook)
    _polish(body, "../")
    answers.settle(body)
    return body


def _slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def slug(text):
    """Return the id of a heading.

    Examples
    --------
    >>> slug("What is left, and why?")
    'what-is-left-and-why'
    """
    return "-".join(re.findall(r"\w+", text.lower()))


def _polish(body, root):
    """Set formulas, give headings unique ids, keep numbers with their units, lead links to pages."""
    formulas.typeset(body)
    taken = set()
    for heading in body.select("h1, h2, h3, h4"):
        identity = slug(heading.get_text())
        while identity in taken:
            identity += "-2"
        taken.add(identity)
        heading["id"] = identity
    for cell in body.select(".jp-Cell"):
        del cell["id"]
    for words in body.find_all(string=UNIT):
        if not words.find_parent(["code", "pre", "script", "style", "math"]):
            words.replace_with(UNIT.sub("\u00a0", words))
    for table in body.select(".jp-OutputArea table"):
        for head, cells in _columns(table):
            _mark_words(head, cells)
            _typeset_column(cells)
    for link in body.select('a[href*=".ipynb"]'):
        file, _, anchor = link["href"].partition("#")
        anchor = f"#{slug(anchor)}" if anchor else ""
        page = file if link.has_attr("download") else f"{file.removesuffix('.ipynb')}.html"
        link["href"] = f"{root}{page}{anchor}"
    for element in [
        *body.select("style"),
        *filter(_only_leads_on, body.select(".jp-RenderedMarkdown > p:last-child")),
    ]:
        element.decompose()


def _columns(table):
    """The cells of a table by column, without the header; none if its rows differ in length."""
    head = [row.find_all(["th", "td"], recursive=False) for row in table.select("thead tr")[-1:]]
    rows = [row.find_all(["th", "td"], recursive=False) for row in table.select("tbody tr")]
    if len({len(row) for row in head + rows}) != 1:
        return []
    return [(column[: len(head)], column[len(head) :]) for column in zip(*head, *rows, strict=True)]


def _mark_words(head, cells):
    """Give the cells of a column that holds words rather than numbers the class ``words``."""
    texts = [NO_WORD.sub("", cell.get_text()) for cell in cells]
    if any(sum(map(str.isalpha, text)) > sum(map(str.isdigit, text)) for text in texts):
        for cell in (*head, *cells):
            cell["class"] = [*cell.get("class", []), "words"]


def _typeset_column(cells):
    """Write the numbers and times that Python put into a column as the prose writes them."""
    bare = [cell for cell in cells if NUMBER.fullmatch(cell.get_text().strip())]
    whole = all(float(cell.get_text()).is_integer() for cell in bare)
    for cell in bare:
        text = cell.get_text().strip()
        if cell.name == "td" or not YEAR.fullmatch(text):
            cell.string = f"{Decimal(text):,.0f}" if whole else f"{Decimal(text):,}"
            cell.string = cell.string.replace("-", "\u2212")
    for cell in cells:
        if cell.string and TIME.fullmatch(cell.string):
            cell.string = TIME.sub(r"\1 UTC", cell.string)


def _only_leads_on(paragraph):
    """Whether a paragraph is a notebook's link to its neighbours, which a page has anyway."""
    return paragraph.a and re.search("^←|→$", paragraph.get_text())


def _sections(body):
    """The page in parts, one for each ``<h2>`` and one for what stands before the first."""
    sections = [{"id": "", "title": "", "text": ""}]
    for cell in body.select(".jp-RenderedMarkdown"):
        for element in cell.find_all(recursive=False):
            if element.name == "h2":
                sections.append({"id": element["id"], "title": element.get_text(), "text": ""})
            elif element.name != "h1":
                words = (text for text in element.strings if not text.find_parent("math"))
                sections[-1]["text"] += " " + " ".join(" ".join(words).split())
    return sections
