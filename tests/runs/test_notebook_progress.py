import base64
import re
import sys
import time
import types

import pytest

from micrograde.core import working as working_module
from micrograde.core.notebook import in_notebook
from micrograde.core.working import working
from micrograde.runs import notebook_progress
from micrograde.runs.progress import watch_epochs, watch_runs

VALUES = {"train/loss": 0.5, "train/accuracy": 0.8, "val/loss": 0.6, "val/accuracy": 0.7}


@pytest.fixture
def shown(monkeypatch):
    """What a front end was sent: whether it is a new output, and its media."""
    sent = []

    class Handle:
        def update(self, bundle, raw):
            assert raw
            sent.append(("update", bundle))

    def display(bundle, raw, display_id):
        assert raw
        assert display_id is True
        sent.append(("new", bundle))
        return Handle()

    shell = types.SimpleNamespace(kernel=object(), execution_count=1)
    monkeypatch.setattr(working_module, "_in_cells", {})
    monkeypatch.setattr(notebook_progress, "_shown_last", None)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    return sent


def test_a_run_is_one_output_that_ends_with_its_status(shown, capsys):
    with watch_epochs("<b>x</b>", 100) as watch:
        for epoch in range(1, 51):
            watch.epoch_ended(0, epoch, VALUES)
        watch.run_ended(0, "KILLED", VALUES)
    kinds = [kind for kind, _ in shown]
    assert kinds[0] == "new"
    assert set(kinds[1:]) == {"update"}
    assert len(kinds) < 50
    first, last = shown[0][1]["text/html"], shown[-1][1]["text/html"]
    assert "image/svg+xml" in first
    assert "image/svg+xml" in last
    assert 'value="0.5000"' in last
    assert "KILLED  epoch  50/100" in last
    assert "&lt;b&gt;x" in last
    assert "<b>x" not in last
    assert capsys.readouterr() == ("", "")


def test_a_sweep_ends_with_its_counts_even_if_it_is_interrupted(shown):
    def interrupted():
        with watch_runs(["a", "b"], [3, 3], title="t", metric="val/accuracy", ascending=False) as watch:
            watch.epoch_ended(0, 1, VALUES)
            watch.run_ended(0, "FINISHED", VALUES)
            watch.epoch_ended(1, 1, VALUES)
            watch.run_ended(1, "KILLED", VALUES)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [kind for kind, _ in shown].count("new") == 1
    assert "done 1/2" in shown[-1][1]["text/plain"]
    assert "killed 1" in shown[-1][1]["text/plain"]
    picture = picture_in(shown[-1][1])
    assert picture.count("<title>run ") == 2
    assert "val/accuracy" in picture


def picture_in(bundle):
    (content,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', bundle["text/html"])
    return base64.b64decode(content).decode()


def test_a_sweep_shows_the_curves_of_its_first_runs_and_of_the_best(shown):
    names = [f"seed={seed}" for seed in range(60)]
    with watch_runs(names, [3] * 60, title="t", metric="val/accuracy", ascending=False) as watch:
        for epoch in (1, 2, 3):
            for place in range(60):
                watch.epoch_ended(place, epoch, {**VALUES, "val/accuracy": place / 100})
        for place in range(60):
            watch.run_ended(place, "FINISHED", {**VALUES, "val/accuracy": place / 100})
    picture = picture_in(shown[-1][1])
    assert picture.count("<title>run ") == 51
    assert "51 of 60 runs" in picture
    assert "best so far" in picture


def test_a_metric_that_is_measured_at_the_end_alone_has_the_loss_drawn(shown):
    with watch_runs(["a"], [2], title="t", metric="test/accuracy", ascending=False) as watch:
        watch.epoch_ended(0, 1, VALUES)
        watch.epoch_ended(0, 2, VALUES)
    assert "val/loss" in picture_in(shown[-1][1])


def test_the_curves_of_a_resumed_run_begin_where_it_goes_on(shown):
    with watch_epochs("x", 10) as watch:
        watch.epoch_ended(0, 9, {"train/loss": 0.5})
        watch.epoch_ended(0, 10, {"train/loss": 0.4})
    assert "lowest training loss 0.4, epoch 10" in picture_in(shown[-1][1])


def test_what_the_run_itself_shows_takes_over_its_curves_in_the_same_cell(shown, monkeypatch):
    for cell, takes_over in ((1, True), (2, False)):
        with watch_epochs("x", 3) as watch:
            watch.epoch_ended(0, 1, VALUES)
        notebook_progress.leave_curves_to("another")
        monkeypatch.setattr(sys.modules["IPython"].get_ipython(), "execution_count", cell)
        notebook_progress.leave_curves_to("x")
        assert ("<img" not in shown[-1][1]["text/html"]) is takes_over


def test_updates_take_a_hundredth_of_the_time_however_long_one_takes(shown, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def draw():
        nonlocal now
        now += 0.1
        return "<svg/>"

    output = notebook_progress.NotebookOutput("x", draw)
    for _ in range(1000):
        now += 0.1
        output.show(0.5, "y")
    assert 9 <= len(shown) <= 11


def test_nothing_is_shown_of_what_did_not_begin(shown):
    with watch_epochs("x", 10):
        pass
    assert shown == []


def test_work_that_takes_long_is_announced_in_one_output_that_is_emptied(shown, monkeypatch, capsys):
    monkeypatch.setattr(working_module, "MOMENT", 0.0)
    for what in ("reading <b>", "recording"):
        with working(what):
            end = time.monotonic() + 10
            while not shown or shown[-1][1]["text/plain"] != f"{what} ...":
                assert time.monotonic() < end
                time.sleep(0.001)
    assert [kind for kind, _ in shown] == ["new", "update", "update", "update"]
    assert "&lt;b&gt;" in shown[0][1]["text/html"]
    assert shown[-1][1] == {"text/plain": "", "text/html": ""}
    assert capsys.readouterr() == ("", "")


def test_elsewhere_there_is_no_notebook():
    assert not in_notebook()
