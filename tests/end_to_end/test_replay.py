"""A recorded run comes out again, value by value; and if it does not, what has changed is said."""

import os
import signal
import sqlite3

import pytest

from micrograde.metrics import PARTS, part_of

pytestmark = pytest.mark.slow  # each of them runs commands


def only_run(user):
    (run,) = user.runs()
    return run


def recipe_of(user, run):
    return user.artifacts(run) / "config" / "config.yaml"


def test_the_default_run_is_identical(user):
    user.run("train")
    run = only_run(user)
    before = user.files()
    done = user.run("replay", f"run_id={run.info.run_id[:8]}")
    lines = done.stdout.splitlines()
    assert "identical   1342 values of 117 metrics, bit for bit" in lines
    parts = {f"kept/{part}/*" for part in ("train", "val", "test")}
    for metric in {name for name in run.data.metrics if part_of(name) in ("", *PARTS)} | parts:
        assert any(line.startswith(f"{metric} ") and line.endswith("identical") for line in lines)
    assert [path for path in user.files() if path not in before] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("experiment=notebook",),
        ("data=circles", "training.early_stopping.enabled=true", "training.early_stopping.patience=2"),
        ("data=moons", "model.batch_norm=false", "optimizer.learning_rate=1e30", "model.activation=relu"),
        ("data=wine", "optimizer=adam", "training.label_noise=0.2", "schedule=step", "training.num_epochs=7"),
        ("training.class_weights={1: 3}", "training.label_smoothing=0.1", "training.label_noise=0.1"),
    ],
    ids=["notebook", "early stopping", "diverged", "label noise", "weights"],
)
def test_every_kind_of_run_is_identical(user, arguments):
    fails = "optimizer.learning_rate=1e30" in arguments
    user.run("train", *arguments, status=1 if fails else 0)
    run = only_run(user)
    assert run.info.status == ("FAILED" if fails else "FINISHED")
    done = user.run("replay", f"run_id={run.info.run_id}")
    assert "identical   " in done.stdout


def test_a_run_of_a_sweep_and_one_that_was_stopped(user):
    user.run("train", "-m", "seed=1,2", "training.num_epochs=2")
    process = user.start("train", "training.num_epochs=100000")
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    process.communicate()
    runs = user.runs()
    assert len(runs) == 4  # the sweep is one of them
    for run in runs:
        sweep = "micrograde.sweep_digest" in run.data.tags
        done = user.run("replay", f"run_id={run.info.run_id}", status=2 if sweep else 0)
        assert (
            ("is a sweep; replay one of its runs" in done.stderr) if sweep else ("identical " in done.stdout)
        )


def test_a_value_that_was_changed_is_found(user):
    user.run("train", "training.num_epochs=3")
    run = only_run(user)
    with sqlite3.connect(user.home / "mlruns" / "mlflow.db") as store:
        store.execute("update metrics set value = value + 1e-15 where key = 'val/loss' and step = 2")
        store.execute("delete from metrics where key = 'val/accuracy' and step = 3")
    done = user.run("replay", f"run_id={run.info.run_id}", status=1)
    (loss,) = [line for line in done.stdout.splitlines() if line.startswith("val/loss")]
    assert "1 differ: at step 2 0." in loss
    assert ", relative " in loss
    (accuracy,) = [line for line in done.stdout.splitlines() if line.startswith("val/accuracy")]
    assert accuracy.endswith("stored none")
    assert "different   2 of " in done.stdout


def test_what_has_changed_is_said(user):
    rows = ["x,y,kind", *(f"{n}.5,{n * n % 17},{'ab'[n % 3 == 0]}" for n in range(80))]
    (user.folder / "own.csv").write_text("\n".join(rows))
    user.run("train", "data=csv", "data.path=own.csv", "data.target=kind", "training.num_epochs=3")
    run = only_run(user)
    client = user.client
    client.set_tag(run.info.run_id, "mlflow.source.git.commit", "0" * 40)
    client.set_tag(
        run.info.run_id, "micrograde.environment", "python 3.11.7, numpy 1.0, blas none, cpu abacus"
    )
    (user.folder / "own.csv").write_text("\n".join(rows[:-1]))
    done = user.run("replay", f"run_id={run.info.run_id}", status=1)
    assert "different   " in done.stdout
    for line in ("data digest ", "commit ", "numpy ", "cpu "):
        assert any(f" {line}" in each and ", was " in each for each in done.stdout.splitlines()), line
    assert ", was 1.0" in done.stdout
    assert ", was abacus" in done.stdout


def test_a_path_that_the_store_tells_is_followed_in_this_folder_only(user, tmp_path):
    """A run on a shared server may have been written by anybody."""
    secret = tmp_path / "secret.csv"
    rows = ["x,y,kind", *(f"{n}.5,{n * n % 17},{'ab'[n % 3 == 0]}" for n in range(80))]
    secret.write_text("\n".join(rows))
    user.run("train", "data=csv", f"data.path={secret}", "data.target=kind", "training.num_epochs=1")
    run = only_run(user)
    (line,) = user.run("replay", f"run_id={run.info.run_id}", status=2).stderr.splitlines()
    assert "which is not in this folder" in line
    assert line.endswith("give it as data.path=...")
    assert "identical" in user.run("replay", f"run_id={run.info.run_id}", f"data.path={secret}").stdout


def test_a_hostile_recipe_is_refused_in_a_line(user):
    """Others are tried in tests/runs/test_files.py."""
    user.run("train", "training.num_epochs=1")
    run = only_run(user)
    recipe_of(user, run).write_text("!!python/object/apply:os.system ['touch ran']")
    (line,) = user.run("replay", f"run_id={run.info.run_id}", status=2).stderr.splitlines()
    assert "cannot be read" in line
    assert not os.path.exists(user.folder / "ran")


def test_files_that_the_store_says_are_elsewhere_are_not_read(user, tmp_path):
    user.run("train", "training.num_epochs=1")
    run = only_run(user)
    elsewhere = tmp_path / "elsewhere" / "artifacts"
    os.makedirs(elsewhere)
    for address in (
        f"file://{elsewhere}",
        "file:///",
        f"file://{user.home}/mlruns/artifacts/../../..",
        "http://x/y",
    ):
        with sqlite3.connect(user.home / "mlruns" / "mlflow.db") as store:
            store.execute("update runs set artifact_uri = ?", (address,))
        (line,) = user.run("replay", f"run_id={run.info.run_id}", status=2).stderr.splitlines()
        assert "its files are not in" in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "run_id: is missing; it needs a value"),
        (["run_id=abcdef"], "run_id=abcdef: there is no such run in the store"),
        (["run_id=abcdef", "runid=1"], "runid: there is no such key; did you mean run_id"),
        (["run_id=abcdef", "tracking=disabled"], "must be one of 'local', 'server'"),
    ],
)
def test_mistakes_get_a_line(user, arguments, message):
    done = user.run("replay", *arguments, status=2)
    (line,) = done.stderr.splitlines()
    assert message in line
    assert done.stdout == ""
