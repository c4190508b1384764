"""Chromium without a network, for the proof, the handouts and the tests."""

import contextlib
import os
import shutil

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def executable():
    """Return the path of an installed Chromium, or None. The variable CHROMIUM names another one."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, (*NAMES, MACOS))), None)


@contextlib.contextmanager
def chromium():
    """Open a browser.

    Raises
    ------
    FileNotFoundError
        If no Chromium is installed.
    """
    path = executable()
    if not path:
        raise FileNotFoundError("Chromium is not installed (Debian: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def page(browser, **options):
    """Return a page without a network: only files of this machine load. It closes with the browser."""
    return browser.new_context(offline=True, **options).new_page()
