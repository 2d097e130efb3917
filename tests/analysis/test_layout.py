"""Tables fit a terminal of any width: never a folded line, never half an id or number."""

import io
import re
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.terminals import WIDTHS, Terminal, too_wide

from micrograde.analysis import by_importance, print_table, table_of_runs
from micrograde.analysis.comparing import METRICS
from micrograde.analysis.layout import Column, fitted_layout, whole_layout
from micrograde.core.terminal import cells

TEXT = st.text(st.characters(exclude_categories=("C", "Z", "M")), max_size=60)


def column(draw, number):
    name = draw(st.from_regex(r"[a-z]{1,9}([./_ ][a-z]{1,12}){0,3}", fullmatch=True)) + str(number)
    if draw(st.booleans()):
        texts = draw(st.lists(st.floats().map(lambda value: f"{value:.4g}"), min_size=3, max_size=3))
        return Column(name, texts, to_the_right=True, whole=True)
    return Column(name, draw(st.lists(TEXT, min_size=3, max_size=3)))


@st.composite
def tables(draw):
    return [column(draw, number) for number in range(draw(st.integers(1, 12)))]


@settings(max_examples=50)
@given(tables(), st.integers(20, 200), st.data())
def test_no_line_is_wider_than_the_terminal(columns, width, data):
    important = data.draw(st.permutations([each.name for each in columns]))
    layout = fitted_layout(columns, width, important)
    assert not too_wide(layout.lines, width)
    shown = len(columns) - layout.left_out
    assert shown >= 1
    rows = layout.lines[-3:]
    numbers = [each for each in columns if each.whole]
    for row, line in enumerate(rows):
        words = set(line.split())
        there = [each for each in numbers if each.texts[row] in words]
        assert len(there) >= len(numbers) - layout.left_out - (important[0] in {n.name for n in numbers})


@settings(max_examples=30)
@given(tables())
def test_a_table_that_fits_is_whole(columns):
    whole = whole_layout(columns)
    assert fitted_layout(columns, max(map(cells, whole.lines))) == whole
    assert not whole.left_out
    assert not whole.shortened


def test_without_a_terminal_a_table_is_what_rich_makes_of_it(capsys):
    """As it was before there was a layout for terminals; scripts may read it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    frame = pd.DataFrame(
        {
            "run_id": ["aaaa", "b"],
            "学": ["学習率", ""],
            "val/x": [1.5, np.nan],
            "i": [1, 2],
            "ok": [True, False],
        }
    )
    expected = io.StringIO()
    console = Console(file=expected, width=1000, highlight=False)
    table = Table(box=box.SIMPLE_HEAD)
    for name in frame:
        table.add_column(str(name), justify="right" if name in ("val/x", "i") else "left")
    for row in (("aaaa", "学習率", "1.5", "1", "True"), ("b", "", "-", "2", "False")):
        table.add_row(*row)
    console.print("title")
    console.print(table)
    print_table(frame, "title")
    assert capsys.readouterr().out == expected.getvalue()


def test_long_texts_are_cut_where_they_still_differ():
    for texts in (
        [f"/very/long/path/of/a/folder/part-{number}.csv.zst.and/the/same/in/all" for number in range(3)],
        [f"batch_norm/batchnorm{number}.running_mean" for number in range(3)],
        [f"{number} begins differently but goes on for longer than there is room" for number in range(3)],
    ):
        layout = fitted_layout([Column("path", texts), Column("x", ["1", "2", "3"], whole=True)], 30)
        assert layout.shortened
        assert len({line.rsplit(None, 1)[0] for line in layout.lines[-3:]}) == 3


# --- runs ---------------------------------------------------------------------------------------


VERDICTS = [
    "the best",
    "not to be told with 5 folds; more than 1,000 would",
    "no split in common with the best",
    "worse by 0.01234 ± 0.009876",
    "equal with 1 split",
]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("sign", ["±", "+-"])
def test_verdicts_go_on_in_another_line_where_settings_could_not_be_told_apart_otherwise(width, sign):
    rates = Column("optimizer.learning_rate", ["0.1", "0.2", "0.3", "0.4", "0.5"], True, True)
    means = Column("kept/val/accuracy", [f"0.9876 {sign} 0.0123"] * 5, whole=True)
    words = [words.replace("±", sign) for words in VERDICTS]
    verdicts = Column("verdict", words, whole=True, folds=True)
    losses = Column("kept/val/loss", [f"0.12345 {sign} 0.04321"] * 5, whole=True)
    names = [each.name for each in (means, verdicts, rates, losses)]
    layout = fitted_layout([rates, means, verdicts, losses], width, names, needed=[rates.name])
    body = "\n".join(layout.lines)
    assert not too_wide(layout.lines, width)
    assert "learning_rate" in body
    assert f"0.01234 {sign} 0.009876" in body
    for text in words[1:]:
        assert set(text.split()) <= set(body.split())
    rule = next(number for number, line in enumerate(layout.lines) if "─" in line)
    folded = len(layout.lines) - rule - 1 > 5
    assert folded == (width <= 100)  # where there is room, each setting is a line


@cache
def runs_of(number, params=30):
    """A frame as ``load_runs`` gives it: two experiments, some unfinished, many params that differ."""
    random = np.random.default_rng(number)
    name = np.array(["moons", "digits"])[np.arange(number) % 2]
    frame = {
        "run_id": [random.bytes(16).hex() for _ in range(number)],
        "run_name": [f"seed={place} 学習率=0.1 🙂 {'long ' * (place % 9)}" for place in range(number)],
        "experiment_name": name,
        "status": np.where(random.random(number) < 0.2, "FAILED", "FINISHED"),
        "duration": random.random(number) * 1000,
        "data.name": name,
        "data.noise": np.where(name == "moons", 0.2, np.nan),
        "data.path": ["/data/" + "x" * 4000 + f"/{place % 3}.csv" for place in range(number)],
        "seed": np.arange(number),
    }
    for param in range(params):
        frame[f"group{param % 4}.parameter_{param}"] = random.integers(0, 3, number)
    for metric in METRICS:
        frame[metric] = np.where(random.random(number) < 0.1, np.nan, random.random(number))
    return pd.DataFrame(frame)


@pytest.mark.parametrize("number", [1, 25, 1500])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [20, *WIDTHS])
def test_tables_of_runs_fit_the_terminal(number, encoding, width, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    runs = runs_of(number)
    shown = table_of_runs(runs, "kept/val/accuracy")
    with Terminal(width, encoding=encoding) as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_table(
            shown,
            f"{number} runs × seeds",
            important=by_importance(runs, "kept/val/accuracy"),
            whole="output=runs.csv",
        )
        lines = terminal.lines
    assert not too_wide(lines, width)
    rule = next(place for place, line in enumerate(lines) if set(line.strip()) in ({"─"}, {"-"}))
    rows = lines[rule + 1 : rule + 1 + number]
    assert [row.split()[0] for row in rows] == shown["run_id"].tolist()
    header = re.sub(r"\s", "", "".join(lines[:rule]))
    assert "run_id" in header
    assert "accuracy" in header
    rest = " ".join(line.strip() for line in lines[rule + 1 + number :]).strip()
    if number > 1 or width < 120:
        left_out = re.match(r"(\d+) more columns?(?: and whole texts)?: output=runs.csv$", rest)
        assert left_out
        assert int(left_out[1]) < shown.shape[1]


def test_a_dumb_terminal_gets_no_escapes(monkeypatch):
    for term, expected in (("dumb", False), ("xterm", True)):
        monkeypatch.setenv("TERM", term)
        with Terminal(80) as terminal:
            monkeypatch.setattr(sys, "stdout", terminal)
            print_table(pd.DataFrame({"a": [1]}), "title")
            assert ("\x1b" in terminal.getvalue()) == expected
