"""What a sweep leaves to be read says what its runs say, needs no network, and takes names from data for text."""

import html
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from micrograde.sweeps.report import write_sweep_report

RATE = "optimizer.learning_rate"
METRIC = "val/accuracy"


def sweep(rates=(0.1, 0.5), seeds=(0, 1, 2), **changed):
    """Runs and their history: accuracy grows with the rate and the seed; ``changed`` by row number."""
    rows = [
        {
            "run_id": f"{number:031x}f",
            "run_name": f"learning_rate={rate} seed={seed}",
            "status": "FINISHED",
            "duration": 1.0,
            RATE: rate,
            "seed": seed,
            METRIC: 0.5 + rate / 2 + seed / 100,
            "val/loss": 1 - rate,
            "tags.micrograde.reason": None,
        }
        for number, (rate, seed) in enumerate((rate, seed) for rate in rates for seed in seeds)
    ]
    for number, more in changed.items():
        rows[int(number.lstrip("r"))].update(more)
    history = pd.DataFrame(
        [
            {"run_id": row["run_id"], "metric": metric, "step": step, "value": row[metric] * step / 3}
            for row in rows
            for metric in (METRIC, "val/loss")
            for step in (1, 2, 3)
        ]
    )
    return pd.DataFrame(rows), history.astype({"run_id": "category", "metric": "category"})


def written(folder, runs, history, varies=(RATE, "seed"), title="learning_rate × seed", **more):
    report = write_sweep_report(folder, runs, history, title=title, varies=varies, metric=METRIC, **more)
    return report, (folder / "report.html").read_text(encoding="utf-8")


def test_the_best_setting_and_the_settings_over_seeds(tmp_path):
    runs, history = sweep()
    report, page = written(tmp_path, runs, history)
    assert report.best is not None
    assert (report.best.params, report.best.run_id) == ({RATE: 0.5}, runs.iloc[4]["run_id"])
    assert report.best.mean == pytest.approx(runs[METRIC][3:].mean())
    assert "The best setting: the highest mean val/accuracy" in page
    assert "learning_rate=0.5: val/accuracy 0.7600 ± 0.0248, mean of 3 runs, 95 % interval" in page
    assert "6 runs: 6 finished" in page
    settings = pd.read_csv(tmp_path / "over_seeds.csv").set_index(RATE)
    of_rate = runs.groupby(RATE)[METRIC]
    np.testing.assert_allclose(settings["mean"].sort_index(), of_rate.mean())
    np.testing.assert_allclose(settings["std"].sort_index(), of_rate.std())
    assert list(settings["count"]) == [3, 3]
    assert set(settings["run_ids"].loc[0.1].split()) == set(runs.loc[runs[RATE] == 0.1, "run_id"])
    summary = pd.read_csv(tmp_path / "summary.csv")
    assert sorted(summary["run_id"]) == sorted(runs["run_id"])
    assert summary[METRIC].is_monotonic_decreasing


def test_the_page_holds_all_it_shows(tmp_path):
    _, page = written(tmp_path, *sweep())
    assert len(list((tmp_path / "figures").iterdir())) == page.count("data:image/svg+xml;base64,") > 0
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "<script src" not in page


@pytest.mark.parametrize("wanted", ["svg", "pdf", "png"])
def test_its_pictures_are_files_in_the_format_that_is_asked_for(tmp_path, wanted):
    if wanted != "svg":
        pytest.importorskip("vl_convert")
    _, page = written(tmp_path, *sweep(), wanted=wanted)
    files = list((tmp_path / "figures").iterdir())
    assert {file.suffix for file in files} == {f".{wanted}"}
    assert len(files) == page.count("data:image/svg+xml;base64,") > 0


def test_the_run_in_the_middle_stands_there_with_its_own_pictures(tmp_path):
    runs, history = sweep()
    asked = []

    def pictures_of(run_id):
        asked.append(run_id)
        return [("figures/confusion_matrix.svg", b"<svg/>"), ("figures/learning_curves.pdf", b"%PDF")]

    _, page = written(tmp_path, runs, history, pictures_of=pictures_of)
    assert asked == [runs.iloc[4]["run_id"]]
    assert page.count("data:image/svg+xml;base64,") == 1 + len(list((tmp_path / "figures").iterdir()))
    assert "confusion matrix of the run in the middle" in page
    assert "learning curves of the run in the middle" not in page


def test_settings_stand_there_with_the_same_metric_on_the_test_part(tmp_path):
    runs, history = sweep()
    runs = runs.assign(
        **{"kept/val/accuracy": runs[METRIC], "kept/test/accuracy": 0.25, "test/accuracy": 0.75}
    )
    for metric, other, text in (
        ("kept/val/accuracy", "kept/test/accuracy", "0.2500 ± 0.0000"),
        ("val/accuracy", "test/accuracy", "0.7500 ± 0.0000"),
    ):
        write_sweep_report(tmp_path, runs, history, title="t", varies=(RATE, "seed"), metric=metric)
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        settings = page.partition("Settings, best mean")[2].partition("<h2>")[0]
        assert f"{other}</th>" in settings
        assert text in settings


def test_runs_that_did_not_finish_are_there_with_their_reason_and_are_never_the_best(tmp_path):
    failed = {"status": "FAILED", "tags.micrograde.reason": "the loss is nan at step 2", METRIC: 0.999}
    runs, history = sweep(r5=failed)
    report, page = written(tmp_path, runs, history)
    assert report.best is not None
    assert report.best.run_id == runs.iloc[3]["run_id"]
    assert report.best.counted == "mean of 2 of 3 runs"
    assert "the loss is nan at step 2" in page
    assert "6 runs: 5 finished, 1 did not" in page
    row = pd.read_csv(tmp_path / "summary.csv").set_index("run_id").loc[runs.iloc[5]["run_id"]]
    assert row["status"] == "FAILED"


def test_a_run_that_is_going_on_is_not_said_to_have_failed(tmp_path):
    failed = {"status": "FAILED", METRIC: np.nan}
    _, page = written(tmp_path, *sweep(r1={"status": "RUNNING"}, r5=failed))
    assert "6 runs: 4 finished, 1 did not, 1 going on" in page
    assert "Runs that did not finish (yet)" in page


def test_a_sweep_in_which_nothing_came_out_has_a_report_and_no_best_setting(tmp_path):
    failed = {"status": "FAILED", "tags.micrograde.reason": "it diverged", METRIC: np.nan, "val/loss": np.nan}
    runs, history = sweep(rates=(0.1,), seeds=(0, 1), r0=failed, r1=failed)
    report, page = written(tmp_path, runs, history.iloc[:0])
    assert report.best is None
    assert "it diverged" in page


@pytest.mark.parametrize("rates", [(0.1,), (0.1, 0.5), (1e300, 1e305)])
@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_any_shape_of_a_sweep_has_a_report(tmp_path, rates, seeds):
    runs, history = sweep(rates=rates, seeds=seeds)
    runs[METRIC] = 0.5
    varies = [name for name, values in ((RATE, rates), ("seed", seeds)) if len(values) > 1]
    report, _ = written(tmp_path, runs, history, varies=varies)
    assert report.best is not None
    assert report.best.mean == 0.5
    assert (tmp_path / "over_seeds.csv").exists() == (len(seeds) > 1)


def test_names_are_text_and_no_markup(tmp_path):
    runs, history = sweep(r0={"run_name": "<script>alert(1)</script>"})
    runs[RATE] = runs[RATE].astype(object)
    runs.loc[0, RATE] = "<img src=x>"
    _, page = written(tmp_path, runs, history, title="<b>title</b>")
    for markup in ("<script>alert", "<img src=x>", "<b>title"):
        assert markup not in page
    assert "&lt;b&gt;title" in page


@pytest.mark.parametrize(
    ("module", "broken", "left"),
    [
        ("drawing.sweep.by_parameter", "draw_metric_by_parameter", "figures/by_parameter.svg"),
        ("drawing.sweep.curves", "draw_sweep_curves", "figures/learning_curves.svg"),
        ("sweeps.report", "page", "report.html"),
        ("sweeps.report", "markdown", "report.md"),
        ("sweeps.report", "latex_table", "settings.tex"),
    ],
)
def test_a_picture_or_page_that_cannot_be_drawn_is_left_out_and_the_rest_is_there(
    tmp_path, monkeypatch, module, broken, left
):
    def fail(*_, **__):
        raise ValueError("math domain error")

    runs, history = sweep()
    monkeypatch.setattr(f"micrograde.{module}.{broken}", fail)
    report = write_sweep_report(tmp_path, runs, history, title="a", varies=(RATE, "seed"), metric=METRIC)
    assert report.left_out == (f"{left} is left out: it could not be drawn (ValueError: math domain error)",)
    assert report.best is not None
    there = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    everything = {f"figures/{name}.svg" for name in ("by_parameter", "learning_curves", "mean_curves")}
    everything |= {"report.html", "report.md", "settings.tex"}
    assert everything - there == {left}
    assert (report.page is None) == (left == "report.html")


def test_a_report_goes_from_the_question_to_the_runs_in_each_format(tmp_path):
    failed = {"status": "FAILED", "tags.micrograde.reason": "it diverged", METRIC: np.nan}
    _, page = written(tmp_path, *sweep(r5=failed))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [html.unescape(each) for each in re.findall("<h2>(.*?)</h2>", page)]
    assert [each.partition(":")[0].partition(",")[0] for each in headings] == [
        "The question", "The best setting", "Settings", f"{METRIC} against {RATE}",
        "Mean learning curves over the seeds", "Learning curves",
        "What to try next", "Runs that did not finish", "Runs",
    ]  # fmt: skip
    asked = "Which value of optimizer.learning_rate has the highest val/accuracy, on average over seed?"
    assert asked in text
    assert asked in page
    assert "| optimizer.learning_rate | 0.1, 0.5 |" in text
    files = re.findall(r"!\[[^\n]*\]\((\S+)\)", text)
    assert sorted(files) == sorted(f"figures/{file.name}" for file in (tmp_path / "figures").iterdir())
    assert "it diverged" in text


def test_what_mattered_is_a_picture_if_it_can_be_told(tmp_path):
    written(tmp_path / "told", *sweep())
    words = "".join(ElementTree.parse(tmp_path / "told" / "figures" / "importance.svg").getroot().itertext())
    assert f"{RATE} has 99 % of the variance of 6 runs" in words
    assert "What mattered for val/accuracy" in (tmp_path / "told" / "report.md").read_text()
    written(tmp_path / "untold", *sweep(r5={"status": "FAILED"}))
    assert not (tmp_path / "untold" / "figures" / "importance.svg").exists()


def test_the_settings_are_a_table_for_a_paper(tmp_path):
    runs, history = sweep(rates=(0, 1, 2))
    runs[RATE] = runs[RATE].map({0: "[8, 8]", 1: "50%_&", 2: "*"})
    runs[METRIC] = [0.5, 0.6, 0.7] * 3
    runs.loc[8, METRIC] = 0.9
    written(tmp_path, runs, history, title="rate × seed")
    lines = (tmp_path / "settings.tex").read_text(encoding="utf-8").splitlines()
    assert [line.strip() for line in lines if line.strip() in (r"\toprule", r"\midrule", r"\bottomrule")]
    assert r"  \caption{rate $\times$ seed. Settings, best mean val/accuracy first: " in "\n".join(lines)
    header = next(line for line in lines if line.endswith(r"\\"))
    assert header.strip() == (r"optimizer.learning\_rate & runs & val/accuracy & 95 \% interval & verdict \\")
    rows = [line.strip() for line in lines if line.endswith(r"\\")][1:]
    assert [row.partition(" &")[0] for row in rows] == ["{*}", r"50\%\_\&", r"{[}8, 8{]}"]
    assert r"& $3$ & $0.6667 \pm 0.2082$ &" in rows[0]
    assert r"  \begin{tabular}{lrrll}" in lines


def test_without_anything_varied_there_is_no_table_of_settings(tmp_path):
    runs, history = sweep(rates=(0.1,), seeds=(0,))
    written(tmp_path, runs, history, varies=())
    assert not (tmp_path / "settings.tex").exists()
    assert "What is val/accuracy?" in (tmp_path / "report.md").read_text()


def test_settings_have_a_verdict_and_the_report_says_what_fresh_seeds_reached(tmp_path):
    runs, history = sweep(rates=(0.1, 0.3, 0.5), r8={METRIC: 0.7635})
    runs["test/accuracy"] = runs[METRIC]
    retests = pd.DataFrame(
        {
            RATE: [0.5],
            "metric": ["test/accuracy"],
            "count": [20],
            "failed": [1],
            "mean": [0.7412],
            "std": [0.02],
            "ci_low": [0.7318],
            "ci_high": [0.7506],
            "sweep_mean": [0.76],
            "sweep_count": [3],
            "winner": [0.7711],
        }
    )
    report, page = written(tmp_path, runs, history, retests=retests)
    assert report.compared is not None
    words = report.compared["words"].tolist()
    assert words[0] == "the best"
    assert words[1].startswith("worse by 0.09")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    for document in (html.unescape(page), text):
        assert all(each in document for each in words)
        assert "The result on fresh seeds" in document
        assert "0.7318 to 0.7506" in document
        assert "0.7711" in document
        assert "sweep.retest" not in document  # what has been done is not advised
    assert "worse by" in (tmp_path / "settings.tex").read_text(encoding="utf-8")


def test_the_rows_that_were_held_out_are_listed_most_missed_first(tmp_path):
    rows = pd.DataFrame(
        {
            "row": range(40, 0, -1),
            "true": "a",
            "tested": 5,
            "missed": [1.0] * 3 + [0.0] * 37,
            "predicted": "b",
        }
    )
    _, page = written(tmp_path, *sweep(), held_out=rows)
    assert "Each of 40 rows was tested by runs that had not learned it." in page
    listed = page[page.index("Rows that were held out") : page.index("Runs, best")]
    assert listed.count("<tr>") == 1 + 20
    assert listed.index(">40<") < listed.index(">21<")


def test_numbers_of_rows_that_were_held_out_are_in_their_own_unit(tmp_path):
    rows = pd.DataFrame(
        {
            "row": [7],
            "true": [149294.0],
            "tested": 1,
            "predicted": [179914.4],
            "residual": [-30620.4],
            "loss": [0.2],
        }
    )
    _, page = written(tmp_path, *sweep(), held_out=rows)
    assert all(f">{text}<" in page for text in ("149294", "179914", "-30620", "0.2"))


def test_a_report_says_what_the_sweep_leaves_open(tmp_path):
    runs, history = sweep(rates=(0.1, 0.3, 0.5), r0={"status": "FAILED"})
    runs["test/accuracy"] = runs[METRIC]
    _, page = written(tmp_path, runs, history)
    page = html.unescape(page)
    assert "What to try next" in page
    assert "1 run has not finished" in page
    assert "The best optimizer.learning_rate, 0.5, is the largest that was tried" in page
    assert "give the same command with sweep.retest=20" in page
