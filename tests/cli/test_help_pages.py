"""Help pages fit the terminal, say the same at each width, and their commands can be copied."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tests.narrowing import of_type
from tests.terminals import WIDTHS, run_in_terminal, too_wide

from micrograde.cli.help_pages import fitted_page, said_of, with_keys
from micrograde.config.descriptions import as_typed, describe
from micrograde.config.entries import offer_entries
from micrograde.config.hydra_versions import BEHAVIOUR
from micrograde.config.keys import OF_SWEEPS, SCHEMAS, keys_of
from micrograde.config.schema import flatten
from micrograde.core.hyperparameters import first_sentence
from micrograde.core.redaction import HIDDEN, without_password_in_yaml
from micrograde.data import DATA_SETS
from micrograde.nn import ACTIVATIONS, INITIALIZERS, NORMALIZATIONS
from micrograde.training.optimizers import OPTIMIZERS
from micrograde.training.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
HELP = CONF / "hydra" / "help"
PAGES = sorted(HELP.glob("*.yaml"))


def page(path, command=None):
    text = OmegaConf.create({"hydra": {"help": OmegaConf.load(path)}}).hydra.help.template
    return with_keys(text, command or path.stem, CONF)


def words(text):
    return text.replace("\\\n", " ").split()


def commands(text):
    text = re.sub(r"\\\n\s*", "", text)
    return [shlex.split(line) for line in text.split("\n") if re.match(r"\s*micrograde [a-z]+( |$)", line)]


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


def default_with(entry, default):
    """The default of an entry: ``0.01; 0.2 for sgd`` is 0.2 with sgd."""
    exception = re.search(rf"([^;]*) for [^;]*\b{entry}\b", default) if entry else None
    return exception[1].strip() if exception else default.partition("; ")[0]


def described(command, chosen=None):
    """The keys by name; of entries those of all, or of the one that is chosen."""
    return {
        key.name: key
        for group in describe(command, CONF)
        for key in [
            *group.keys,
            *(each for entry in group.entries if chosen in (None, entry.name) for each in entry.keys),
        ]
    }


@pytest.mark.parametrize("command", SCHEMAS)
def test_every_key_stands_in_its_commands_help_with_its_sentence_and_default(command):
    text = page(HELP / f"{command}.yaml", command)
    keys = described(command)
    assert set(keys) == set(keys_of(command)) - set(OF_SWEEPS)
    for name, key in keys.items():
        assert key.sentence, name
        assert re.search(rf"^ +{re.escape(name)} +{re.escape(said_of(key))}$", text, re.MULTILINE), name


@pytest.mark.parametrize("command", SCHEMAS)
def test_defaults_are_those_of_the_composed_config(command):
    offer_entries()
    with initialize_config_dir(str(CONF), **BEHAVIOUR):
        composed = flatten(of_type(dict, OmegaConf.to_container(compose(command), resolve=False)))
    for name, value in composed.items():
        chosen = composed.get(f"{name.partition('.')[0]}.name", "")
        keys = described(command, chosen)
        if name in keys:
            assert default_with(chosen, keys[name].default) == as_typed(value), name


def test_each_option_has_the_defaults_that_its_file_gives():
    for group in describe("train", CONF):
        for entry in group.entries:
            path = CONF / group.name / f"{entry.name}.yaml"
            written = yaml.safe_load(path.read_text()) if path.exists() else {}
            own = {key.name: key for key in (*group.keys, *entry.keys)}
            for key, value in written.items():
                said = default_with(entry.name, own[f"{group.name}.{key}"].default)
                assert key == "name" or said == as_typed(value), (entry.name, key)


@pytest.mark.parametrize(
    "registry",
    [ACTIVATIONS, INITIALIZERS, NORMALIZATIONS, DATA_SETS, OPTIMIZERS, SCHEDULES],
    ids=lambda r: r.kind,
)
def test_each_entry_of_a_registry_stands_in_the_help_with_its_sentence(registry):
    text = page(HELP / "train.yaml", "train")
    for name, entry in registry.items():
        sentence = first_sentence(entry).replace("``", "").removesuffix(".")
        assert re.search(rf"^ +(\w+=)?{name} +{re.escape(sentence)}", text, re.MULTILINE), name


@pytest.mark.parametrize("command", SCHEMAS)
@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_keys_stand_whole_at_any_width(command, width):
    fitted = fitted_page(with_keys("KEYS", command, CONF), width)
    assert not too_wide(fitted.split("\n"), width)
    assert set(described(command)) <= set(fitted.split())
