"""Formulas on pages: MathML for every one in the lessons, and a font that has their letters."""

import io
import re

import lessons
import nbformat
import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont

from tools import bound
from website import formulas


def typeset(text):
    """Markdown's HTML of one paragraph, with its formulas set."""
    body = BeautifulSoup(f'<div class="jp-RenderedMarkdown"><p>{text}</p></div>', "html.parser")
    formulas.typeset(body)
    return body


@pytest.mark.parametrize("path", lessons.PATHS, ids=lambda path: path.stem)
def test_every_formula_of_a_lesson_is_understood(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    text = "\n".join(bound.plain(cell.source) for cell in cells).replace("&", "&amp;").replace("<", "&lt;")
    text = re.sub(r"`[^`]*`", "", text)
    body = typeset(text)
    assert len(body.select("math")) == len(formulas.FORMULA.findall(text))
    assert not body.find(string=formulas.FORMULA)
    assert "\\" not in "".join(math.get_text() for math in body.select("math")), "a command it does not know"


def test_words_around_a_formula_stay_and_code_is_left_alone():
    body = typeset("If $a &lt; b$ &amp; <code>$HOME/$USER</code>, then $$x = \\frac{1}{2}$$ wins.")
    assert body.select_one("code").text == "$HOME/$USER"
    assert [math["display"] for math in body.select("math")] == ["inline", "block"]
    assert body.select_one("math").text == "a<b"
    assert body.text.startswith("If ")
    assert body.text.endswith(" wins.")
    assert body.select_one(".formula mfrac")


def test_a_sign_behind_an_equals_sign_belongs_to_its_number():
    minus = [sign for sign in typeset("$s = -1 - x$").select("mo") if sign.text == "−"]
    assert [sign.get("form") for sign in minus] == ["prefix", None]


def test_the_font_has_the_letters_their_slanted_forms_and_brackets_that_grow():
    made = formulas.font([str(typeset(r"$h = \sqrt{\sigma}\left(\frac{P}{2}\right)$"))])
    font = TTFont(io.BytesIO(made))
    letters = set(map(chr, font.getBestCmap()))
    assert set("h=√σ(P2)ℎ𝜎𝑃") <= letters
    assert "Z" not in letters
    assert "MATH" in font
    assert "Open Font License" in font["name"].getDebugName(13)
    assert made == formulas.font([str(typeset(r"$h = \sqrt{\sigma}\left(\frac{P}{2}\right)$"))])
