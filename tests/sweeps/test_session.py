"""What a sweep makes of runs in the store that are there twice."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from micrograde import tags
from micrograde.analysis import load_runs
from micrograde.sweeps.identity import SweepIdentity
from micrograde.sweeps.session import Sweep
from micrograde.tracking import WriterProcess, local_store

CONF = Path(__file__).parents[2] / "conf"


def test_of_a_job_that_was_run_again_the_broken_attempt_is_left_out(home, monkeypatch):
    from mlflow import MlflowClient

    monkeypatch.setenv("MICROGRADE_HOME", str(home))
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = OmegaConf.to_container(compose("train"), resolve=True)
    sweep = Sweep(SweepIdentity(("seed",), {"seed": "1,2"}, "d" * 64), composed, WriterProcess())
    sweep.begin([])
    parent = sweep.parent_run_id()
    client = MlflowClient(local_store(home).tracking_uri)
    experiment = client.get_run(parent).info.experiment_id

    def run(digest, status):
        made = client.create_run(experiment, tags={tags.PARENT: parent, tags.CONFIG_DIGEST: digest})
        if status != "RUNNING":
            client.set_terminated(made.info.run_id, status)
        return made.info.run_id

    run("twice", "RUNNING")
    kept = [run("twice", "FINISHED"), run("once", "FINISHED"), run("lost", "KILLED")]
    sweep.supersede_repeated()
    sweep.parent_run_id()  # waits for the store
    assert set(load_runs(local_store(home).tracking_uri, sweep=parent)["run_id"]) == set(kept)
    sweep.abort(RuntimeError())
