"""The recipes for a class's server can be read, agree with each other, and name what is there."""

import ast
import json
import re
from pathlib import Path

import yaml

import hedgelib

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
VALUES = yaml.safe_load((ROOT / "hub" / "values.yaml").read_text(encoding="utf-8"))


def test_the_image_has_a_python_and_files_that_the_project_has():
    python = re.search(r"^FROM python:(\d+\.\d+)-slim$", DOCKERFILE, re.M)[1]
    assert f"python={python}" in (ROOT / "environment.yml").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.M)
    assert copied[-1] == "."
    assert all((ROOT / file).exists() for file in copied[0].split())


def test_the_lock_is_installed_in_a_command_of_its_own():
    commands = re.findall(r"pip install[^&\\\n]*", DOCKERFILE)
    assert [each.split()[-1] for each in commands] == ["requirements.lock", "requirements.txt", "."]
    assert "--require-hashes" in commands[0] and not any("--require-hashes" in each for each in commands[1:])


def test_what_a_hub_needs_is_pinned():
    lines = (ROOT / "hub" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert pinned and all(re.fullmatch(r"[a-z-]+==[\d.]+", line) for line in pinned)


def test_versions_agree():
    assert VALUES["singleuser"]["image"]["tag"] == hedgelib.__version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == hedgelib.__version__


def test_the_editor_opens_the_same_image():
    folder = ROOT / ".devcontainer"
    build = json.loads((folder / "devcontainer.json").read_text(encoding="utf-8"))["build"]
    assert (folder / build["dockerfile"]).resolve() == ROOT / "Dockerfile"


def test_the_configuration_of_the_hub_sets_what_it_says():
    class Recorder:
        def __getattr__(self, name):
            self.__dict__[name] = Recorder()
            return self.__dict__[name]

    made = Recorder()
    source = (ROOT / "hub" / "jupyterhub_config.py").read_text(encoding="utf-8")
    exec(compile(ast.parse(source), "jupyterhub_config.py", "exec"), {"get_config": lambda: made})
    assert made.JupyterHub.bind_url.startswith("http://127.0.0.1:")
    assert any("cull_idle_timeout" in argument for argument in made.Spawner.args)
    (role,), (service,) = made.JupyterHub.load_roles, made.JupyterHub.services
    assert role["services"] == [service["name"]]
    assert service["command"][-1] == f"--timeout={VALUES['cull']['timeout']}"


def test_the_page_links_to_what_is_there():
    page = (ROOT / "docs" / "classroom.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", page):
        assert (ROOT / "docs" / link).exists(), link
    headings = {re.sub(r"\W+", "-", text.lower()) for text in re.findall(r"^## (.+)$", page, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z-]+)", page):
        assert f"\n{target}: " in makefile, target
