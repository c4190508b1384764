"""Formulas of a page, written as MathML when the site is built, and a font to set them with."""

import importlib.metadata
import io
import re
import unicodedata

from bs4 import BeautifulSoup
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from latex2mathml.converter import convert

FORMULA = re.compile(r"(\$\$?)([^$]+)\1")
FONT = importlib.metadata.distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")
NAMES = [0, 1, 2, 4, 6, 13, 14]  # of the font: whose it is, what it is called, its licence
SIGNS = "−+"
PREFIXES = {"=", ",", "(", "·", "/"}  # a sign behind one of these belongs to what follows it


def typeset(body):
    """Put MathML in place of every formula in the rendered Markdown of a page."""
    for words in body.find_all(string=FORMULA):
        if words.find_parent(class_="jp-RenderedMarkdown") and not words.find_parent(["code", "pre"]):
            words.replace_with(BeautifulSoup(FORMULA.sub(_mathml, _escaped(words)), "html.parser"))
    for sign in body.select("math mo"):
        before = sign.find_previous_sibling()
        if sign.get_text() in SIGNS and before is not None and before.get_text() in PREFIXES:
            sign["form"] = "prefix"


def _escaped(words):
    return words.output_ready(formatter="minimal")


def _mathml(found):
    """One formula as MathML; one that stands alone in a frame that scrolls sideways on a small screen."""
    latex = BeautifulSoup(found[2], "html.parser").get_text().strip()
    if found[1] == "$":
        return convert(latex)
    return f'<span class="formula">{convert(latex, display="block")}</span>'


def slanted(letter):
    """Return the slanted form in which mathematics sets a letter that stands alone, or nothing.

    Examples
    --------
    >>> slanted("P"), slanted("σ"), slanted("h"), slanted("7")
    ('𝑃', '𝜎', 'ℎ', '')
    """
    if letter == "h":
        return "ℎ"  # has a name of its own: Planck's constant
    name = re.sub("LATIN |GREEK |LETTER ", "", unicodedata.name(letter, ""))
    try:
        return unicodedata.lookup(f"MATHEMATICAL ITALIC {name}")
    except KeyError:
        return ""


def font(pages):
    """Return a WOFF font, as bytes, with the letters of the formulas on these pages.

    A browser sets fractions and brackets well only with a font that has a table for mathematics, and few
    systems have one.

    Parameters
    ----------
    pages : list of str
        HTML in which `typeset` has put MathML.
    """
    found = [formula for page in pages for formula in re.findall("<math.*?</math>", page, re.DOTALL)]
    letters = {
        "√",
        *BeautifulSoup("".join(found), "html.parser").get_text(),
    }  # a root sign is no text
    made = TTFont(FONT, recalcTimestamp=False)
    cut = Subsetter(Options(layout_features=["ssty"], name_IDs=NAMES))
    cut.populate(text="".join(letters | set(map(slanted, letters))))
    cut.subset(made)
    made.flavor = "woff"
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()
