"""An output of a cell that is updated in place."""

import signal

import IPython.display
import pytest

from micrograde.core.notebook import CellOutput


def test_an_output_that_is_shown_while_ctrl_c_comes_is_not_shown_twice(monkeypatch):
    displays, updates = [], []

    class Handle:
        def update(self, bundle, **_):
            updates.append(bundle["text/plain"])

    def display(bundle, **_):
        displays.append(bundle["text/plain"])
        signal.raise_signal(signal.SIGINT)
        return Handle()

    monkeypatch.setattr(IPython.display, "display", display)
    output = CellOutput()
    with pytest.raises(KeyboardInterrupt):
        output.show("epoch 1", "<p>epoch 1</p>")
    output.show("KILLED  epoch 1", "<p>KILLED</p>")
    assert (displays, updates) == (["epoch 1"], ["KILLED  epoch 1"])
