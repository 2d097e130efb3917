"""Jupyter's interrupt button: what was training ends as KILLED, in a line at most, and the kernel goes on."""

import os
import queue
import sqlite3
import sys
import time
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

MODERATE = 120  # seconds until what has not come is given up


class Kernel:
    """A kernel of this interpreter."""

    def __init__(self, manager):
        self.manager, self.client = manager, manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(MODERATE)

    def execute(self, code, *interrupt_after):
        """Execute a cell, and interrupt it after each text that it shows; what it shows in the end."""
        cell, waiting = self.client.execute(code), list(interrupt_after)
        shown: dict[str, Any] = {}
        deadline = time.monotonic() + MODERATE
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != cell:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                assert not waiting, shown
                return shown
            output = content.get("transient", {}).get("display_id") or content.get("name") or kind
            text = content.get("text") or content.get("data", {}).get("text/plain") or ""
            shown[output] = (
                shown.get(output, "") + text if kind == "stream" else content.get("traceback", text)
            )
            if waiting and waiting[0] in text:
                waiting.pop(0)
                self.manager.interrupt_kernel()
        pytest.fail(f"{code} goes on: {shown}")


@pytest.fixture
def kernel(tmp_path):
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(env={**os.environ, "MICROGRADE_HOME": str(tmp_path)})
    try:
        yield Kernel(manager)
    finally:
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_what_is_interrupted_is_killed_in_a_line_at_most_and_the_next_run_trains(kernel, tmp_path):
    long = "'data=moons', 'training.num_epochs=1000000', 'tracking.pictures=auto'"
    shown = kernel.execute("import micrograde as mg")
    assert "error" not in shown

    shown = kernel.execute(f"mg.run({long})", "epoch")
    assert "error" not in shown
    assert "KILLED" in shown["execute_result"]
    (progress,) = [text for text in shown.values() if "epoch" in text and "KILLED  epoch" in text]
    assert "data=moons" in progress

    shown = kernel.execute(f"mg.sweep({long}, seed=range(2))", "running", "interrupt again")
    assert "error" not in shown
    assert "2 KILLED" in shown["execute_result"]
    assert any("killed 2" in text for text in shown.values())

    shown = kernel.execute("mg.fit([[0.0], [1.0]] * 9, [0, 1] * 9, num_epochs=1000000)", "epoch")
    assert shown.pop("error") == ["KeyboardInterrupt"]
    (progress,) = [text for text in shown.values() if "epoch" in text]
    assert progress.startswith("mg.fit  KILLED  epoch")

    shown = kernel.execute("mg.run('data=moons', 'training.num_epochs=2')")
    assert "FINISHED" in shown["execute_result"]
    with sqlite3.connect(tmp_path / "mlruns" / "mlflow.db") as store:
        statuses = [status for (status,) in store.execute("select status from runs")]
    assert sorted(statuses) == ["FINISHED", *["KILLED"] * 4]
