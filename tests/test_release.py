"""A release is whole, of one version, and its sums are right."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

import hedgelib
from tools import release

ROOT = Path(__file__).parents[1]


@pytest.fixture
def made(tmp_path):
    """A project in which every part of a release was made."""
    for place in ("pyproject.toml", *release.NAMED):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / place, tmp_path / place)
    for place in ("_site/index.html", "_site/assets/site.css", "_pdf/02.pdf", *release.FILES.values()):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(place)
    return tmp_path


def test_a_release_holds_every_part_and_its_sum(made):
    assert release.main(["--root", str(made)]) == release.main(["--root", str(made)]) == 0
    folder = made / "_release"
    parts = {f"hedge-lab-{hedgelib.__version__}-{part}.zip" for part in (*release.PARTS, *release.FILES)}
    assert {file.name for file in folder.iterdir()} == parts | {"SHA256SUMS"}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        wanted, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == wanted
        parts.remove(name)
    assert not parts
    with zipfile.ZipFile(folder / f"hedge-lab-{hedgelib.__version__}-site.zip") as site:
        assert site.read("assets/site.css") == b"_site/assets/site.css"


def test_a_part_that_is_not_made_is_named(made, capsys):
    shutil.rmtree(made / "_pdf")
    assert release.main(["--root", str(made)]) == 1
    assert "_pdf must be made before" in capsys.readouterr().err


@pytest.mark.parametrize("place", release.NAMED)
def test_another_version_is_refused_by_the_file_that_names_it(made, place):
    file = made / place
    file.write_text(file.read_text(encoding="utf-8").replace(hedgelib.__version__, "0.0.9"), encoding="utf-8")
    with pytest.raises(ValueError, match=f"{place} must name version"):
        release.gather(made, made / "_release")
