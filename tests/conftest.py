"""Fixtures shared by the tests that need a browser."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


LONGEST = ("test_site_browser.py", "test_jupyterlab.py")


def pytest_collection_modifyitems(items):
    """Begin with the files that take minutes: side by side with the others, they then end with them."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, for one module: playwright keeps an event loop running that others must not meet."""
    found = next(filter(None, map(shutil.which, NAMES)), MACOS if MACOS.exists() else None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=QUIET)
        except Error as error:
            reason = f"no usable Chromium: {error.message.splitlines()[0]}"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        yield chromium
        chromium.close()
