"""What pages know of one another: the words of the glossary, and the lessons that a sentence can name."""

import re
from dataclasses import dataclass, field

GLOSSARY = re.compile(r"^\| term \| meaning \| lesson \|\n\|[-| ]+\|\n((?:\|.*\|(?:\n|$))+)", re.MULTILINE)
HEADER = ["term", "meaning", "lesson"]
LESSON = re.compile(r"\b[Ll]esson (\d\d)\b")
SHORTEST = 4  # letters; a shorter word, such as "bid", is often not the term
LEFT_ALONE = [
    "a",
    "button",
    "code",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "label",
    "math",
    "pre",
    "script",
    "strong",
    "summary",
    "table",
]


@dataclass(frozen=True)
class Term:
    """A row of the glossary: the words it explains, what they mean, and where the row stands."""

    words: str
    meaning: str
    lesson: str
    page: str

    @property
    def names(self):
        """The ways to write the term.

        Examples
        --------
        >>> Term("basis point (bp)", "", "", "").names, Term("ask, bid", "", "", "").names
        (['basis point'], ['ask', 'bid'])
        """
        return [name.strip() for name in re.sub(r"\(.*?\)", "", self.words).split(",")]

    @property
    def id(self):
        """The id of the row."""
        return identity(self.words)


@dataclass(frozen=True)
class Course:
    """The glossary and the pages of the lessons by their number, such as ``{"05": "05_liquidation"}``."""

    terms: tuple = ()
    lessons: dict = field(default_factory=dict)


ALONE = Course()  # what a page knows that stands for itself


def identity(words):
    """Return the id of the row of a term.

    Examples
    --------
    >>> identity("basis point (bp)")
    'term-basis-point-bp'
    """
    return "-".join(["term", *re.findall(r"\w+", words.lower())])


def course(notebooks):
    """Read what pages know of one another from the notebooks of a course, by the names of their pages."""
    terms = []
    for page, notebook in notebooks.items():
        for cell in notebook.cells:
            for table in GLOSSARY.findall(cell.source if cell.cell_type == "markdown" else ""):
                for row in table.strip().splitlines():
                    terms.append(Term(*map(str.strip, row.strip("|").split("|")), page=page))
    return Course(tuple(terms), {page.split("_")[0]: page for page in notebooks})


def mark_rows(body):
    """Give each row of a glossary the id that leads to it."""
    for table in body.select("table"):
        if [cell.get_text() for cell in table.select("thead th")] == HEADER:
            for row in table.select("tbody tr"):
                row["id"] = identity(row.td.get_text())


def link(body, course, page, root=""):
    """Lead the sentences of a page on: each lesson they name, and each term where it is first used.

    Parameters
    ----------
    body : bs4.BeautifulSoup
        The page; changed in place.
    course : Course
    page : str
        Its name; it is not led to itself.
    root : str
        What leads from the page to the other pages.
    """
    new = {name.lower(): term for term in course.terms for name in term.names if len(name) >= SHORTEST}
    if page in {term.page for term in course.terms}:
        new = {}
    names = "|".join(map(re.escape, sorted(new, key=len, reverse=True)))
    words = re.compile(
        rf"\b(?:[Ll]esson (?P<lesson>\d\d)|(?i:(?P<term>{names})s?))\b" if names else LESSON.pattern
    )
    for text in body.find_all(string=words):
        if text.find_parent(class_="jp-RenderedMarkdown") and not text.find_parent(LEFT_ALONE):
            _link_words(body, text, words, new, course, page, root)


def _link_words(body, text, words, new, course, page, root):
    pieces, end = [], 0
    for found in words.finditer(text):
        number = found[1]
        term = None if number else new.get(found["term"].lower())
        target = course.lessons.get(number) if number else term and term.page
        if target in (None, page):
            continue
        address = f"{root}{target}.html" + (f"#{term.id}" if term else "")
        anchor = body.new_tag("a", href=address, string=found[0])
        if term:
            anchor["class"], anchor["data-meaning"] = "term", term.meaning
            for name in term.names:
                new.pop(name.lower(), None)
        pieces += [text[end : found.start()], anchor]
        end = found.end()
    if pieces:
        text.replace_with(*(piece for piece in [*pieces, text[end:]] if piece))
