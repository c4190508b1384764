"""Builds the site: pages, slides and assets from the notebooks, written as a whole or not at all."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import jinja2
import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from tqdm import tqdm

from . import formulas, proof, terms
from .execute import HERE, ROOT, BuildError, executed
from .pages import lesson

__all__ = ["DRAFT", "ROOT", "BuildError", "build", "publish"]

DRAFT = 3  # values for each slider of a draft

OPENING = re.compile(r"# \S.*\n\s*\n[^\s#]")
REVEAL = importlib.metadata.distribution("sphinx-revealjs")
REVEAL_FILES = ("dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js")


def build(notebooks, output, cache, *, workers=2, report=tqdm.write, steps=None, address=""):
    """Build the site of every notebook in a folder.

    Parameters
    ----------
    notebooks, output, cache : Path
        Where the notebooks are; where the site goes, replaced as a whole and only if the build succeeds;
        where results of unchanged notebooks are kept.
    workers : int
        How many notebooks run at the same time.
    report : callable
        Called with a line of text for each notebook.
    steps : int, optional
        Makes a draft: at most so many values for each slider, its ends and its start among them.
    address : str
        Where the site will be found, such as ``https://example.org/hedge-lab``; pages then say so, and there
        are a map for search engines and a page for wrong addresses.

    Returns
    -------
    list of Lesson

    Raises
    ------
    BuildError
        If a cell fails, a notebook has no title, or a page refers to another host or to what is not there.
    """
    paths = sorted(notebooks.glob("[0-9]*.ipynb"))
    if not paths:
        raise BuildError(f"no notebooks in {notebooks}")
    _check_openings(paths)
    return publish(paths, executed(paths, cache, workers, report, steps), output, address)


def _check_openings(paths):
    """Refuse a notebook that the index could not name, before anything has run."""
    for path in paths:
        first = nbformat.read(path, as_version=4).cells[:1]
        if not (first and OPENING.match(first[0].source)):
            raise BuildError(f"{path.name} must begin with a title (# ...), an empty line and a sentence")


def publish(paths, notebooks, output, address=""):
    """Write the site of executed notebooks and return its lessons."""
    if address and not re.fullmatch(r"https?://[^\s?#]+[^\s?#/]", address):
        raise BuildError(f"the address must look like https://example.org/hedge-lab; got {address}")
    if output.exists() and any(output.iterdir()) and not (output / "assets" / "explorer.js").exists():
        raise BuildError(f"{output} holds something that is not a site; name another folder with --output")
    named = {path.stem: notebook for path, notebook in zip(paths, notebooks, strict=True)}
    course = terms.course(named)
    lessons = [lesson(name, notebook, course) for name, notebook in named.items()]
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        fresh = Path(folder) / "site"
        _write(lessons, paths, course, fresh, address)
        problems = proof.wrong_references(fresh)
        if problems:
            raise BuildError("\n".join(problems))
        shutil.rmtree(output, ignore_errors=True)
        fresh.rename(output)
    return lessons


def _write(lessons, paths, course, output, address):
    """Write all files of the site."""
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "templates"), trim_blocks=True)
    env.globals |= {"address": address, "edition": edition()}
    (output / "slides").mkdir(parents=True)
    (output / "notebooks").mkdir()
    for one in lessons:
        for other in lessons:  # on the site a lesson is known by its title, not by its file
            one.body = one.body.replace(f">{other.name}<", f">{other.title}<")
            one.slides = one.slides.replace(f">{other.name}<", f">{other.title}<")
    for place, (path, one) in enumerate(zip(paths, lessons, strict=True)):
        context = {
            "file": f"{one.name}.html",
            "lesson": one,
            "lessons": lessons,
            "previous": lessons[place - 1] if place else None,
            "next": lessons[place + 1] if place + 1 < len(lessons) else None,
        }
        _text(output / f"{one.name}.html", env.get_template("lesson.html.j2").render(context))
        _text(output / "slides" / f"{one.name}.html", env.get_template("slides.html.j2").render(context))
        shutil.copyfile(path, output / "notebooks" / path.name)
    taste = next((one for one in lessons if one.figures), None)
    index = {"file": "", "lessons": lessons, "taste": taste}
    _text(output / "index.html", env.get_template("index.html.j2").render(index))
    progress = {"file": "progress.html", "lessons": lessons}
    _text(output / "progress.html", env.get_template("progress.html.j2").render(progress))
    _text(output / "accessibility.html", _prose(env, "accessibility", lessons))
    if address:
        files = ["", *(f"{one.name}.html" for one in lessons)]
        for name in ("404.html", "robots.txt", "sitemap.xml"):
            _text(output / name, env.get_template(f"{name}.j2").render(files=files))
    _assets(output / "assets", lessons, course)


def edition():
    """The version, and the day of the last change where git knows it."""
    version, git = importlib.metadata.version("hedgelib"), shutil.which("git")
    asked = git and subprocess.run(
        [git, "-C", ROOT, "log", "-1", "--format=%cs"], capture_output=True, text=True, check=False
    )
    return f"{version}, {asked.stdout.strip()}" if asked and asked.stdout else version


def _assets(assets, lessons, course):
    """Copy styles and scripts, ours and those of reveal.js, and write font and search index."""
    shutil.copytree(HERE / "static", assets)
    (assets / "reveal").mkdir()
    for file in REVEAL_FILES:
        source = Path(REVEAL.locate_file(f"sphinx_revealjs/_static/revealjs/{file}"))
        shutil.copyfile(source, assets / "reveal" / source.name)
    (assets / "formulas.woff").write_bytes(formulas.font([one.body for one in lessons]))
    titles = {one.name: one.title for one in lessons}
    meanings = [
        {
            "kind": "term",
            "url": f"{term.page}.html#{term.id}",
            "lesson": titles[term.page],
            "section": term.words,
            "text": term.meaning,
        }
        for term in course.terms
    ]
    passages = [
        {
            "url": f"{one.name}.html" + (f"#{entry['id']}" if entry["id"] else ""),
            "lesson": one.title,
            "section": entry["title"],
            "text": entry["text"].strip(),
        }
        for one in lessons
        for entry in one.sections
    ]
    _text(
        assets / "search-index.js",
        f"window.SEARCH_INDEX = {json.dumps(meanings + passages, ensure_ascii=False)};\n",
    )


def _prose(env, name, lessons):
    """A page of a Markdown text among the docs, titled by its first line, with the way to the lessons."""
    source = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    title = source.partition("\n")[0].removeprefix("# ")
    body = MarkdownWithMath(IPythonRenderer(escape=False, exclude_anchor_links=True)).render(source)
    context = {"file": f"{name}.html", "title": title, "body": body, "lessons": lessons}
    return env.get_template("text.html.j2").render(context)


def _text(path, text):
    path.write_text(text, encoding="utf-8", newline="\n")
