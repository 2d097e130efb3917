"""What `gc` is typed with, and what it says."""

import io
import sys

import pytest
from tests.store.deletions import Deletions

from micrograde.cli.commands.gc import agreed, best_of, counted, what_goes
from micrograde.config.commands import GcConfig
from micrograde.config.parsing import parse_command
from micrograde.core.errors import InputError
from micrograde.core.file_sizes import Size
from micrograde.store import local_store


def test_of_each_experiment_the_best_are_kept(home):
    store = Deletions(local_store(home))

    def run(experiment, accuracy):
        metrics = {"val/accuracy": accuracy, "train/accuracy": 1 - accuracy}
        return store.run(experiment, metrics=metrics, deleted=True)

    digits = [run("digits", accuracy) for accuracy in (0.5, 0.9, float("nan"), 0.8)]
    unmeasured = store.run("digits", deleted=True)
    wine = [run("wine", accuracy) for accuracy in (0.3, 0.2, 0.1)]
    for accuracy in (0.5, 0.6):
        store.run("only trained", metrics={"train/accuracy": accuracy}, deleted=True)
    store.run("wine", metrics={"val/accuracy": 1.0})  # it was not deleted, and takes nobody's place
    assert store.going(0, best_of(2)) == {digits[0], digits[2], unmeasured, wine[2]}
    found = store.find(0, best_of(2))
    assert sum("it is one of the best of those deleted" in line for line in found.stays) == 6
    assert what_goes(found, store.location) == "4 runs, 4 files, 28 bytes"


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [(None, 0), (0, 0), ("0", 0), ("12h", 43_200), ("30d", 2_592_000), ("1.5w", 907_200), ("0d", 0)],
)
def test_how_old_is_a_number_of_hours_days_or_weeks(typed, seconds):
    assert parse_command(GcConfig, {"older_than": typed}).seconds == seconds


@pytest.mark.parametrize("typed", ["-1d", "x", "", "1y", "1e3d", "d", "1 d", "٣d", 3, True, ["1d"], "1d2h"])
def test_another_age_is_a_line(typed):
    with pytest.raises(InputError, match="should be a number of hours, days or weeks"):
        parse_command(GcConfig, {"older_than": typed})


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("answer", "agrees"),
    [
        ("y\n", True),
        (" YES \n", True),
        ("y", True),
        ("n\n", False),
        ("\n", False),
        ("yy\n", False),
        ("1\n", False),
    ],
)
@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_only_yes_is_yes(monkeypatch, stream, answer, agrees):
    monkeypatch.setattr(sys, "stdin", stream(answer))
    assert agreed() is agrees


def test_nobody_answers(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(""))  # Ctrl-D
    assert not agreed()
    for nobody in (None, io.StringIO("")):
        monkeypatch.setattr(sys, "stdin", nobody)
        with pytest.raises(InputError, match="nobody has answered; without a terminal type --yes"):
            agreed()


def test_numbers_in_words():
    assert counted(0, 0, 0, 0, Size(0, 0)) == "0 runs, 0 files, 0 bytes"
    assert counted(1, 2, 1, 1, Size(1, 1)) == "1 run, 2 logged models, 1 experiment, 1 table, 1 file, 1 byte"
    assert counted(0, 0, 0, 2, Size(1200, 2_500_000)) == "2 tables, 1,200 files, 2.5 MB"
