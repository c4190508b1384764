"""The site without a browser: what is built, what is kept, and what the build refuses."""

import json
import re

import nbformat
import pytest
import site_course
from bs4 import BeautifulSoup

from website import __main__ as command
from website import pages, proof, terms
from website.build import BuildError, build, publish


def soup(course, name):
    return BeautifulSoup((course / name).read_text(encoding="utf-8"), "html.parser")


def test_index_maps_the_course(course):
    index = soup(course, "index.html")
    titles = [link.text for link in index.select(".map h3 a")]
    assert titles == ["Start here", "A hedge by hand"]
    assert [link["href"] for link in index.select(".map h3 a")] == ["00_start.html", "01_hedge.html"]
    assert "Is everything working?" in index.select(".map li")[0].text
    assert "10 minutes" in index.select(".map li")[0].text
    assert "20 minutes" in index.select(".map li")[1].text
    assert index.select_one("figure.explorer")


def test_a_page_holds_its_lesson(course):
    lesson = soup(course, "01_hedge.html")
    assert [heading.text for heading in lesson.select("h1")] == ["A hedge by hand"]
    assert lesson.select_one("[rel=prev]")["href"] == "00_start.html"
    assert not lesson.select_one("[rel=next]")
    assert lesson.select_one('a[href="notebooks/01_hedge.ipynb"][download]')
    source = course.parent / "notebooks" / "01_hedge.ipynb"
    assert (course / "notebooks" / "01_hedge.ipynb").read_bytes() == source.read_bytes()
    assert lesson.select_one("[aria-current=page]").text.endswith("A hedge by hand")
    assert lesson.select_one("details:not(.python) summary").text == "Hint and solution"
    assert not lesson.select("details[open]")
    assert lesson.select_one("img[alt='Two legs. Total: 0.']")
    assert lesson.select_one("form.exercise[data-exercise='02-1'] input")
    assert 'check("02-1", answer)' in lesson.select_one(".celltag_exercise details.python").text
    assert "Ask who has held a future." not in lesson.text
    assert [part.text for part in lesson.select_one("mfrac").children] == ["σS", "σF"]
    assert "KeyError: 'total'" in lesson.text, "an error that a cell is there to show"
    assert not lesson.select("style")


def test_links_between_notebooks_lead_to_pages(course):
    assert soup(course, "00_start.html").select_one('article a[href="01_hedge.html#the-formula"]')
    assert soup(course, "slides/00_start.html").select_one('a[href="../01_hedge.html#the-formula"]')


def test_a_page_without_explorers_does_not_load_their_script(course):
    scripts = [script["src"] for script in soup(course, "00_start.html").select("script[src]")]
    assert scripts == [f"assets/{name}.js" for name in ("progress", "search", "scroll", "reader")]


def test_slides_hide_code_unless_it_is_the_lesson(course):
    slides = soup(course, "slides/01_hedge.html")
    assert [code.text.strip() for code in slides.select(".jp-InputArea .highlight")] == [
        "70_000 - 60_000  # what the coin gains"
    ]
    assert slides.select_one("aside.notes").text.strip() == "Ask who has held a future."
    assert slides.select_one(".fragment").text.strip() == "Predict before you run."
    assert len(slides.select("figure.explorer")) == 1
    assert "What does the short lose" not in slides.text


def test_search_knows_sections_and_text_but_no_formulas(course):
    script = (course / "assets" / "search-index.js").read_text(encoding="utf-8")
    entries = json.loads(re.fullmatch(r"window\.SEARCH_INDEX = (.*);\n", script)[1])
    assert not [entry for entry in entries if entry.get("kind") == "term"], "a course without a glossary"
    formula = next(entry for entry in entries if entry["section"] == "The formula")
    assert formula == {
        "url": "01_hedge.html#the-formula",
        "lesson": "A hedge by hand",
        "section": "The formula",
        "text": "Profit is .",
    }


def test_a_second_build_runs_nothing_and_gives_the_same_bytes(small, tmp_path):
    folder, _ = small
    told = []
    build(folder / "notebooks", tmp_path / "again", folder / "cache", report=told.append)
    assert told == ["00_start: unchanged", "01_hedge: unchanged"]
    build(folder / "notebooks", tmp_path / "fresh", tmp_path / "cache", report=told.append)
    assert [line.split(" in ")[0] for line in sorted(told[2:])] == [
        "00_start: 1 cells run",
        "01_hedge: 8 cells run",
    ]
    wanted = files(folder / "site")
    assert files(tmp_path / "again") == wanted
    assert files(tmp_path / "fresh") == wanted


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def notebook(folder, *sources, name="00_small", title="# Small\n\nA lesson."):
    """Write a notebook of a title and code cells into a new folder."""
    folder.mkdir(exist_ok=True)
    cells = [source if isinstance(source, dict) else site_course.code(source) for source in sources]
    site_course.write(folder, name, [site_course.text(title), *cells])
    return folder


def test_prose_may_change_without_a_run_but_code_may_not(tmp_path):
    told = []

    def built(*sources, **changes):
        build(
            notebook(tmp_path / "notebooks", *sources, **changes),
            tmp_path / "site",
            tmp_path / "cache",
            report=told.append,
        )

    built("1 + 1")
    built("1 + 1", title="# Small\n\nAnother sentence.")
    assert "Another sentence." in (tmp_path / "site" / "00_small.html").read_text(encoding="utf-8")
    built("1 + 2")
    assert [line.split(" in ")[0] for line in told] == [
        "00_small: 1 cells run",
        "00_small: unchanged",
        "00_small: 1 cells run",
    ]
    assert len(list((tmp_path / "cache").iterdir())) == 1


TWO_AXES = """\
from hedgelib.explorer import Choice, Explorer
Explorer(lambda figure, n: figure.subplots(1, n) is None or {}, "Panels", n=Choice("n", (1, 2)))"""


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("1 / 0", ["ZeroDivisionError", "1 / 0"]),
        (TWO_AXES, ['explorer "Panels" must draw the same number of axes in every state']),
    ],
    ids=["while it runs", "while its explorer is drawn"],
)
def test_a_cell_that_fails_stops_the_build_and_is_named(tmp_path, source, messages):
    (tmp_path / "site" / "assets").mkdir(parents=True)
    (tmp_path / "site" / "assets" / "explorer.js").write_text("the site of yesterday")
    with pytest.raises(BuildError) as caught:
        build(notebook(tmp_path / "notebooks", "x = 1", source), tmp_path / "site", tmp_path / "cache")
    for message in ["00_small.ipynb, cell 3, stops the build", *messages]:
        assert message in str(caught.value)
    assert (tmp_path / "site" / "assets" / "explorer.js").read_text() == "the site of yesterday"
    assert not list((tmp_path / "cache").glob("*.json"))


def shown(**data):
    """The page of a lesson whose only cell shows `data`, a text for each type."""
    cell = site_course.code("shown")
    cell.outputs = [nbformat.v4.new_output("display_data", {pages.WIDGET: {"model_id": "1"}} | data)]
    cells = [site_course.text("# T\n\nS."), cell]
    return pages.lesson("00_small", nbformat.v4.new_notebook(cells=cells)).body


def test_a_widget_says_where_it_works_and_shows_what_it_has():
    bare = shown(**{"text/plain": "VBox(children=(Text(),))"})
    assert "notebook file</a>, where a kernel answers it.</p>" in bare
    assert "VBox" not in bare
    still = shown(**{"text/html": "<p>The start.</p>", "text/plain": "Form"})
    assert "Here is how it starts.</p><p>The start.</p>" in still


def test_a_bare_png_gets_its_text_as_alternative():
    cell = site_course.code("shown")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"image/png": "iVBO", "text/plain": 'Two "lines"'})
    ]
    made = pages.lesson("00_small", nbformat.v4.new_notebook(cells=[site_course.text("# T\n\nS."), cell]))
    assert BeautifulSoup(made.body, "html.parser").img["alt"] == 'Two "lines"'


def published(folder, text):
    """Publish a lesson of prose alone, which needs no kernel."""
    cells = [site_course.text(text)]
    path = site_course.write(folder, "00_small", cells)
    return publish([path], [nbformat.v4.new_notebook(cells=cells)], folder / "site")


@pytest.mark.parametrize("first", ["## No title\n\nA sentence.", "# Only a title", "# T\n\n## Next"])
def test_a_notebook_without_title_and_sentence_is_refused_before_it_runs(tmp_path, first):
    notebook(tmp_path / "notebooks", "1 / 0", title=first)
    with pytest.raises(BuildError, match=r"00_small\.ipynb must begin with a title"):
        build(tmp_path / "notebooks", tmp_path / "site", tmp_path / "cache")


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        ("[x](http://example.org/x)", "00_small.html refers to another host: <a> http://example.org/x"),
        ("![x](//example.org/x.png)", "00_small.html refers to another host: <img> //example.org/x.png"),
        ('<p style="background: url(http://e.org/x)">x</p>', "refers to another host: http://e.org/x"),
        ("[x](07_gone.ipynb)", "00_small.html has a link that leads nowhere: 07_gone.html"),
        ("[x](00_small.ipynb#Gone)", "00_small.html has a link that leads nowhere: 00_small.html#gone"),
    ],
)
def test_pages_refer_to_nothing_outside_and_nothing_missing(tmp_path, prose, message):
    with pytest.raises(BuildError, match=re.escape(message)):
        published(tmp_path, f"# T\n\n{prose}")
    assert {path.name for path in tmp_path.iterdir()} == {"00_small.ipynb"}


def test_a_reader_may_follow_a_link_to_a_source(tmp_path):
    (made,) = published(tmp_path, "# T\n\n[The rules](https://example.org/rules)")
    assert BeautifulSoup(made.body, "html.parser").a["href"] == "https://example.org/rules"


def test_the_link_to_the_neighbours_gives_way_to_the_pager(tmp_path):
    (made,) = published(tmp_path, "# T\n\nS. See [00_small](00_small.ipynb).\n\n← [00_small](00_small.ipynb)")
    assert "←" not in made.body
    assert '<a href="00_small.html">T</a>' in made.body


def test_foreign_styles_are_found(tmp_path):
    (tmp_path / "site.css").write_text("@import '//fonts.example.org/a.css'; a { background: url(b.png) }")
    assert proof.wrong_references(tmp_path) == ["site.css refers to another host: //fonts.example.org/a.css"]


def test_headings_of_the_same_name_get_different_ids():
    cells = [site_course.text("# T\n\nS."), site_course.text("## Task\n\na\n\n## Task\n\nb")]
    made = pages.lesson("00_small", nbformat.v4.new_notebook(cells=cells))
    assert [section["id"] for section in made.sections] == ["", "task", "task-2"]


def test_no_line_ends_between_a_number_and_its_unit():
    cells = [site_course.text("# T\n\nIt fell by 25 % to 45,000 USDT, of 1 BTC. `25 %`")]
    made = pages.lesson("00_small", nbformat.v4.new_notebook(cells=cells))
    assert "25\u00a0% to 45,000\u00a0USDT, of 1\u00a0BTC. <code>25 %</code>" in made.body
    assert " ".join(made.sections[0]["text"].split()) == "It fell by 25 % to 45,000 USDT, of 1 BTC. 25 %"


def test_columns_of_words_are_marked_and_columns_of_numbers_are_not():
    code = site_course.code("table")
    rows = "<tr><th>0</th><td>-1,250 USDT</td><td>buy it back at 60,000</td></tr>"
    rows += "<tr><th>1</th><td>NaN</td><td>–</td></tr>"
    head = "<thead><tr><th></th><th>result</th><th>do</th></tr></thead>"
    html = f"<table>{head}<tbody>{rows}</tbody></table>"
    code.outputs = [nbformat.v4.new_output("display_data", {"text/html": html})]
    cells = [site_course.text("# T\n\nS."), code]
    table = BeautifulSoup(pages.lesson("00_small", nbformat.v4.new_notebook(cells=cells)).body, "html.parser")
    assert [cell.get_text() for cell in table.select(".words")] == ["do", "buy it back at 60,000", "–"]


def rendered(*cells, course=terms.ALONE):
    """The page of a lesson that holds these cells behind its title."""
    notebook = nbformat.v4.new_notebook(cells=[site_course.text("# T\n\nS."), *cells])
    return BeautifulSoup(pages.lesson("00_small", notebook, course).body, "html.parser")


def result(**data):
    """A cell of code and what it shows, a text for each type."""
    cell = site_course.code("result")
    cell.outputs = [nbformat.v4.new_output("execute_result", data, execution_count=1)]
    return cell


def test_code_is_folded_and_with_it_what_python_wrote():
    body = rendered(result(**{"text/plain": "(30000.0, -20000.0)"}), result(**{"text/html": "<p>Shown.</p>"}))
    folds = body.select("details.python")
    assert [fold.summary.text for fold in folds] == ["Python", "Python"]
    assert "(30000.0, -20000.0)" in folds[0].text
    assert "(30000.0, -20000.0)" not in "".join(fold.extract() and "" for fold in folds) + body.text
    assert "Shown." in body.text


def test_a_cell_for_the_notebook_only_is_not_on_the_page():
    cell = site_course.text("Restart the kernel.")
    cell.metadata["tags"] = ["notebook-only"]
    assert "kernel" not in rendered(cell).text


def test_tables_write_numbers_and_times_as_the_prose_does():
    rows = "<tr><th>2020</th><td>-15547.0</td><td>0.036</td><td>2030-01-09 08:00:00+00:00</td></tr>"
    rows += "<tr><th>2021</th><td>2132.0</td><td>-1.5</td><td>2030-01-10 00:00:00+00:00</td></tr>"
    head = "<thead><tr><th></th><th>total</th><th>rate</th><th>time</th></tr></thead>"
    table = rendered(result(**{"text/html": f"<table>{head}<tbody>{rows}</tbody></table>"})).table
    assert [[cell.text for cell in row.select("th, td")] for row in table.select("tbody tr")] == [
        ["2020", "−15,547", "0.036", "2030-01-09 08:00 UTC"],
        ["2021", "2,132", "−1.5", "2030-01-10 00:00 UTC"],
    ]


GLOSSARY = "## The words\n\n| term | meaning | lesson |\n|---|---|---|\n| margin | money that backs | 02 |\n"


def test_a_term_leads_to_its_meaning_once_and_a_lesson_to_its_page():
    words = nbformat.v4.new_notebook(cells=[site_course.text(GLOSSARY)])
    course = terms.course({"05_words": words})
    prose = site_course.text("## Margin\n\nThe margin, the margins, `margin` of lesson 05 and lesson 44.")
    links = rendered(prose, course=course).select("a")
    assert [(link["href"], link.text) for link in links] == [
        ("05_words.html#term-margin", "margin"),
        ("05_words.html", "lesson 05"),
    ]
    assert links[0]["data-meaning"] == "money that backs"
    notebook = nbformat.v4.new_notebook(cells=[site_course.text("# T\n\nS."), site_course.text(GLOSSARY)])
    assert BeautifulSoup(pages.lesson("05_words", notebook, course).body, "html.parser").select_one(
        "tr#term-margin"
    )


def test_a_site_with_an_address_says_where_it_is(tmp_path):
    cells = [site_course.text("# T\n\nS.")]
    path = site_course.write(tmp_path, "00_small", cells)
    made = [nbformat.v4.new_notebook(cells=cells)]
    publish([path], made, tmp_path / "site", "https://example.org/lab")
    page = soup(tmp_path / "site", "00_small.html")
    assert page.select_one("[rel=canonical]")["href"] == "https://example.org/lab/00_small.html"
    assert "<loc>https://example.org/lab/00_small.html</loc>" in (tmp_path / "site/sitemap.xml").read_text()
    assert soup(tmp_path / "site", "404.html").a["href"] == "https://example.org/lab/"
    with pytest.raises(BuildError, match=r"must look like https://example\.org/hedge-lab; got example\.org"):
        publish([path], made, tmp_path / "site", "example.org")


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("years of work")
    with pytest.raises(BuildError, match="holds something that is not a site"):
        published(tmp_path, "# T\n\nS.")
    assert (tmp_path / "site" / "thesis.txt").exists()


def test_the_command_tells_in_a_sentence_what_is_wrong(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert command.main(["--notebooks", str(tmp_path / "empty"), "--output", str(tmp_path / "site")]) == 1
    assert capsys.readouterr().err == f"error: no notebooks in {tmp_path / 'empty'}\n"
    assert command.main(["--pdf", "--output", str(tmp_path / "site")]) == 1
    assert "build it first: make site" in capsys.readouterr().err


def test_the_command_builds_without_a_browser(small, tmp_path, capsys):
    folder, _ = small
    options = [
        "--notebooks",
        folder / "notebooks",
        "--output",
        tmp_path / "site",
        "--cache",
        folder / "cache",
    ]
    assert command.main([*map(str, options), "--no-browser"]) == 0
    out = capsys.readouterr().out
    assert "explorers not compared by pixels: --no-browser" in out
    assert "2 lessons, 18 states of explorers" in out
