"""What a search is told of its jobs, and which run is the best where some have no number to compare."""

import math

import pytest
from hydra.core.utils import JobStatus

from micrograde.core.errors import RunFailedError
from micrograde.runs.progress import RunsWatch
from micrograde.sweeps.launching import returned, runs_per_job
from micrograde.sweeps.state import Outcome


@pytest.mark.parametrize("value", [0.25, 0.0, -1.0])
def test_a_finished_job_returns_its_objective(value):
    job = returned(["a=1"], Outcome("FINISHED", value), "val/loss")
    assert (job.status, job.return_value) == (JobStatus.COMPLETED, value)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome("FINISHED", math.nan), "its val/loss is nan"),
        (Outcome("FINISHED", math.inf), "its val/loss is inf"),
        (Outcome("FINISHED", None), "its val/loss is None"),
        (Outcome("FAILED", 0.5, "the loss is nan"), "the loss is nan"),
        (Outcome("KILLED"), "stopped with Ctrl-C"),
    ],
)
def test_a_job_without_a_number_returns_why(outcome, why):
    job = returned(["a=1"], outcome, "val/loss")
    assert job.status == JobStatus.FAILED
    with pytest.raises(RunFailedError, match=why):
        _ = job.return_value


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("values", [[math.nan, 0.3], [0.3, math.nan], [math.nan, 0.3, math.nan]])
def test_a_run_whose_metric_is_nan_is_not_the_best(ascending, values):
    names = [f"seed={number}" for number in range(len(values))]
    watch = RunsWatch(names, [1] * len(names), "val/loss", ascending, lambda *_: None, on_terminal=False)
    for place, value in enumerate(values):
        watch.run_ended(place, "FINISHED", {"val/loss": value})
    assert watch.best is not None
    assert (watch.best.value, watch.best.name) == (0.3, f"seed={values.index(0.3)}")


@pytest.mark.parametrize(
    ("runs", "at_once", "size"),
    [
        (1000, 2, 250),
        (1001, 2, 251),
        (60, 2, 30),
        (80, 2, 32),
        (60, 64, 4),
        (1000, None, 32),
        (60, None, 16),
        (1000, 64, 16),
        (10_000, 2, 256),
        (1, 1, 4),
    ],
)
def test_a_job_is_as_large_as_gives_each_place_some(runs, at_once, size):
    """But no job is so small that it takes longer to begin than to train, nor so large that much is lost with it."""
    assert runs_per_job(runs, at_once) == size
