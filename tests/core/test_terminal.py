"""Lines fit the terminal, and are written in characters that it has."""

import io
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.terminals import Terminal, too_wide

from micrograde.core.terminal import (
    cells,
    cut,
    cut_beginning,
    folded,
    say,
    spelled,
    terminal_lines,
    terminal_width,
    use_plain_characters,
)

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z", "M")) | st.just(" "))


@pytest.fixture
def terminal(monkeypatch):
    """Makes terminals, and standard output one of them."""
    monkeypatch.delenv("COLUMNS", raising=False)
    made = []

    def make(*arguments, **options):
        made.append(Terminal(*arguments, **options))
        monkeypatch.setattr(sys, "stdout", made[-1])
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_width_is_the_terminals(terminal, monkeypatch):
    assert terminal_width(terminal(97)) == 97
    assert terminal_width(terminal(0)) == 80
    assert terminal_width(terminal(5)) == 20
    assert terminal_width(io.StringIO()) is None
    assert terminal_lines(terminal(80, 24)) == 24
    assert terminal_lines(io.StringIO()) == 0
    closed = io.StringIO()
    closed.close()
    assert terminal_width(closed) is None
    for told, width in (("123", 123), ("0", 97), ("-5", 97), ("wide", 97), ("", 97), ("9" * 9, 97)):
        monkeypatch.setenv("COLUMNS", told)
        assert terminal_width(terminal(97)) == width
    monkeypatch.setenv("COLUMNS", "60")
    assert terminal_width(io.StringIO()) is None


@given(PRINTABLE, st.integers(4, 60))
def test_text_is_cut_to_the_width(text, width):
    for cutting in (cut, cut_beginning):
        short = cutting(text, width)
        assert cells(short) <= width
        assert short == text or (cells(text) > width and "…" in short)
    assert text.endswith(cut_beginning(text, width).removeprefix("…"))


def test_both_ends_of_a_text_stay():
    assert cut("learning_rate=0.1 seed=3", 15) == "learnin… seed=3"


@given(PRINTABLE, st.integers(20, 100))
def test_lines_are_broken_between_words(line, width):
    lines = folded(line, width)
    assert " ".join(lines).split() == line.split()
    for each in too_wide(lines, width):
        assert len(each.split()) <= 2  # at most a label and a word that is longer than the line


def test_further_lines_stand_below_what_follows_the_label():
    line = "best        val/accuracy 0.9889  seed=0  run 3c327acdeb874030969222d2b58d1a3c"
    assert folded(line, 60) == [
        "best        val/accuracy 0.9889  seed=0",
        "            run 3c327acdeb874030969222d2b58d1a3c",
    ]
    assert folded(line, 200) == [line]


def test_lines_are_said_as_they_are_where_there_is_no_terminal(capsys):
    say("word " * 100 + "× end")
    assert capsys.readouterr().out == "word " * 100 + "× end\n"


def test_lines_fit_a_terminal_without_the_characters(terminal):
    stream = terminal(60, encoding="ascii")
    say("finding     " + "seed × learning_rate ± 学 … " * 8)
    assert not too_wide(stream.lines, 60)
    assert "seed x learning_rate +- \\u5b66 ..." in stream.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "cp1252", "iso8859-15"])
@given(text=st.text(st.characters()))
def test_any_text_can_be_written_in_any_encoding(encoding, text):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    assert spelled(text, stream).encode(encoding).decode(encoding) == spelled(text, stream)


def test_what_an_encoding_has_stays():
    latin = io.TextIOWrapper(io.BytesIO(), "latin-1")
    assert spelled("× ± ─ …", latin) == "× ± - ..."
    assert spelled("× ± ─ …", io.StringIO()) == "× ± ─ …"


def test_streams_are_made_to_write_plain_characters(monkeypatch):
    for errors in ("strict", "surrogateescape", "replace"):
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, "ascii", errors=errors)
        monkeypatch.setattr(sys, "stdout", stream)
        use_plain_characters()
        print("seed × learning_rate")
        stream.flush()
        sign = b"?" if errors == "replace" else b"x"
        assert written.getvalue() == b"seed " + sign + b" learning_rate\n"
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    use_plain_characters()  # which is none that could be told


def test_a_stream_whose_descriptor_has_become_a_pipe(monkeypatch, tmp_path):
    """As in a process that was forked from one with other streams; Python then seeks in vain."""
    ours, theirs = os.pipe()
    with open(tmp_path / "output", "w", encoding="ascii") as stream, os.fdopen(ours, "rb") as shown:
        stream.write("a file\n")
        stream.flush()
        os.dup2(theirs, stream.fileno())
        os.close(theirs)
        monkeypatch.setattr(sys, "stdout", stream)
        use_plain_characters()
        print("seed × learning_rate")
        stream.flush()
        assert shown.readline() == b"seed x learning_rate\n"
