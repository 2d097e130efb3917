"""What a model's card says is what the run has recorded, and nothing of the data is markup in it."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from tests.recipes import with_keys

import micrograde as mg
import micrograde.runs.train as train_module
from micrograde.config.parsing import parse_train_config
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.store.mlmodel import CARD, RUN_ID
from micrograde.tracking.run_recorder import NullRecorder

MARKDOWN = MarkdownIt("commonmark").enable("table")


@pytest.fixture(autouse=True)
def _here(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("MICROGRADE_HOME", str(home))


def messy(rows=200, columns=3):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a|b": random.normal(size=rows), "`x` <b>": random.choice(["u|v", "<i>"], rows)})
    frame = frame.assign(**{f"column {number}": random.normal(size=rows) for number in range(columns)})
    frame["x" * 300] = random.normal(size=rows)
    frame["RUN_ID"] = [f"text number {number} of many" for number in range(rows)]
    frame["kind *of"] = np.where(frame["a|b"] > 0.8, "yes\n- no", "[no](http://a.b)")
    return frame


def card_of(run):
    (path,) = run.location.folder.rglob(f"{run.run_id}/artifacts/model/{CARD}")
    return path.read_text(encoding="utf-8")


def tables(card):
    """Return the cells of each table, row by row, by the title of its section."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for token, after in pairwise(MARKDOWN.parse(card)):
        if token.type == "heading_open":
            title = after.content
        elif token.type == "table_open":
            found[title] = []
        elif token.type == "tr_open":
            found[title].append([])
        elif token.type in ("th_open", "td_open"):
            found[title][-1].append("".join(child.content for child in after.children or ()))
    return found


def test_it_says_what_the_run_has_recorded():
    run = mg.run(messy(), target="kind *of", num_epochs=3, seed=1)
    card = card_of(run)
    found = tables(card)
    assert RUN_ID not in card
    assert f"micrograde predict run_id={run.run_id} " in card
    assert f'"runs:/{run.run_id}/model"' in card
    assert f"weights of epoch {run.metrics['kept/epoch']:.0f} of {len(run.history)}" in card
    header, *rows = found["Metrics"]
    parts = {"training": "train", "validation": "val", "test": "test"}
    assert header[1:] == list(parts)
    for name, *values in rows:
        for title, value in zip(header[1:], values, strict=True):
            recorded = run.metrics[f"kept/{parts[title]}/{name.replace(' ', '_')}"]
            assert value == f"{recorded:.4f}", (name, title)
    assert {"accuracy", "baseline accuracy", "loss", "roc auc"} <= {name for name, *_ in rows}
    header, *rows = found["Classes"]
    counts = run.predictions.groupby(["true", "part"]).size()
    for (name, *values), true in zip(rows, ["[no](http://a.b)", "yes\n- no"], strict=True):
        assert name == repr(true)
        assert list(map(int, values[:3])) == [counts[true, part] for part in parts.values()]
    assert header[1:4] == ["rows (training)", "rows (validation)", "rows (test)"]
    assert header[4:] == ["precision (test)", "recall (test)"]
    columns = {name: role for name, role, *_ in found["Columns"][1:]}
    assert columns["'a|b'"] == "number"
    assert columns["'`x` <b>'"] == "category"
    assert columns["'RUN_ID'"] == "text"
    assert columns["'kind *of'"] == "target"
    importances = [name for name, *_ in found["What the columns do"][1:]]
    assert importances[0] == repr(run.importances["column"][0])


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Train a recipe without a store, and return its result and its card; "" if it has none."""

    def train(frame=None, *, name="a run", **changes):
        folder = tmp_path / f"run {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        monkeypatch.setattr(NullRecorder, "run_folder", lambda *_: folder)
        monkeypatch.setattr(train_module, "open_recorder", lambda *_: NullRecorder())
        recipe = {
            "data": {"name": "moons", "samples": 90},
            "model": {"hidden_size": 4},
            "optimizer": {"name": "sgd"},
            "schedule": {"name": "constant"},
            "training": {"num_epochs": 1},
            "tracking": {"name": "local"},
            "run": {"name": name},
            "recipe_version": RECIPE_VERSION,
        }
        if frame is not None:
            frame.to_csv(tmp_path / "table.csv", index=False)
            recipe["data"] = {"name": "csv", "path": str(tmp_path / "table.csv"), "target": "kind *of"}
        (result,) = train_module.train_and_record([parse_train_config(with_keys(recipe, changes))])
        card = folder / "model" / CARD
        return result, card.read_text(encoding="utf-8") if card.exists() else ""

    return train


def test_nothing_in_it_is_markup_of_the_data(trained):
    _, card = trained(messy(), name="# *a* <b> | - c")
    tokens = MARKDOWN.parse(card)
    kinds = {each.type for each in tokens}
    kinds |= {child.type for each in tokens for child in each.children or ()}
    assert not {kind for kind in kinds if re.search("html|link|image|^em_|strong", kind)}
    pairs = pairwise(tokens)
    title, *titles = [after.content for token, after in pairs if token.type == "heading_open"]
    assert "Model card: " in title
    assert titles == [
        "Data", "Columns", "Classes", "Metrics", "Findings", "What the columns do", "How to use it", "Recipe",
    ]  # fmt: skip


def test_many_columns_and_classes_are_cut_and_counted(trained):
    frame = messy(rows=600, columns=60)
    _, card = trained(frame.assign(**{"kind *of": [f"class {number % 60}" for number in range(600)]}))
    found = tables(card)
    assert len(found["Columns"]) == len(found["Classes"]) == 51
    assert f"\nand {len(frame.columns) - 50} more, which stand in data/columns.csv of the run.\n" in card
    assert f"\nand {60 - 50} more.\n" in card


DRAWN = "rows of the validation and the test part drawn at random (data.seed=0)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, f"{DRAWN}; each class in about the same share in all drawn parts (data.stratify=true)"),
        ({"data.stratify": False}, DRAWN),
        (
            {"data.validation_fraction": 0.0, "data.seed": 4, "data.stratify": False},
            "rows of the test part drawn at random (data.seed=4); no validation part",
        ),
        ({"data.validation_fraction": 0.0, "data.test_fraction": 0.0}, "no validation part; no test part"),
    ],
)
def test_it_says_how_rows_came_into_the_parts(trained, changes, said):
    assert f"\n- split: {said}\n" in trained(**changes)[1]


def test_it_says_how_groups_and_times_came_into_the_parts(trained):
    frame = messy().assign(who=[number // 5 for number in range(200)])
    frame["when"] = pd.date_range("2024-01-01", periods=200).astype(str)
    _, grouped = trained(frame, **{"data.group": "who", "data.stratify": False})
    assert f"\n- split: whole groups{DRAWN.removeprefix('rows')}\n" in grouped
    _, timed = trained(frame, **{"data.time": "when"})
    assert "\n- split: the validation and the test part by time, the newest rows\n" in timed
    (frame_of_test := frame[150:]).to_csv("test.csv", index=False)
    _, own = trained(frame[:150], **{"data.test_path": "test.csv", "data.stratify": False})
    assert "\n- split: the test part is the source's own; rows of the validation part drawn at random" in own
    assert f"test {len(frame_of_test)} rows\n" in own


def test_findings_stand_in_it(trained):
    result, card = trained(**{"optimizer.learning_rate": 1e-6, "training.num_epochs": 20})
    assert result.findings
    section = card.partition("## Findings\n\n")[2].partition("\n\n##")[0]
    assert len(section.splitlines()) == len(result.findings)
    sound = trained(**{"training.num_epochs": 20})
    assert sound[0].findings or "\nNone: no rule found anything" in sound[1]


def test_a_run_that_did_not_finish_has_none(trained):
    changes = {"optimizer.learning_rate": 1e300, "training.num_epochs": 9}
    result, card = trained(**changes)
    assert (result.status, card) == ("FAILED", "")


def test_a_store_that_names_no_run_leaves_what_stands_for_its_id(trained):
    assert f"run_id={RUN_ID} " in trained()[1]
