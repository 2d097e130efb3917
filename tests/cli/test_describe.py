"""A table is described in-process: what is printed, which page is written, and what is to be typed next."""

import re
import shlex

import hydra._internal.hydra
import numpy as np
import pandas as pd
import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl

from micrograde.cli.commands import describe
from micrograde.data.sets.tables import CsvTable
from micrograde.runs.building import prepare_data

CHANCE = np.random.default_rng(0)
ROWS = 60
TREES = pd.DataFrame(
    {
        "tree_id": [f"secret-{number:03}" for number in range(ROWS)],
        "height": CHANCE.normal(20, 5, ROWS).round(2),
        "leaf": CHANCE.choice(["needle", "broad"], ROWS),
        "planted": pd.date_range("2001-05-01", periods=ROWS, freq="29D").strftime("%Y-%m-%d"),
        "species": np.where(np.arange(ROWS) % 3 == 0, "oak", "pine"),
    }
)
TREES.loc[:4, "height"] = np.nan


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Give what was typed behind ``describe``: the exit status, and what was printed."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setenv("MICROGRADE_STARTED_AS", "micrograde")
    monkeypatch.setattr(hydra._internal.hydra, "ConfigLoaderImpl", ConfigLoaderImpl)
    monkeypatch.chdir(tmp_path)
    TREES.to_csv("trees.csv", index=False)

    def run(*arguments):
        status: str | int | None = 0
        with monkeypatch.context() as patch:
            patch.setenv("HYDRA_FULL_ERROR", "")
            patch.setattr("sys.argv", ["micrograde describe", *arguments])
            try:
                describe.main()
            except SystemExit as left:
                status = left.code
        out, err = capsys.readouterr()
        return status, out, re.sub(r"(reading|drawing) the \w+ \.\.\.\n", "", err)  # on a slow machine

    return run


def line_of(text, word):
    (line,) = [line for line in text.splitlines() if line.startswith(f"{word} ")]
    return line.removeprefix(word).strip()


def pictures(page):
    return page.count("<svg xmlns")


def test_a_table_is_described_and_nothing_is_recorded(run, tmp_path):
    status, out, err = run("data.path=trees.csv")
    assert (status, err) == (0, "")
    assert line_of(out, "table") == "trees.csv: 60 rows, 5 columns"
    assert line_of(out, "left out") == "'tree_id': identifier, different in each row"
    assert line_of(out, "targets") == "'species' (2 classes), 'leaf' (2 classes), 'height' (numbers)"
    assert line_of(out, "next") == "micrograde train data.path=trees.csv data.target=species"
    assert re.search(r"^ *height +number +2 +5 ", out, re.MULTILINE)
    assert {path.name for path in tmp_path.iterdir()} == {"trees.csv", "trees_columns.html"}


def test_with_a_target_its_classes_are_told_and_colour_the_page(run, tmp_path):
    status, out, _ = run("data.path=trees.csv", "data.target=species", "data.drop=[leaf]")
    assert status == 0
    assert "'oak' (20), 'pine' (40)" in line_of(out, "target")
    assert "targets" not in out
    typed = shlex.split(line_of(out, "next"))
    assert typed == [
        "micrograde",
        "train",
        "data.path=trees.csv",
        "data.drop=[leaf]",
        "data.target=species",
    ]
    page = (tmp_path / "trees_columns.html").read_text()
    assert pictures(page) == 3  # of the target, the height and the date
    assert '<ul class="key">' in page
    assert "5 missing (8.3%)" in page


def test_the_page_has_no_value_of_a_column_that_is_left_out(run, tmp_path):
    run("data.path=trees.csv", "page=here.html")
    page = (tmp_path / "here.html").read_text()
    assert "tree_id" in page
    assert "secret" not in page


def test_rare_categories_are_counted_but_not_named(run, tmp_path):
    names = [f"person{number}" for number in range(40)]
    TREES.assign(owner=["parish"] * 20 + names).to_csv(tmp_path / "trees.csv", index=False)
    run("data.path=trees.csv", "data.target=species")
    page = (tmp_path / "trees_columns.html").read_text()
    assert ">parish<" in page
    assert "and 40 more in 40 rows" in page
    assert "person" not in page


def test_what_a_table_holds_is_no_markup(run, tmp_path):
    evil = "<script>alert(1)</script>"
    table = TREES.rename(columns={"leaf": evil, "tree_id": "<b>"}).replace({evil: {"broad": "<i>&\x1b"}})
    table.to_csv(tmp_path / "<u>.csv", index=False)
    run("data.path='<u>.csv'", "page=page.html")
    page = (tmp_path / "page.html").read_text()
    assert "&lt;script&gt;" in page
    assert not re.search("<script|<i>|<b>|<u>|\x1b", page)
    assert "default-src 'none'" in page


def test_a_page_of_ours_is_written_anew_and_nothing_else_is_replaced(run, tmp_path):
    assert run("data.path=trees.csv")[0] == run("data.path=trees.csv")[0] == 0
    own = tmp_path / "trees_columns.html"
    own.write_text("mine")
    status, out, _ = run("data.path=trees.csv")
    assert status == 0
    assert "not written: page=trees_columns.html: is there" in line_of(out, "page")
    status, _, err = run("data.path=trees.csv", "page=trees_columns.html")
    assert (status, err.count("\n")) == (2, 1)
    assert own.read_text() == "mine"
    (tmp_path / "table.html").write_bytes((tmp_path / "trees.csv").read_bytes())
    for key in ("page", "output"):
        status, _, err = run("data.path=table.html", f"{key}=table.html")
        assert (status, err.count("\n")) == (2, 1)
    assert "is the table itself" in err
    assert "page " not in run("data.path=trees.csv", "page=null")[1]


def test_no_more_columns_are_listed_and_drawn_than_wanted_and_that_is_said(run, tmp_path):
    wide = pd.DataFrame(CHANCE.normal(size=(30, 70)), columns=[f"gene{number}" for number in range(70)])
    wide.assign(kind=["a", "b"] * 15).to_csv(tmp_path / "wide.csv", index=False)
    status, out, _ = run("data.path=wide.csv", "limit=5", "data.target=kind", "output=columns.csv")
    assert status == 0
    assert "the first 5 of 71 columns; output=columns.csv writes all" in out
    assert line_of(out, "page") == "wide_columns.html: a picture of the first 5 of 70 columns"
    page = (tmp_path / "wide_columns.html").read_text()
    assert pictures(page) == 6
    assert "columns: the first 5 of 70" in page
    assert len(pd.read_csv(tmp_path / "columns.csv")) == 71


def test_the_command_that_is_told_holds_odd_names_as_they_are(run, tmp_path):
    name = "it's $HOME (1), x.csv"
    TREES.rename(columns={"species": "a,b: {c}"}).to_csv(tmp_path / name, index=False)
    status, out, _ = run(f'data.path="{name}"', "page=null")
    assert status == 0
    _, _, path, target = shlex.split(line_of(out, "next"))
    assert (path, target) == (f'data.path="{name}"', 'data.target="a,b: {c}"')
    status, out, _ = run(path, target, "page=null")
    assert (status, "'a,b: {c}'" in line_of(out, "target")) == (0, True)


def test_a_table_that_only_its_target_is_left_of_has_no_command(run, tmp_path):
    texts = [f"some words of letter {number} that differ" for number in range(ROWS)]
    pd.DataFrame({"kind": TREES.species, "text": texts}).to_csv(tmp_path / "texts.csv", index=False)
    for more in ((), ("data.target=kind",)):
        status, out, err = run("data.path=texts.csv", "page=null", *more)
        assert status == 0
        assert "next" not in out
        assert "nothing is left to learn from: 'text' is text" in out + err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "data.path: is missing; it needs a value"),
        (["data.path=nothing.csv"], "data.path=nothing.csv: there is no such file"),
        (["data.path=trees.csv", "data.target=kind"], "data.target=kind: there is no such column"),
        (["data.path=trees.csv", "data.target=[height,kind]"], "data.target=kind: there is no such column"),
        (["data.path=trees.csv", "data.drop=[x]"], "data.drop: there is no column 'x'"),
        (["data.path=trees.csv", "page=page.pdf"], "page=page.pdf: should end in .html"),
        (["data.path=trees.csv", "page=no/page.html"], "page=no/page.html: there is no folder no"),
        (["data.path=trees.csv", "limit=0"], "limit=0: "),
        (["data.path=trees.csv", "data.sample=3"], "data.sample: there is no such key"),
        (["data=moons"], "data=moons: is no table in a file"),
        (["data.path=a.csv,b.csv"], "data.path=a.csv,b.csv: is several values"),
        (["-m", "data.path=a.csv,b.csv"], "-m: is for micrograde train"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(run, tmp_path, arguments, line):
    status, out, err = run(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(line)
    assert {path.name for path in tmp_path.iterdir()} == {"trees.csv"}


def test_numbers_to_be_predicted_are_no_classes(run, tmp_path):
    status, out, _ = run("data.path=trees.csv", "data.target=height")
    assert status == 0
    assert re.fullmatch(
        r"'height': numbers from [\d.]+ to [\d.]+, mean [\d.]+; always saying the mean is off by [\d.]+ \(RMSE\)",
        line_of(out, "target"),
    )
    assert line_of(out, "rows") == "5 left out, which have no target"
    page = (tmp_path / "trees_columns.html").read_text()
    assert "<h2>target: height</h2>" in page
    assert "rows by the number to be predicted" in page
    assert pictures(page) == 4  # the target, and each column that is used
    assert 'class="key"' not in page
    assert line_of(out, "next") == "micrograde train data.path=trees.csv data.target=height"


def test_a_column_of_few_numbers_is_described_as_numbers_if_the_user_says_so(run, tmp_path):
    TREES.assign(mark=np.arange(ROWS) % 5 + 3).to_csv(tmp_path / "marks.csv", index=False)
    _, out, _ = run("data.path=marks.csv", "data.target=mark", "page=null")
    assert line_of(out, "target").startswith("'mark': '3' (12), ")
    _, out, _ = run("data.path=marks.csv", "data.target=mark", "page=null", "task=regression")
    assert line_of(out, "target").startswith("'mark': numbers from 3 to 7, mean 5; ")
    assert line_of(out, "next") == "micrograde train data.path=marks.csv task=regression data.target=mark"


def test_a_column_of_numbers_with_a_usual_name_is_the_likely_target(run, tmp_path):
    frame = pd.DataFrame({"rooms": np.arange(ROWS) % 4, "price": CHANCE.normal(2e5, 4e4, ROWS).round()})
    frame.to_csv(tmp_path / "houses.csv", index=False)
    _, out, _ = run("data.path=houses.csv", "page=null")
    assert line_of(out, "targets") == "'price' (numbers), 'rooms' (4 classes)"
    assert line_of(out, "next").endswith("data.target=price")
    frame.rename(columns={"price": "p"}).to_csv(tmp_path / "houses.csv", index=False)
    _, out, _ = run("data.path=houses.csv", "page=null")
    assert line_of(out, "targets") == "'rooms' (4 classes), 'p' (numbers)"


@pytest.mark.parametrize(
    ("counts", "needed"),
    [
        ((6, 6), " data.test_fraction=0.17 data.validation_fraction=0.17"),
        ((4, 3, 3), " data.test_fraction=0.3 data.validation_fraction=0.3"),
        ((30, 2), " data.stratify=false"),  # which the target's own classes need
        ((30, 30), ""),
    ],
)
def test_the_command_of_a_table_of_few_rows_or_rare_classes_can_be_split(run, tmp_path, counts, needed):
    rows = sum(counts)
    table = pd.DataFrame(
        {"x": CHANCE.normal(size=rows).round(3), "kind": np.repeat(list("abc")[: len(counts)], counts)}
    )
    table.to_csv(tmp_path / "few.csv", index=False)
    told = "micrograde train data.path=few.csv data.target=kind" + needed
    assert line_of(run("data.path=few.csv", "data.target=kind")[1], "next") == told
    if min(counts) > 2:  # else no column of classes is likely
        assert line_of(run("data.path=few.csv")[1], "next") == told
    prepare_data(CsvTable(path=str(tmp_path / "few.csv"), target="kind", **typed(needed)), "float32")


def typed(needed):
    pairs = (each.removeprefix("data.").split("=") for each in needed.split())
    return {key: value != "false" if key == "stratify" else float(value) for key, value in pairs}
