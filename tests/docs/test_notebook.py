"""The notebook of the tutorial, executed in a kernel of its own."""

import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial" / "notebook.ipynb"


@pytest.mark.slow
def test_each_cell_runs_and_training_has_one_output_that_is_updated(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.create_kernel_manager().kernel_spec.argv[0] = sys.executable
    client.execute()
    html = [
        [each.data.get("text/html", "") for each in cell.outputs if "data" in each]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    _, run, sweep, comparison, prediction = html
    (progress,) = [each for each in run if "<progress" in each]
    assert "FINISHED" in progress
    assert "epoch 20/20" in progress
    assert sum("<img" in each for each in run) == 1  # the curves are the run's alone at the end
    (counts,) = [each for each in sweep if "<progress" in each]
    assert "done 4/4" in counts
    assert "learning_rate" in comparison[-1]
    assert "probability_setosa" in prediction[-1]
