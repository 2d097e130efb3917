"""What takes longer than a moment says what it does, what is quick says nothing."""

import io
import re
import time

import pytest

from micrograde.core import working as module
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.runs.progress import watch_epochs


class Stream(io.StringIO):
    def __init__(self, *, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.fixture
def stream(monkeypatch):
    """Standard error, as a terminal of 60 columns or a pipe, where a moment is a hundredth of a second."""

    def make(*, terminal):
        stream = Stream(terminal=terminal)
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "60")
        return stream

    monkeypatch.setattr(module, "MOMENT", 0.01)
    return make


def wait_for(stream, text):
    end = time.monotonic() + 10
    while text not in stream.getvalue():
        assert time.monotonic() < end, stream.getvalue()
        time.sleep(0.005)


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_quick_says_nothing(stream, terminal, monkeypatch):
    monkeypatch.setattr(module, "MOMENT", 5.0)
    on = stream(terminal=terminal)
    with working("drawing the report"):
        pass
    with pytest.raises(ValueError, match="as it is"), working("drawing the report"):
        raise ValueError("as it is")
    assert on.getvalue() == ""


def test_in_a_pipe_it_is_one_line(stream, monkeypatch):
    on = stream(terminal=False)
    with working("drawing the report", "stderr"):
        wait_for(on, "\n")
        time.sleep(0.05)
    assert on.getvalue() == "drawing the report ...\n"
    other = Stream(terminal=False)
    monkeypatch.setattr("sys.stdout", other)
    with working("drawing the report"):
        wait_for(other, "\n")
    with working("looking for the run", "nowhere"):
        time.sleep(0.05)
    assert other.getvalue() == on.getvalue() == "drawing the report ...\n"


def test_on_a_terminal_it_is_a_line_that_goes_again_and_is_no_wider(stream):
    on = stream(terminal=True)
    with working("drawing the report " * 9):
        wait_for(on, "...")
    sent = re.fullmatch(r"\r\x1b\[K(.*)\r\x1b\[K", on.getvalue())
    assert sent
    assert sent[1].startswith("drawing the report")
    assert len(sent[1]) < 60


def test_a_line_that_is_said_meanwhile_replaces_it(stream):
    on = stream(terminal=True)
    with working("waiting for the store"):
        wait_for(on, "...")
        say("the store is away", on)
    assert on.getvalue() == "\r\x1b[Kwaiting for the store ...\r\x1b[Kthe store is away\n"


def test_where_there_is_a_bar_it_stands_beside_it(stream):
    on = stream(terminal=True)
    with watch_epochs("seed=3", 2) as watch:
        watch.epoch_ended(0, 2, {"train/loss": 0.5})
        with working("drawing pictures"):
            wait_for(on, "drawing pictures ...")
    assert "\r\x1b[Kdrawing" not in on.getvalue()


def test_a_stream_that_has_closed_is_no_reason_to_stop(stream):
    on = stream(terminal=False)
    on.close()
    with working("drawing the report", "stderr"):
        time.sleep(0.05)
