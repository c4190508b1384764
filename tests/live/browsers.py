"""Chromium and Firefox without a network, asked in JavaScript alone, so that one test serves both."""

import contextlib
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import websocket

from website import browser

# Whatever would leave this machine goes to a port where nobody listens.
NOWHERE = {f"network.proxy.{kind}": "127.0.0.1" for kind in ("http", "ssl", "socks")}
NOWHERE |= {f"network.proxy.{kind}_port": 9 for kind in ("http", "ssl", "socks")}
SETTINGS = NOWHERE | {
    "network.proxy.type": 1,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
}


CONTROL, DELETE, ENTER = "\ue009", "\ue017", "\ue007"  # as WebDriver writes these keys


class Page:
    """A page of a browser: `ask` evaluates JavaScript, `asked` lists what was loaded from elsewhere."""

    def wait(self, expression, seconds=600):
        """Wait until JavaScript gives something true, and return it."""
        end = time.monotonic() + seconds
        while not (found := self.ask(expression)):
            assert time.monotonic() < end, (
                f"still waiting for {expression}; {self.ask('document.body.innerText')[:300]}"
            )
            time.sleep(0.1)
        return found


class Chromium(Page):
    """A page of Chromium, driven by playwright."""

    def __init__(self, page):
        self.page, self.asked, self.wrong = page, [], []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def open(self, path):
        self.page.goto(path.as_uri())

    def ask(self, expression):
        return self.page.evaluate(f"async () => {expression}")

    def type(self, text):
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)


class Firefox(Page):
    """A page of Firefox, driven by WebDriver BiDi, which needs nothing but Firefox itself."""

    def __init__(self, socket):
        self.socket, self.count, self.asked, self.wrong = socket, 0, [], []
        self.send("session.new", capabilities={})
        self.context = self.send("browsingContext.getTree")["contexts"][0]["context"]
        self.send("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])

    def send(self, method, **parameters):
        """Send a command and return its result; what happens meanwhile is noted."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while (told := json.loads(self.socket.recv())).get("id") != self.count:
            if told.get("method") == "network.beforeRequestSent":
                self.asked.append(told["params"]["request"]["url"])
            elif told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.wrong.append(told["params"]["text"])
        assert told["type"] == "success", told
        return told["result"]

    def open(self, path):
        self.send("browsingContext.navigate", context=self.context, url=path.as_uri(), wait="complete")

    def type(self, text):
        keys = [
            ("keyDown", CONTROL),
            ("keyDown", "a"),
            ("keyUp", "a"),
            ("keyUp", CONTROL),
            ("keyDown", DELETE),
        ]
        keys += [("keyUp", DELETE), *((kind, letter) for letter in text for kind in ("keyDown", "keyUp"))]
        actions = [{"type": kind, "value": ENTER if key == "\n" else key} for kind, key in keys]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.send("input.performActions", context=self.context, actions=[source])

    def ask(self, expression):
        call = f"(async () => JSON.stringify((await ({expression})) ?? null))()"
        target = {"context": self.context}
        told = self.send("script.evaluate", expression=call, target=target, awaitPromise=True)
        assert told["type"] == "success", told["exceptionDetails"]["text"]
        return json.loads(told["result"]["value"])


@contextlib.contextmanager
def chromium():
    """Open a page of Chromium."""
    with browser.chromium() as opened:
        yield Chromium(browser.page(opened))


@contextlib.contextmanager
def firefox(profile):
    """Open a page of Firefox with a profile of its own.

    Raises
    ------
    FileNotFoundError
        If no Firefox is installed.
    """
    program = shutil.which("firefox") or shutil.which("firefox-esr")
    if not program:
        raise FileNotFoundError("Firefox is not installed (Debian: apt install firefox-esr)")
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in SETTINGS.items()]
    Path(profile, "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = [program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            address = next(filter(None, (re.search(r"ws://\S+", line) for line in process.stderr)))[0]
            with contextlib.closing(
                websocket.create_connection(f"{address}/session", suppress_origin=True, timeout=900)
            ) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
