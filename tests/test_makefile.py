"""What `make` does before anything else: an environment that can be used, or one line why there is none."""

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.narrowing import not_none

ROOT = Path(__file__).parents[1]
WHY_ANEW = ROOT / ".ci" / "why_anew.py"

# A Python of any version; the pip of its environments says where it is, and installs nothing.
PYTHON = """#!/bin/sh
case "$*" in
    -c*) exec {real} -c "import sys; sys.version_info = {version}; $2" ;;
    "-m venv .venv")
        {real} -m venv --without-pip .venv
        printf '#!/bin/sh\\necho "installing in $PWD"\\n' > .venv/bin/pip
        chmod +x .venv/bin/pip ;;
esac
"""


class Checkout:
    """One of which only the Makefile matters, and a shell that finds few programs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, folder.parent / "programs"
        folder.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copytree(ROOT / ".ci", folder / ".ci")
        (folder / "pyproject.toml").touch()
        (folder / "pipelines").mkdir()
        for name in ("train", "compare"):
            (folder / "pipelines" / f"{name}.py").write_text(f"print('{name} runs')")
        self.programs.mkdir()
        for name in ("sh", "rm", "touch", "chmod"):
            (self.programs / name).symlink_to(not_none(shutil.which(name)))

    def add_python(self, name: str = "python3", version: tuple[int, int, int] = (3, 11, 7)) -> None:
        path = self.programs / name
        path.write_text(PYTHON.format(real=sys.executable, version=version))
        path.chmod(0o755)

    def make(self, *arguments: str, status: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [not_none(shutil.which("make")), *arguments],
            cwd=self.folder,
            env={"PATH": str(self.programs), "HOME": os.environ["HOME"]},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "a house ü")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        ({}, "there is no python3; install one, then make train PYTHON=python3.11"),
        ({"python3": (3, 10, 13)}, "python3 is 3.10.13; install one, then make train PYTHON=python3.11"),
        ({"python3": (3, 9, 0), "python3.12": (3, 12, 1)}, "python3 is 3.9.0; make train PYTHON=python3.12"),
    ],
)
def test_without_a_python_of_today_one_line_names_one_and_nothing_is_made(checkout, found, line):
    for name, version in found.items():
        checkout.add_python(name, version)
    before = checkout.files()
    done = checkout.make("train", status=2)
    (said,) = done.stderr.splitlines()
    assert f"micrograde needs Python 3.11 or newer, and {line}" in said
    assert done.stdout == ""
    assert checkout.files() == before


def test_the_advice_works(checkout):
    checkout.add_python("python3", (3, 10, 13))
    checkout.add_python("python3.12", (3, 12, 1))
    advice = checkout.make("train", status=2).stderr.split("; make ")[1].split(".  Stop")[0]
    assert "train runs" in checkout.make(*advice.split()).stdout


def test_an_environment_stays_where_it_was_made(checkout, tmp_path):
    checkout.add_python()
    assert "installing" in checkout.make("train", "compare", "-j2").stdout
    assert checkout.make("train", "-s").stdout == "train runs\n"
    link = tmp_path / "link"
    link.symlink_to(checkout.folder)
    checkout.folder = link
    assert checkout.make("train", "-s").stdout == "train runs\n"


@pytest.mark.parametrize("copied", [False, True])
def test_one_that_was_moved_or_copied_is_made_anew(checkout, tmp_path, copied):
    checkout.add_python()
    checkout.make("train")
    there = tmp_path / "elsewhere"
    shutil.copytree(checkout.folder, there, symlinks=True)
    before = checkout.files()
    if not copied:
        shutil.rmtree(checkout.folder)
    original, checkout.folder = checkout.folder, there
    done = checkout.make("train", "compare", "-s", "-j2")
    first, *others = done.stdout.splitlines()
    assert first == "making .venv anew: it was made in another folder"
    assert f"installing in {there}" in others
    assert {"train runs", "compare runs"} < set(others)
    assert checkout.make("train", "-s").stdout == "train runs\n"
    if copied:
        checkout.folder = original
        assert checkout.files() == before
        assert checkout.make("train", "-s").stdout == "train runs\n"


def test_one_that_is_a_link_to_another_checkouts_stays(checkout, tmp_path):
    checkout.add_python()
    checkout.make("train")
    there = tmp_path / "elsewhere"
    shutil.copytree(checkout.folder, there, ignore=lambda *_: {".venv"})
    (there / ".venv").symlink_to(checkout.folder / ".venv")
    checkout.folder = there
    assert "making" not in checkout.make("train").stdout


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "bin" / "python").unlink(), "its Python does not run"),
        (lambda folder: (folder / "pyvenv.cfg").unlink(), "it is not whole"),
        (lambda folder: shutil.rmtree(folder / "bin"), "its Python does not run"),
    ],
)
def test_one_that_does_not_work_is_made_anew(checkout, spoil, why):
    checkout.add_python()
    checkout.make("train")
    spoil(checkout.folder / ".venv")
    said = checkout.make("train", "-s").stdout
    assert said.startswith(f"making .venv anew: {why}\ninstalling")
    assert checkout.make("train", "-s").stdout == "train runs\n"


def test_one_of_a_python_that_is_too_old_or_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path(".venv")
    folder.mkdir()
    why_anew = runpy.run_path(str(WHY_ANEW))["why_anew"]
    made = f"command = /usr/bin/python3 -m venv {folder.resolve()}"
    versions = {(3, 11, 7): "", (3, 11, 9): "", (3, 12, 1): "it was made for Python 3.11.7"}
    for version, why in {**versions, (3, 10, 13): "its Python is 3.10.13"}.items():
        (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = 3.11.7\n{made}\n")
        monkeypatch.setattr(sys, "version_info", version)
        assert why_anew() == why
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.8\nversion_info = 3.13.0\n")
    assert why_anew() == ""  # who made it is not known to have noted where


def test_an_environment_that_fails_half_way_is_not_used(checkout):
    path = checkout.programs / "python3"
    checkout.add_python()
    path.write_text(path.read_text().replace("chmod +x .venv/bin/pip", "exit 1"))
    assert "Error 1" in checkout.make("train", status=2).stderr
    checkout.add_python()
    assert checkout.make("train", "-s").stdout.endswith("train runs\n")
