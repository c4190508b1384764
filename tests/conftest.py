"""Fixtures shared by the tests that need a browser, and the order of the files.

What only these fixtures need is imported by them: `make test-oldest` runs the other tests without it.
"""

import gc
import os
import pickle
import re

import pytest
from hypothesis import HealthCheck, settings

os.environ["HEDGELAB_PROGRESS"] = os.devnull  # tests keep nothing in the home of who runs them

ORDER = {
    "test_site_browser.py": -2,
    "test_jupyterlab.py": -1,
    "test_lessons.py": 1,
    "test_site_barriers.py": 2,
    "test_sources.py": 3,
}


RUN_LESSONS = {
    "test_bound.py",
    "test_jupyterlab.py",
    "test_lessons.py",
    "test_told.py",
}  # they share what a lesson made


def pytest_collection_modifyitems(items):
    """Begin with the files that take minutes; one of the last needs what the first of them builds.

    So tests that run side by side (``make test``) keep every processor busy to the end. A process takes a
    file at a time, but all that concerns one lesson together: a lesson runs once, and not in every process.
    """
    items.sort(key=lambda item: ORDER.get(item.path.name, 0))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item):
    """The lesson that a test runs, or its file."""
    of_lesson = re.fullmatch(r"test_lesson_(\d\d)\.py", item.path.name)
    path = item.callspec.params.get("path") if hasattr(item, "callspec") else None
    if of_lesson:
        return of_lesson[1]
    return path.name[:2] if path and item.path.name in RUN_LESSONS else str(item.path)


# A test fails by what it finds, never by how long a busy machine takes.
PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("untimed", parent=settings(), deadline=None, suppress_health_check=PATIENT)
settings.load_profile("untimed")


def pytest_collection_finish():
    """Spare the collector of cycles what is imported by now, and let it come less often than figures."""
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, for one module: playwright keeps an event loop running that others must not meet."""
    from playwright.sync_api import Error, sync_playwright

    from website.browser import ARGUMENTS, executable

    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        except Error as error:
            reason = f"no usable Chromium: {error.message.splitlines()[0]}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        yield chromium
        chromium.close()


def once(tmp_path_factory, name, make):
    """Return what `make` made of a new folder, made once for all processes of a run of the tests."""
    from filelock import FileLock

    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    kept = place / f"{name}.pickle"
    with FileLock(place / f"{name}.lock"):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make(place / name)))
    return pickle.loads(kept.read_bytes())


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Every notebook of the course, built as a draft: where the site is, and its lessons by name.

    A draft has the start and the ends of the sliders, which the tests of the site visit; ``make site`` proves
    every state as it draws it. What did not change since the last build is not run again.
    """
    import site_course
    from filelock import FileLock

    from website.build import DRAFT, ROOT

    def make(folder):
        cache = ROOT / ".cache" / "website" / "draft"
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "tests.lock"):  # another run of the tests may be at it
            made = site_course.built(ROOT / "notebooks", folder / "site", cache, steps=DRAFT)
        return folder / "site", {lesson.name: lesson for lesson in made}

    return once(tmp_path_factory, "draft", make)


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """The small course, built: folder of the notebooks, the site and the cache, and its lessons."""
    import site_course

    def make(folder):
        notebooks = site_course.write_course(folder / "notebooks")
        return folder, site_course.built(notebooks, folder / "site", folder / "cache")

    return once(tmp_path_factory, "small", make)


@pytest.fixture
def course(small):
    """The site of the small course."""
    return small[0] / "site"


@pytest.fixture
def visit(browser):
    """Open pages without a network; what a page asks of another machine or complains about fails the test."""
    contexts, wrong = [], []

    def request(asked):
        if not asked.url.startswith(("file:", "data:", "about:", "blob:")):
            wrong.append(asked.url)

    def console(message):
        if message.type in ("error", "warning"):
            wrong.append(message.text)

    def visit(path, **options):
        contexts.append(browser.new_context(**{"offline": True, "color_scheme": "light"} | options))
        page = contexts[-1].new_page()
        page.on("request", request)
        page.on("console", console)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path.as_uri())
        page.evaluate("() => document.fonts.ready.then(() => {})")
        if "slides" in path.parts:
            page.wait_for_function("window.Reveal?.isReady()")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not wrong
