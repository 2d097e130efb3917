"""Trouble with the store while runs go on: nothing is lost, nothing is there twice."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import threading
import time
from contextlib import closing

import psutil
import pytest
from benchmarks.servers import Proxy, failing
from tests.narrowing import of_type
from tests.waiting import wait_for

from micrograde.analysis import load_history, load_runs
from micrograde.store import local_store

pytestmark = pytest.mark.slow  # each of them runs commands

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SMALL = ("data=moons", "data.samples=100", "model.hidden_size=4", "training.num_epochs=3")
ENDLESS = ("training.num_epochs=1000000", "training.batch_size=5")  # few epochs a second


def launches(user):
    return sorted((user.home / "mlruns" / "launches").glob("*"))


def wait_until_in_training(user):
    journal = wait_for(lambda: list((user.home / "mlruns" / "launches").glob("*/journal.jsonl")))[0]
    wait_for(lambda: journal.read_text().count('"StackMetricsLogged"') > 20)


def points(uri, run_id):
    """The values of each metric by step; fails if one is there twice."""
    history = load_history(uri, run_ids=[run_id])
    assert not history.duplicated(["metric", "step"]).any()
    return {
        metric: dict(zip(part["step"], part["value"], strict=True))
        for metric, part in history.groupby("metric", observed=True)
    }


def assert_gapless(found, log):
    """Every epoch that the run's log speaks of is in every metric of an epoch."""
    last = max(map(int, re.findall(r"epoch +(\d+)/", log)))
    for metric in ("train/loss", "val/accuracy", "within/gradient_norm/total"):
        steps = sorted(found[metric])
        assert steps == list(range(1, len(steps) + 1))
        assert len(steps) >= last


def log_of(client, run_id, folder):
    with open(client.download_artifacts(run_id, "train.log", str(folder))) as file:
        return file.read()


@pytest.mark.slow
def test_a_server_that_goes_and_comes_back_is_told_of_and_gets_everything(user, server, tmp_path):
    from mlflow import MlflowClient

    process = user.start("train", *ENDLESS, "tracking=server", f"tracking.uri={server.address}")
    wait_until_in_training(user)
    for _ in range(2):
        server.kill()
        warning = process.stderr.readline()
        assert warning.startswith(f"the tracking server {server.address} cannot be reached (")
        assert str(launches(user)[0]) in warning
        server.start()
        assert process.stderr.readline() == (
            f"the tracking server {server.address} is back; everything has been sent\n"
        )
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert process.returncode == 130, stdout + stderr
    assert stderr == ""
    (run,) = load_runs(server.address).itertuples()
    assert run.status == "KILLED"
    assert_gapless(
        points(server.address, run.run_id), log_of(MlflowClient(server.address), run.run_id, tmp_path)
    )
    assert launches(user) == []


@pytest.mark.slow
def test_a_server_that_fails_a_third_of_all_requests_gets_the_same(user, server):
    lost: list[str] = []
    fails = failing(0.3, seed=4)

    def failure(method, path):
        if path.endswith("runs/create") and len(lost) < 2:
            lost.append(path)
            return "lose"
        return fails(method, path)

    length = ("data=moons", "training.num_epochs=400")
    with Proxy(server.port, failure) as proxy:
        user.run("train", *length, "tracking=server", f"tracking.uri={proxy.address}")
        assert proxy.counts["lose"] > 2
        assert proxy.counts["refuse"] > 2
    user.run("train", *length, "tracking=server", f"tracking.uri={server.address}")
    first, second = load_runs(server.address).itertuples()
    assert (first.status, second.status) == ("FINISHED", "FINISHED")
    assert points(server.address, first.run_id) == points(server.address, second.run_id)
    assert launches(user) == []


@pytest.mark.slow
def test_what_a_server_that_was_not_there_has_missed_is_sent_later_and_no_password_is_shown(
    user, make_server
):
    from mlflow import MlflowClient

    server = make_server()
    address = server.address.replace("http://", "http://me:pa55word@")
    to_server = ("tracking=server", f"tracking.uri={address}")
    done = user.run("train", *SMALL, *to_server)
    assert "test        accuracy" in done.stdout
    *_, last = done.stderr.splitlines()
    (folder,) = launches(user)
    hidden = server.address.replace("http://", "http://***@")
    assert last == (
        f"the tracking server {hidden} still cannot be reached (Connection refused); "
        f"what happened is kept in {folder}; send it with: micrograde sync"
    )
    assert "pa55word" not in done.stdout + done.stderr
    for path in user.files():
        assert b"pa55word" not in open(path, "rb").read()
    shutil.copytree(folder, copy := user.folder / "copy")

    kept = user.run("sync", *to_server, status=1).stdout
    assert (
        kept == f"kept {folder}: the tracking server {hidden} still cannot be reached (Connection refused)\n"
    )
    with server:
        asked = user.run("sync", status=1).stdout
        assert asked.startswith(f"kept {folder}: its server wants a user's name; give it: ")
        sent = user.run("sync", *to_server)
        (run,) = load_runs(server.address).itertuples()
        assert sent.stdout == f"sent {folder}: run {run.run_id}\n"
        assert run.status == "FINISHED"
        found = points(server.address, run.run_id)
        assert len(found["val/loss"]) == 3
        assert user.run("sync").stdout == "nothing is waiting\n"
        shutil.copytree(copy, folder)
        assert f"run {run.run_id}" in user.run("sync", *to_server, f"launch={folder.name}").stdout
        (same,) = load_runs(server.address).itertuples()
        assert (same.run_id, points(server.address, same.run_id)) == (run.run_id, found)
        files = [file.path for file in MlflowClient(server.address).list_artifacts(of_type(str, run.run_id))]
        assert "train.log" in files
        assert "model" in files
    assert launches(user) == []


@pytest.mark.slow
def test_of_a_sweep_without_its_server_the_outcome_is_told_and_all_runs_are_sent_later(user, make_server):
    server = make_server()
    to_server = ("tracking=server", f"tracking.uri={server.address}")
    done = user.run("train", "-m", *SMALL, "seed=0,1,2", *to_server, "sweep.resume=false", status=0)
    assert "finished    3 of 3 runs, 0 FAILED" in done.stdout
    assert "send it with: micrograde sync" in done.stderr.splitlines()[-1]
    with server:
        assert user.run("sync").stdout.endswith(": 4 runs\n")
        runs = load_runs(server.address, sweep="latest")
        assert sorted(runs["seed"]) == [0, 1, 2]
        again = user.run("train", "-m", *SMALL, "seed=0,1,2", *to_server)
        assert "3 of 3 runs, 3 of them from before" in again.stdout


@pytest.mark.slow
def test_a_server_that_is_not_there_is_one_line_for_who_reads(user):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = user.run(
        "compare", "tracking=server", f"tracking.uri=http://me:pa55word@127.0.0.1:{port}", status=2
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("the tracking server cannot be asked for its runs (")
    assert "pa55word" not in line


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [4, pytest.param(65, marks=pytest.mark.matrix)])
def test_a_store_that_another_program_locks_is_waited_for(user, seconds):
    database = user.home / "mlruns" / "mlflow.db"
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("begin exclusive")
        timer = threading.Timer(seconds, lambda: other.execute("rollback"))
        timer.start()
        done = user.run("train", *SMALL)
        timer.join()
    (run,) = user.runs()
    assert run.info.run_id in done.stdout
    assert run.info.status == "FINISHED"
    assert len(points(local_store(user.home).tracking_uri, run.info.run_id)["val/loss"]) == 3
    told = done.stderr.splitlines()
    if seconds > 60:
        store = f"the store {database}"
        assert told[0].startswith(
            f"{store} cannot be written to (another program keeps it locked); training goes on"
        )
        assert told[1:] == [f"{store} is back; everything has been sent"]
    assert launches(user) == []


@pytest.mark.slow
def test_another_writer_takes_the_place_of_one_that_is_killed(user, tmp_path):
    process = user.start("train", *ENDLESS)
    wait_for(lambda: user.runs())
    wait_until_in_training(user)
    for child in psutil.Process(process.pid).children():
        child.kill()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stderr) == (130, ""), stdout
    (run,) = user.runs()
    assert run.info.status == "KILLED"
    assert run.data.tags["micrograde.reason"] == "stopped with Ctrl-C"
    log = log_of(user.client, run.info.run_id, tmp_path)
    assert_gapless(points(local_store(user.home).tracking_uri, run.info.run_id), log)
    assert launches(user) == []
