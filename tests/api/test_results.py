"""What Python shows: a mistake as one line, a run and a sweep as a cell of Jupyter, all names in ``dir``."""

import base64
import re

import numpy as np
import pandas as pd
import pytest

import micrograde as mg
from micrograde.api.results import Figure, Run, Sweep
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.interrupts import interrupt_in_one_line
from micrograde.store import TrackingError, local_store, tags

ID = "3cf88ee7" * 4
HOSTILE = "<script>alert(1)</script>"
SVG = Figure("image/svg+xml", f"<svg>{HOSTILE}</svg>".encode())


def a_run(**given):
    about = {
        "name": f"seed=1 {HOSTILE}",
        "status": "FINISHED",
        "reason": None,
        "params": {},
        "metrics": {"val/accuracy": 0.75, "val/loss": 0.123456, "train/loss": 0.5},
        "history": pd.DataFrame({"val/loss": [1.0, 0.123456]}),
        "findings": ("the loss still falls", f"a class is never predicted: {HOSTILE}"),
        "run_id": ID,
    }
    run = Run(**{**about, **given})
    run.__dict__["figures"] = dict.fromkeys(("histograms", "learning_curves", "confusion_matrix"), SVG)
    return run


def test_every_name_there_is_stands_in_dir_and_no_helper():
    shown = set(dir(mg))
    assert set(mg.__all__) <= shown
    assert {"run", "sweep", "compare", "Run", "Sweep", "MLPClassifier"} <= shown
    assert not {"sys", "Any", "TYPE_CHECKING", "import_module", "draw_svg", "ModuleType"} & shown
    assert all(hasattr(mg, name) for name in shown)


@pytest.mark.parametrize(
    ("call", "given", "what"),
    [
        (mg.run, (np.zeros((150, 4)), np.zeros(150)), "every row is of class '0'"),
        (mg.run, ("data=moons", np.zeros((150, 4))), r"a value of type ndarray: .* mg.run\(X, y, ...\)"),
        (mg.sweep, (pd.DataFrame({"x": range(999)}), "y"), "y: is no override; .* target='y'"),
        (mg.run, ("data=moons", {"seed": 1}), "a value of type dict: "),
        (mg.run, (["data=moons"],), r"a value of type list: .* mg.run\(\*overrides\)"),
        (mg.run, (None,), "None: should be text such as data=moons"),
        (mg.compare, (np.zeros(99), "latest"), "a value of type ndarray: names no run"),
        (mg.Run.load, (b"3cf88ee7",), "a value of type bytes: names no run"),
        (mg.Sweep.load, (602036,), "602036: names no run; give an id as text"),
    ],
)
def test_what_is_no_text_gives_one_short_line_without_its_values(call, given, what, home, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    with pytest.raises(InputError, match=what) as caught:
        call(*given)
    assert len(str(caught.value)) < 160
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [InputError, RunFailedError, TrackingError])
def test_in_jupyter_a_mistake_is_one_line(kind, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(kind) as caught:
        raise kind("seeds=1: there is no such key")
    assert caught.value._render_traceback_() == [f"{kind.__name__}: seeds=1: there is no such key"]
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert "test_in_jupyter_a_mistake_is_one_line" in "\n".join(caught.value._render_traceback_())


def test_in_jupyter_an_interrupt_is_one_line_and_still_a_keyboard_interrupt(monkeypatch):
    def interrupted():
        with interrupt_in_one_line():
            raise KeyboardInterrupt

    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted()
    assert type(caught.value) is KeyboardInterrupt
    assert vars(caught.value)["_render_traceback_"]() == ["KeyboardInterrupt"]
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted()
    assert not hasattr(caught.value, "_render_traceback_")


def pictures(html):
    found = re.findall(r'<img alt="(\w+)" src="data:image/svg\+xml;base64,([^"]+)"', html)
    return {name: base64.b64decode(content) for name, content in found}


def test_a_run_shows_its_numbers_findings_and_pictures_and_what_is_in_them_is_no_html():
    html = a_run()._repr_html_()
    assert pictures(html) == {"learning_curves": SVG.content, "confusion_matrix": SVG.content}
    assert "histograms" in html
    assert "0.7500" in html
    assert "0.1235" in html
    assert "the loss still falls" in html
    assert "FINISHED after 2 epochs" in html
    assert "<script" not in html
    bundle = a_run()._repr_mimebundle_()
    assert bundle["text/html"] == html
    assert bundle["text/plain"].splitlines()[1] == "  the loss still falls"


def test_a_run_shows_every_metric_that_it_measured():
    metrics = {
        "train/loss": 0.5,
        "train/error_rate": 0.25,
        "val/error_rate": 0.125,
        "train/learning_rate": 0.3,
    }
    html = a_run(metrics=metrics)._repr_html_()
    assert "<th>error_rate</th>" in html
    assert "0.1250" in html
    assert "learning_rate" not in html


def test_a_run_that_failed_says_why():
    html = a_run(status="FAILED", reason="the loss became NaN at step 3", metrics={})._repr_html_()
    assert "FAILED: the loss became NaN at step 3" in html


def test_a_sweep_shows_its_best_runs_findings_failures_and_pictures(home):
    count = 30
    runs = pd.DataFrame(
        {
            "run_id": [f"{number:032x}" for number in range(count)],
            "run_name": [f"seed={number} {HOSTILE}" for number in range(count)],
            "experiment_name": "moons",
            "status": ["FINISHED"] * 20 + ["FAILED"] * 10,
            "duration": 1.0,
            "seed": range(count),
            "val/accuracy": np.linspace(1, 0, count),
            f"tags.{tags.REASON}": [None] * 20 + ["the loss became NaN"] * 10,
        }
    )
    location = local_store(home)
    sweep = Sweep(ID, "seed", "FINISHED", "val/accuracy", "auto", ("seed",), runs, location)
    sweep.__dict__["best"] = a_run()
    sweep.__dict__["figures"] = dict.fromkeys(("by_parameter", "learning_curves", "other"), SVG)
    html = sweep._repr_html_()
    assert "20 FINISHED, 10 FAILED" in html
    assert html.count("<tr") == 11
    assert "the first 10, best val/accuracy first" in html
    assert "run in the middle: the loss still falls" in html
    assert html.count("failed: seed=") == 5
    assert "and 5 more failed" in html
    assert set(pictures(html)) == {"by_parameter", "learning_curves"}
    assert "<script" not in html
    text = sweep._repr_mimebundle_()["text/plain"].splitlines()
    assert text[1].startswith("  best: val/accuracy 0.6724 ± ")
    assert text[3] == "  run in the middle: the loss still falls"
    assert text[-1] == "  and 5 more failed"
    empty = Sweep(ID, "seed", "KILLED", "val/accuracy", "auto", ("seed",), runs.head(0), location)
    empty.__dict__["figures"], empty.__dict__["best"] = {}, None
    assert "no runs" in empty._repr_html_()
