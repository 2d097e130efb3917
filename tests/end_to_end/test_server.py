"""Recording to a tracking server that is there; `test_outages.py` has those that are not."""

import pytest
from tests.narrowing import not_none

pytestmark = pytest.mark.slow  # each of them runs commands


def test_a_run_goes_to_the_server_and_is_compared_there(user, server):
    from mlflow import MlflowClient

    to_server = ("tracking=server", f"tracking.uri={server.address}")
    done = user.run("train", "training.num_epochs=2", "seed=5", *to_server)
    client = MlflowClient(server.address)
    (run,) = client.search_runs([not_none(client.get_experiment_by_name("digits")).experiment_id])
    assert run.info.run_id in done.stdout
    assert (run.info.status, run.info.run_name) == ("FINISHED", "num_epochs=2 seed=5")
    assert [file.path for file in client.list_artifacts(run.info.run_id, "figures")] == [
        "figures/calibration.svg",
        "figures/confusion_matrix.svg",
        "figures/first_layer_weights.svg",
        "figures/gradient_flow.svg",
        "figures/greatest_losses.svg",
        "figures/histograms.svg",
        "figures/learning_curves.svg",
        "figures/loss_surface.svg",
        "figures/precision_recall.svg",
        "figures/roc_curves.svg",
        "figures/update_ratios.svg",
    ]
    assert user.runs() == []
    assert run.info.run_id[:8] in user.run("compare", *to_server).stdout


def test_what_stays_wrong_is_one_line(user, server):
    from mlflow import MlflowClient

    client = MlflowClient(server.address)
    client.delete_experiment(client.create_experiment("digits"))
    to_server = ("tracking=server", f"tracking.uri={server.address}")
    done = user.run("train", "training.num_epochs=1", *to_server, status=2)
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "experiment_name=digits: was deleted in the store; choose another name, or restore it"
    )
    assert "epoch" not in done.stdout  # it is said before anything is trained
    assert "Traceback" not in done.stdout
