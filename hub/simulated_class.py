"""A hub on this machine with simulated students: how long they wait, and what memory they take.

``make hub-test`` installs JupyterHub beside the lock into .cache/hub and runs this there. Each student gets a
server of their own, runs a lesson cell by cell through the hub's proxy, and moves its sliders, all at once.
The hub listens on 127.0.0.1 and ends with the test.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import socket
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

import nbformat
import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 600  # seconds until a student gives up
CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret = b"{secret}"[:32]
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/{{username}}"
c.Spawner.http_timeout = c.Spawner.start_timeout = {patience}
c.JupyterHub.concurrent_spawn_limit = 0
c.ConfigurableHTTPProxy.command = ["{proxy}"]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.Spawner.environment = {{"HEDGELAB_PROGRESS": "off", "PYTHONPATH": "{root}"}}
c.Spawner.args = ["--allow-root"]
c.JupyterHub.services = [{{"name": "test", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "test", "services": ["test"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
"""


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Student:
    """Somebody in a browser, without the browser."""

    def __init__(self, name, hub, token):
        """Say who and where."""
        self.name, self.hub, self.headers = name, hub, {"Authorization": f"token {token}"}
        self.sliders, self.moves, self.socket = {}, [], None

    async def ask(self, path, method="GET", body=None):
        """Ask hub or server, and return what it answers."""
        request = HTTPRequest(
            self.hub + path,
            method,
            self.headers,
            body=None if method == "GET" else json.dumps(body or {}),
            request_timeout=PATIENCE,
        )
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body) if answer.body else {}

    async def begin(self):
        """Start a server and a kernel; return the seconds until the server was ready."""
        started = time.monotonic()
        await self.ask(f"/hub/api/users/{self.name}", "POST")
        await self.ask(f"/hub/api/users/{self.name}/server", "POST")
        while not (await self.ask(f"/hub/api/users/{self.name}"))["servers"].get("", {}).get("ready"):
            await asyncio.sleep(0.2)
        took = time.monotonic() - started
        kernel = await self.ask(f"/user/{self.name}/api/kernels", "POST", {"name": "python3"})
        address = f"{self.hub.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{kernel['id']}/channels"
        request = HTTPRequest(address, headers=self.headers, connect_timeout=PATIENCE)
        self.socket = await websocket_connect(request, max_message_size=2**26)
        return took

    async def send(self, kind, content):
        """Send a message to the kernel and return its id."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "version": "5.3",
            "username": "",
            "session": "s",
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        await self.socket.write_message(json.dumps(message))
        return header["msg_id"]

    async def hear(self):
        """Return the next message in words: the pictures of a class's sliders come as data URLs in bytes."""
        text = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
        if text is None:
            raise ConnectionError(f"{self.name}: the kernel is gone")
        if isinstance(text, bytes):  # a number of parts, where each begins, then the parts; JSON is the first
            count = int.from_bytes(text[:4], "big")
            places = [int.from_bytes(text[4 * n : 4 * n + 4], "big") for n in range(1, count + 1)]
            text = text[places[0] : places[1] if count > 1 else None]
        return json.loads(text)

    async def run(self, cells):
        """Run cells one after the other; return the seconds that it took."""
        started = time.monotonic()
        for source in cells:
            asked = await self.send(
                "execute_request", {"code": source, "silent": False, "stop_on_error": True}
            )
            idle = replied = False
            while not (idle and replied):
                message = await self.hear()
                kind, content = message["msg_type"], message["content"]
                if kind == "comm_open":
                    self.sliders[content["comm_id"]] = content["data"].get("state", {})
                if message["parent_header"].get("msg_id") != asked:
                    continue
                if kind == "error":
                    raise RuntimeError(f"{self.name}: {content['ename']}: {content['evalue']}")
                replied = replied or kind == "execute_reply"
                idle = idle or (kind == "status" and content["execution_state"] == "idle")
        return time.monotonic() - started

    async def move(self, seconds, dice):
        """Move sliders for some time; note how long each new picture took."""
        known = self.sliders.items()
        sliders = {comm: state for comm, state in known if state.get("_model_name") == "SelectionSliderModel"}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            comm, state = dice.choice(list(sliders.items()))
            index = dice.randrange(len(state["_options_labels"]))
            begun, drawn = time.monotonic(), None
            data = {"method": "update", "state": {"index": index}, "buffer_paths": []}
            asked = await self.send("comm_msg", {"comm_id": comm, "data": data})
            while True:
                message = await self.hear()
                if message["parent_header"].get("msg_id") != asked:
                    continue
                if message["msg_type"] == "comm_msg" and ["value"] in message["content"]["data"].get(
                    "buffer_paths", []
                ):
                    drawn = time.monotonic()
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                    break
            if drawn:
                self.moves.append(drawn - begun)
            await asyncio.sleep(dice.uniform(0.5, 2.5))


def memory(hub):
    """Return the memory of a hub's students, shared pages counted once, in MB."""
    total = 0
    for process in psutil.Process(hub).children(recursive=True):
        try:
            command = " ".join(process.cmdline())
            if "singleuser" in command or "ipykernel" in command:
                total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**20


async def measure(options, hub, token, process):
    """Let the students work; print what they waited for."""
    path = next((ROOT / "notebooks").glob(f"{options.lesson}_*.ipynb"))
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    students = [Student(f"student{number:02d}", hub, token) for number in range(options.students)]
    for _ in range(300):
        try:
            await students[0].ask("/hub/api/")
            break
        except (OSError, HTTPClientError):  # the proxy is there before the hub
            await asyncio.sleep(0.2)
    starts = await asyncio.gather(*(student.begin() for student in students))
    ready = f"median {statistics.median(starts):.1f} s, all {max(starts):.1f} s"
    print(f"{options.students} students; server ready: {ready}")
    runs = await asyncio.gather(*(student.run(cells) for student in students))
    print(f"Run All of {path.stem}: median {statistics.median(runs):.1f} s, all {max(runs):.1f} s")
    await asyncio.gather(
        *(student.move(options.seconds, random.Random(student.name)) for student in students)
    )
    moves = sorted(1000 * each for student in students for each in student.moves)
    if len(moves) < 2:
        raise RuntimeError("no slider gave a picture")
    p90 = statistics.quantiles(moves, n=10)[-1]
    print(f"slider: median {statistics.median(moves):.0f} ms, p90 {p90:.0f} ms, of {len(moves)} moves")
    print(f"memory: {memory(process.pid) / options.students:.0f} MB a student")


async def main(options):
    """Start a hub, measure, and end it; return the exit status."""
    proxy = options.proxy or shutil.which("configurable-http-proxy")
    if not proxy:
        print("error: configurable-http-proxy is missing; npm installs it", file=sys.stderr)
        return 1
    AsyncHTTPClient.configure(None, max_clients=200)
    with tempfile.TemporaryDirectory() as work:
        token, port = secrets.token_hex(16), free_port()
        config = Path(work) / "jupyterhub_config.py"
        config.write_text(
            CONFIG.format(
                port=port,
                hub_port=free_port(),
                api_port=free_port(),
                secret=secrets.token_hex(16),
                home=work,
                root=ROOT,
                patience=PATIENCE,
                proxy=proxy,
                token=token,
            ),
            encoding="utf-8",
        )
        with (Path(work) / "hub.log").open("w") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "jupyterhub",
                "-f",
                str(config),
                cwd=work,
                stdout=log,
                stderr=log,
                env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            )
            try:
                await measure(options, f"http://127.0.0.1:{port}", token, process)
            except Exception as error:
                told = (Path(work) / "hub.log").read_text(encoding="utf-8")[-2000:]
                print(f"error: {type(error).__name__}: {error}\n{told}", file=sys.stderr)
                return 1
            finally:
                family = (
                    psutil.Process(process.pid).children(recursive=True) if process.returncode is None else []
                )
                if process.returncode is None:
                    process.terminate()
                    await asyncio.wait_for(process.wait(), 60)
                for child in family:
                    if child.is_running():
                        child.kill()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=10)
    parser.add_argument("--lesson", default="02", help="its number")
    parser.add_argument("--seconds", type=float, default=35, help="that sliders are moved")
    parser.add_argument("--proxy", help="the command configurable-http-proxy")
    sys.exit(asyncio.run(main(parser.parse_args())))
