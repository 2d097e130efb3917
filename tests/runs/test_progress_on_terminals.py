"""Progress stays on one line of the terminal, whatever its width and the names."""

import re
import sys

import pytest
from tests.terminals import WIDTHS, Terminal, too_wide

from micrograde.runs.progress import watch_epochs, watch_runs

NAME = "data=学習率 learning_rate=0.1 [bold] " * 4
METRICS = {"train/loss": 0.5, "train/accuracy": 0.9, "val/loss": 0.4, "val/accuracy": 0.8}


@pytest.fixture(params=[20, *WIDTHS])
def width(request):
    return request.param


@pytest.fixture(params=["utf-8", "ascii"])
def terminal(request, width, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with Terminal(width, encoding=request.param) as terminal:
        yield terminal


def shown(terminal):
    return [line for each in terminal.lines for line in each.split("\r") if line.strip()]


def test_the_progress_of_many_runs_keeps_to_one_line(terminal, width, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with watch_runs(
        [NAME] * 1500,
        [5] * 1500,
        title="seed × learning_rate × hidden_size",
        metric="val/accuracy",
        ascending=False,
    ) as watch:
        for place in range(1500):
            watch._shown = -1e9  # show each
            if place % 150 == 0:
                watch.epoch_ended(place, 1, METRICS)
                watch.run_ended(place, "FAILED" if place % 300 else "FINISHED", METRICS)
    lines = shown(terminal)
    assert not too_wide(lines, width)
    assert re.search(r"done 10/1", lines[-1])
    if width >= 60:
        assert "failed 5" in lines[-1]
    if width >= 120:
        assert "best run val/accuracy 0.8000" in lines[-1]


def test_the_progress_of_epochs_keeps_to_one_line(terminal, width, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal)
    with watch_epochs(NAME, 10) as watch:
        for epoch in range(1, 11):
            watch.epoch_ended(0, epoch, METRICS)
    lines = shown(terminal)
    assert not too_wide(lines, width)
    assert "10/10" in lines[-1]
    assert ("val/accuracy 0.8000" in lines[-1]) == (width >= 60)
    assert ("train/loss 0.5000" in lines[-1]) == (width >= 80)


def test_a_dumb_terminal_gets_lines(monkeypatch, capsys):
    monkeypatch.setenv("TERM", "dumb")
    with Terminal(80) as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with watch_epochs("digits", 2) as watch:
            watch.epoch_ended(0, 1, METRICS)
        assert terminal.getvalue() == ""
    assert capsys.readouterr().out.startswith("epoch 1/2  train/loss 0.5000")
