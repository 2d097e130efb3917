import sys
import time
import types

import pytest

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

    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    return sent


def test_a_run_is_one_output_that_ends_with_its_status(shown, capsys):
    with watch_epochs("<b>x</b>", 100) as watch:
        for epoch in range(1, 51):
            watch.epoch_ended(0, epoch, VALUES)
        watch.run_ended(0, "KILLED", VALUES)
    kinds = [kind for kind, _ in shown]
    assert kinds == ["new", "update"]  # less than a quarter of a second has passed
    first, last = (bundle["text/html"] for _, bundle in shown)
    assert "image/svg+xml" in first
    assert "<img" not in last
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
            time.sleep(0.3)
            watch._show_now_and_then()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [kind for kind, _ in shown] == ["new", "update"]
    assert "done 1/2" in shown[-1][1]["text/plain"]
    assert "killed 1" in shown[-1][1]["text/plain"]


def test_elsewhere_there_is_no_notebook():
    assert not notebook_progress.in_notebook()
