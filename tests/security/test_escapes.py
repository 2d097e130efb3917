"""Nothing that a terminal acts on comes out, whoever wrote it and whichever way it takes."""

import io
import sys

import pytest
from tests.hostile_store import ESCAPES, check_line

from micrograde.api.results import Run
from micrograde.config.exit_lines import print_traceback
from micrograde.core import terminal
from micrograde.core.errors import InputError, RunFailedError
from micrograde.runs.side_by_side import Comparison


def check_lines(text):
    assert text.strip()
    for line in text.splitlines():
        if line.strip():
            check_line(line)


@pytest.mark.parametrize("kind", [InputError, RunFailedError])
def test_messages_of_errors(kind):
    error = kind(f"one {ESCAPES}\ntwo")
    check_lines(str(error))
    check_lines("\n".join(error._render_traceback_()))
    assert "\\x1b[31mred" in str(error)


def test_lines_that_are_said(capsys):
    terminal.say(f"name {ESCAPES}")
    terminal.say(f"name {ESCAPES}", sys.stderr)
    said = capsys.readouterr()
    check_lines(said.out)
    check_lines(said.err)


def test_a_line_that_is_replaced(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    terminal.show_status(f"reading {ESCAPES}")
    check_line(stream.getvalue().removeprefix("\r\x1b[K"))


def test_representations_in_python():
    import pandas as pd

    run = Run(ESCAPES, "FAILED", ESCAPES, {}, {}, pd.DataFrame(), (ESCAPES,))
    check_lines(repr(run))
    check_lines(run._repr_mimebundle_()["text/plain"])
    table = pd.DataFrame({"a": [ESCAPES]}, index=pd.Index([ESCAPES], name="key"))
    check_lines(repr(Comparison((), table, pd.DataFrame(columns=["a"]), 1, 0, None)))


def test_tracebacks_of_libraries(capsys):
    """An error that nobody has thought of is a traceback, which repeats what a library says."""
    try:
        raise OSError(f"a library says {ESCAPES}")
    except OSError as error:
        print_traceback(type(error), error, error.__traceback__)
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    check_lines(said)
