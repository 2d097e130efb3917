"""A sweep whose jobs go to `sbatch`: a stand-in, which runs them on this machine."""

import os
import re
import sys
from pathlib import Path

import pytest

from micrograde.analysis import load_history, load_runs
from micrograde.store import local_store

STAND_IN = Path(__file__).with_name("slurm_stand_in.py")
SWEEP = (
    *("-m", "data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=3"),
    *("seed=range(6)", "optimizer.learning_rate=0.1,0.5", "experiment_name=slurm"),
)
ON_SLURM = (
    *("hydra/launcher=submitit_slurm", "hydra.launcher.partition=cpu", "hydra.launcher.timeout_min=60"),
    *("hydra.launcher.array_parallelism=2", "sweep.runs_per_job=3"),
)


@pytest.fixture
def slurm(tmp_path):
    """The environment in which `sbatch` is the stand-in."""
    programs, states = tmp_path / "programs", tmp_path / "states"
    for folder in (programs, states):
        folder.mkdir()
    for name in ("sbatch", "srun", "scontrol", "sacct"):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} {name} "$@"\n')
        program.chmod(0o755)
    return {"PATH": f"{programs}:{os.environ['PATH']}", "SLURM_STAND_IN": str(states)}


def numbers(user):
    runs = load_runs(local_store(user.home).tracking_uri, sweep="latest")
    history = load_history(local_store(user.home).tracking_uri, run_ids=list(runs["run_id"]))
    names = dict(zip(runs["run_id"], runs["run_name"], strict=True))
    return {
        names[run_id]: sorted(zip(part["metric"], part["step"], part["value"], strict=True))
        for run_id, part in history.groupby("run_id", observed=True)
    }


def test_an_array_of_jobs_trains_a_sweep_and_a_job_that_slurm_kills_is_one_failed_job(make_user, slurm):
    here, alone = make_user("here"), make_user("alone")
    here.environment |= {**slurm, "SLURM_STAND_IN_KILLS": "2"}
    done = here.run("train", *SWEEP, *ON_SLURM, status=1)
    assert "12 runs in 4 jobs for SlurmLauncher" in done.stdout
    assert "finished    9 of 12 runs; 3 lost: its job failed: " in done.stdout
    at_work = [int(path.read_text()) for path in Path(slurm["SLURM_STAND_IN"]).glob("*.at_work")]
    assert len(at_work) == 4
    assert max(at_work) <= 2
    del here.environment["SLURM_STAND_IN_KILLS"]
    assert "finished    12 of 12 runs, 9 of them from before" in here.run("train", *SWEEP, *ON_SLURM).stdout
    alone.run("train", *SWEEP)
    assert numbers(here) == numbers(alone)


def test_a_job_that_is_preempted_runs_again_and_one_that_is_cancelled_is_one_failed_job(make_user, slurm):
    here = make_user("here")
    here.environment |= {**slurm, "SLURM_STAND_IN_SIGNALS": "1:SIGUSR2 2:SIGKILL"}
    changed = {"training.num_epochs=3": "training.num_epochs=6000", "seed=range(6)": "seed=range(4)"}
    longer = [changed.get(each, each) for each in SWEEP]
    done = here.run("train", *longer, *ON_SLURM, status=1)
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("finished")]
    assert re.fullmatch(
        r"finished +6 of 8 runs; 2 lost: its job failed: job \d+_2 ended without a result \(CANCELLED\)", line
    )
    assert load_runs(local_store(here.home).tracking_uri, status="RUNNING").empty
    del here.environment["SLURM_STAND_IN_SIGNALS"]
    assert "finished    8 of 8 runs, 6 of them from before" in here.run("train", *longer, *ON_SLURM).stdout
