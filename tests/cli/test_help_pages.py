"""Help pages fit the terminal, say the same at each width, and their commands can be copied."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from tests.terminals import WIDTHS, run_in_terminal, too_wide

from micrograde.cli.help_pages import fitted_page
from micrograde.core.redaction import HIDDEN, without_password_in_yaml

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "conf" / "hydra" / "help").glob("*.yaml"))


def page(path):
    return OmegaConf.create({"hydra": {"help": OmegaConf.load(path)}}).hydra.help.template


def words(text):
    return text.replace("\\\n", " ").split()


def commands(text):
    text = re.sub(r"\\\n\s*", "", text)
    return [shlex.split(line) for line in text.split("\n") if re.match(r"\s*(python|make \w+ ARGS)", line)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit(path, width):
    text = page(path)
    fitted = fitted_page(text, width)
    assert not too_wide(fitted.split("\n"), width)
    assert words(fitted) == words(text)
    assert commands(fitted) == commands(text)
    assert commands(text)


def test_what_fits_stays_as_it_is():
    text = page(PAGES[0])
    assert fitted_page(text, max(map(len, text.split("\n")))) == text


def test_descriptions_stay_beside_their_keys():
    text = (
        "  key      one two three four five six seven eight nine ten\n           eleven twelve\n  other    x"
    )
    assert fitted_page(text, 40) == (
        "  key      one two three four five six\n           seven eight nine ten eleven\n           twelve\n  other    x"
    )


def test_a_description_without_room_stands_below_its_key():
    text = "  a.very.long.key.of.a.section    what it is, in several words of a sentence"
    lines = fitted_page(text, 40).split("\n")
    assert lines[0] == "  a.very.long.key.of.a.section"
    assert lines[1].startswith("      what it is")
    assert not too_wide(lines, 40)


@pytest.mark.parametrize("width", [60, 80])
def test_the_targets_of_the_makefile_fit(width):
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    text, status = run_in_terminal(["make", "-s", "help"], width, cwd=ROOT, env=environment)
    assert status == 0
    assert not too_wide(text.split("\n"), width)
    piped = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert words(text) == words(piped)
    assert len(piped.splitlines()) < len(text.splitlines())
    assert 'make compare ARGS="3cf88ee7 latest"' in [line.strip() for line in text.split("\n")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_can_be_followed_as_they_are_shown(page):
    assert HIDDEN not in without_password_in_yaml(page.read_text())
