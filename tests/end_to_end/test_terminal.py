"""What stands on a real terminal: nothing is folded, and no character is missing."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.stored_runs import add_run
from tests.terminals import run_in_terminal, too_wide

PIPELINES = Path(__file__).parents[2] / "pipelines"
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
METRICS = {"val/accuracy": 0.9, "val/loss": 0.3, "test/accuracy": 0.8, "test/loss": 0.4, "train/loss": 0.2}


def command(pipeline, *arguments):
    return [sys.executable, str(PIPELINES / f"{pipeline}.py"), *arguments]


def in_terminal(user, width, pipeline, *arguments, status=0, **variables):
    environment = {key: value for key, value in user.environment.items() if key != "COLUMNS"}
    text, ended = run_in_terminal(
        command(pipeline, *arguments),
        width,
        cwd=user.folder,
        env={**environment, "TERM": "xterm", **variables},
    )
    assert ended == status, text
    return text


@pytest.fixture(scope="module")
def user(make_user):
    """Has six runs in which thirty params differ, and a metric that follows from the seed."""
    user = make_user("terminal")
    experiment = user.client.create_experiment("学習", f"file://{user.home}/mlruns/artifacts")
    user.ids = [
        add_run(
            user.client,
            experiment,
            f"seed={seed} {'名前' * 20}",
            {"seed": str(seed), **{f"group{n % 3}.parameter_{n}": str(seed % 2) for n in range(30)}},
            {name: value - seed / 100 for name, value in METRICS.items()},
            start=seed,
        )
        for seed in range(6)
    ]
    return user


@pytest.mark.parametrize(("width", "variables"), [(60, {"TERM": "dumb", **PLAIN}), (80, {})])
def test_a_table_of_runs(user, width, variables):
    text = in_terminal(user, width, "compare", **variables)
    lines = text.split("\n")
    assert not too_wide(lines, width)
    rows = [line.split() for line in lines if line.strip().startswith(tuple(run[:8] for run in user.ids))]
    assert [row[0] for row in rows] == [run[:8] for run in user.ids]
    assert all(f"{0.9 - place / 100:.4f}" in row for place, row in enumerate(rows))
    assert "more columns" in text
    assert "output=runs.csv" in text
    assert "\x1b" not in text


def test_what_is_said_to_have_all_columns_has_them(user):
    user.run("compare", "output=runs.csv")
    header = (user.folder / "runs.csv").read_text(encoding="utf-8").split("\n")[0].split(",")
    assert {f"group{n % 3}.parameter_{n}" for n in range(30)} < set(header)


def test_two_runs_side_by_side(user):
    first, second = user.ids[0][:8], user.ids[1][:10]
    text = in_terminal(user, 60, "compare", first, second)
    lines = text.split("\n")
    assert not [line for line in too_wide(lines, 60) if not line.startswith("curves")]
    assert "2 runs: 31 params differ, 0 are the same" in text
    assert ["val/accuracy", "0.9000", "0.8900", "-0.0100"] in [line.split() for line in lines]
    (curves,) = [line.removeprefix("curves    ").strip() for line in lines if line.startswith("curves")]
    assert Path(curves).parent == user.home / "mlruns" / "reports"
    ElementTree.parse(curves)
    user.run("compare", first, "latest", "output=both.csv")
    assert (user.folder / "both.csv").read_text(encoding="utf-8").startswith(f"what,key,{first},")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["12e45678", "latest"], "12e45678: there is no such run in the store"),
        (["latest", "123456", "limit=3"], "limit=3: is for a table of runs"),
    ],
)
def test_runs_that_cannot_be_put_side_by_side(user, arguments, line):
    done = user.run("compare", *arguments, status=2)
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_help_page(user):
    assert not too_wide(in_terminal(user, 60, "compare", "--help", **PLAIN).split("\n"), 60)


@pytest.mark.slow
def test_a_sweep_where_the_locale_has_no_signs(user):
    width = 60
    sweep = [
        "-m",
        "data=moons",
        "data.samples=60",
        "training.num_epochs=2",
        "seed=range(3)",
        f"model.hidden_size=2,{width}",
    ]
    text = in_terminal(user, width, "train", *sweep, **PLAIN)
    lines = [line for each in text.split("\n") for line in each.split("\r")]
    assert not too_wide(lines, width)
    assert "seed x hidden_size" in " ".join(text.split())
    assert "finished    6 of 6 runs" in text
    table = in_terminal(user, width, "compare", "sweep=latest", "over_seeds=true", **PLAIN)
    assert "+-" in table
    at_120 = in_terminal(user, 120, "compare", "sweep=latest", "over_seeds=true")
    assert "±" in at_120
    assert not re.search(r"\d…|…\d", at_120)  # a part of a mean and its deviation is useless
    assert not [line for line in too_wide(table.split("\n"), width) if not line.startswith("report")]
