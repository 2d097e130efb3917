"""A run that was stopped and goes on ends like one that never was: same weights, same history, bit for bit."""

import os
import re
import signal

import pytest
from tests.narrowing import not_none
from tests.waiting import wait_for

pytestmark = pytest.mark.slow  # each of them runs commands

LONG = ("training.num_epochs=300", "training.checkpoint_seconds=0.1")
ALL_STATE = (
    *LONG,
    "data=moons",
    "optimizer=adam",
    "training.batch_size=20",
    "training.label_noise=0.1",
    "training.label_smoothing=0.1",
    "training.class_weights=balanced",
    "training.early_stopping.enabled=true",
    "training.early_stopping.patience=300",
    "schedule=cosine",
)

CLIPPED = (
    *LONG,
    "data=moons",
    "model.activation=gelu",
    "model.initializer=orthogonal",
    "optimizer=rmsprop",
    "optimizer.momentum=0.9",
    "optimizer.centered=true",
    "optimizer.learning_rate=0.001",
    "schedule=one_cycle",
    "training.clip.norm=0.5",
    "training.clip.value=0.1",
)


def stop(user, *arguments, after=100, sent=signal.SIGKILL):
    """Start a run and stop it some time after that epoch."""
    process = user.start("train", *arguments)
    for line in process.stdout:
        if (found := re.match(r"epoch +(\d+)/", line)) and int(found[1]) >= after:
            break
    process.send_signal(sent)
    process.communicate()
    assert process.returncode == (130 if sent == signal.SIGINT else -sent)


def last_run(user):
    return max(user.runs(), key=lambda run: run.info.start_time)


def end_of(user, run):
    """Everything that must be the same."""
    weights = user.artifacts(run) / "model" / "weights.safetensors"
    return run.info.status, histories_of(user.client, run), weights.read_bytes()


def histories_of(client, run):
    """Each metric's values, which stand there once a step.

    As texts: no NaN equals another, and an update ratio is NaN where nothing moved.
    """
    histories = {}
    for metric in run.data.metrics:
        points = client.get_metric_history(run.info.run_id, metric)
        assert len({point.step for point in points}) == len(points), f"{metric}: a step is there twice"
        histories[metric] = sorted((point.step, repr(point.value)) for point in points)
    return histories


def checkpoints(user, run):
    return sorted((user.artifacts(run) / "checkpoints").glob("[ab].*"))


@pytest.fixture(scope="module")
def undisturbed(make_user):
    """The ends of runs that nobody stopped."""
    user = make_user("undisturbed")
    ends = {}
    for command in (LONG, ALL_STATE, CLIPPED):
        user.run("train", *command)
        ends[command] = end_of(user, last_run(user))
    return ends


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [LONG, ALL_STATE, CLIPPED],
    ids=["digits", "adam, early stopping, label noise", "rmsprop, one cycle, clipping"],
)
def test_killed_twice_and_resumed_by_the_same_command(user, undisturbed, command):
    stop(user, *command, after=60)
    stop(user, *command, "training.resume=auto", after=180)
    done = user.run("train", *command, "training.resume=auto")
    assert re.search(r"^resuming    run [0-9a-f]{32} after epoch \d+$", done.stdout, re.MULTILINE)
    assert done.stderr == ""
    (run,) = user.runs()
    assert end_of(user, run) == undisturbed[command]
    assert "micrograde.reason" not in run.data.tags
    assert len(run.data.tags["micrograde.resumed_after_epochs"].split()) == 2
    assert len(checkpoints(user, run)) == 4
    log = (user.artifacts(run) / "train.log").read_text()
    assert log.count("resumed after epoch") == 2
    assert log.count("epoch 300/300") == 1


@pytest.mark.slow
def test_resumed_by_its_id_without_its_command(user, undisturbed):
    stop(user, *LONG, sent=signal.SIGINT)
    (run,) = user.runs()
    assert run.info.status == "KILLED"
    user.run("train", f"training.resume={run.info.run_id[:8]}", "seed=0")
    (run,) = user.runs()
    assert end_of(user, run) == undisturbed[LONG]


@pytest.mark.slow
def test_killed_together_with_its_writer(user, undisturbed):
    """As when the power fails: nobody is left to say that the run is over, or to carry on what was told."""
    process = user.start("train", *LONG)
    for line in process.stdout:
        if line.startswith("epoch 120/"):
            break
    children = open(f"/proc/{process.pid}/task/{process.pid}/children").read().split()
    os.kill(process.pid, signal.SIGKILL)
    for child in children:
        os.kill(int(child), signal.SIGKILL)
    process.communicate()
    assert any((user.home / "mlruns" / "launches").iterdir())
    done = user.run("train", *LONG, "training.resume=auto")
    assert "resuming    run" in done.stdout
    (run,) = user.runs()
    assert end_of(user, run) == undisturbed[LONG]
    assert not any((user.home / "mlruns" / "launches").iterdir())


@pytest.mark.slow
def test_before_its_first_checkpoint_it_goes_on_from_the_beginning(user, undisturbed):
    command = [each for each in LONG if "checkpoint" not in each]
    stop(user, *command, "training.checkpoint_seconds=null", after=30)
    done = user.run("train", *command, "training.resume=auto")
    assert "from its beginning: it has no checkpoint" in done.stdout
    (run,) = user.runs()
    assert end_of(user, run) == undisturbed[LONG]


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(user, undisturbed):
    stop(user, *LONG, after=180)
    user.wait_until_written()
    arrays = [path for path in checkpoints(user, user.runs()[0]) if path.suffix == ".safetensors"]
    latest = max(arrays, key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(latest.read_bytes())
    content[-5] ^= 1
    latest.write_bytes(content)
    done = user.run("train", *LONG, "training.resume=auto")
    assert f"the checksum of {latest.name} does not match; not used" in done.stdout
    (run,) = user.runs()
    assert end_of(user, run) == undisturbed[LONG]


@pytest.mark.slow
def test_what_cannot_go_on_is_refused_in_a_line(user):
    stop(user, *LONG, after=30)
    user.wait_until_written()
    user.run("train", "training.num_epochs=1", "seed=7")
    # The killed run's writer may be recording still what its run left to it.
    by_name = wait_for(
        lambda: len(user.runs()) == 2 and {run.info.run_name: run.info.run_id for run in user.runs()}
    )
    killed, finished = by_name["num_epochs=300 checkpoint_seconds=0.1"], by_name["num_epochs=1 seed=7"]
    before = user.files()
    # More of them are in tests/runs/test_resuming.py.
    for arguments, message in [
        ([f"training.resume={finished}"], f"training.resume={finished}: run {finished} has finished; there is nothing"),
        (["training.resume=latest", "seed=1"], "training.resume=latest: seed is 0 in that run, not 1"),
        (["training.resume=1e99999"], "training.resume=1e99999: there is no such run in the store"),
        (["training.resume=auto", "tracking=disabled"], "training.resume=auto: needs a store"),
        ([f"training.resume={killed}", "optimizer=adam"], "optimizer.name is sgd in that run, not adam"),
        (["-m", "training.resume=auto", "seed=1,2"], "training.resume=auto: is for a run alone"),
    ]:  # fmt: skip
        done = user.run("train", *arguments, status=2)
        (line,) = done.stderr.splitlines()
        assert message in line
        assert done.stdout == ""
    assert [path for path in user.files() if path not in before and "/claims/" not in path] == []


@pytest.mark.slow
def test_a_run_that_is_going_on_is_left_alone(user):
    process = user.start("train", "training.num_epochs=100000")
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    (run,) = wait_for(user.runs)
    done = user.run("train", f"training.resume={run.info.run_id}", status=2)
    assert f"is going on in process {process.pid} on " in done.stderr
    assert user.runs()[0].info.status == "RUNNING"
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert user.runs()[0].info.status == "KILLED"


@pytest.mark.slow
def test_with_other_data_it_does_not_go_on(user):
    rows = ["x,y,kind", *(f"{n}.5,{n * n % 17},{'ab'[n % 3 == 0]}" for n in range(80))]
    (user.folder / "own.csv").write_text("\n".join(rows))
    command = ("data=csv", "data.path=own.csv", "data.target=kind", "training.num_epochs=20000")
    stop(user, *command, after=1, sent=signal.SIGINT)
    (user.folder / "own.csv").write_text("\n".join(rows[:-1]))
    done = user.run("train", *command, "training.resume=auto", status=2)
    assert "the data have changed since that run began" in done.stderr
    assert user.runs()[0].info.status == "KILLED"


def test_with_nothing_to_resume_a_new_run_begins(user):
    user.run("train", "training.num_epochs=2")
    done = user.run("train", "training.num_epochs=2", "training.resume=auto")
    assert done.stdout.startswith("nothing to resume; a new run\n")
    assert [run.info.status for run in user.runs()] == ["FINISHED"] * 2
    digests = {run.data.tags["micrograde.config_digest"] for run in user.runs()}
    assert len(digests) == 1


@pytest.mark.slow
def test_by_a_server_it_goes_on_and_is_replayed(user, server, undisturbed):
    """Checkpoint, history and recipe come from the server; the launch's own folder is not needed."""
    from mlflow import MlflowClient

    to_server = ("tracking=server", f"tracking.uri={server.address}")
    stop(user, *LONG, *to_server, after=150)
    done = user.run("train", *LONG, *to_server, "training.resume=auto")
    assert re.search(r"resuming    run [0-9a-f]{32} after epoch \d+", done.stdout)
    client = MlflowClient(server.address)
    (run,) = client.search_runs([not_none(client.get_experiment_by_name("digits")).experiment_id])
    status, histories, weights = undisturbed[LONG]
    assert run.info.status == status
    assert histories_of(client, run) == histories
    path = client.download_artifacts(run.info.run_id, "model/weights.safetensors")
    assert open(path, "rb").read() == weights
    replayed = user.run("replay", f"run_id={run.info.run_id[:10]}", *to_server)
    assert "identical   " in replayed.stdout
    assert "different" not in replayed.stdout
