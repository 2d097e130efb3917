"""A tracking server that lies, stalls or never ends cannot break a command, hold it up, or hide the honest runs."""

import copy
import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hostile_server import VALUES, Reply, as_bytes, of_store, places, replaced, serving, whole_answers
from tests.hostile_store import check_line, drawn

from micrograde.analysis import list_run_ids, load_history, load_runs, load_sweeps
from micrograde.core import bounds
from micrograde.core.errors import InputError
from micrograde.runs.files import files_of
from micrograde.runs.side_by_side import compare_runs
from micrograde.store import (
    StoredRun,
    bounded_answers,
    find_run,
    left_out,
    load_run,
    rest_client,
    server_store,
)
from micrograde.store import server_reader as server
from micrograde.store.library_environment import quiet_libraries
from micrograde.store.records import RunAbout
from micrograde.store.retrying import is_unbounded, reason_of
from micrograde.sweeps.earlier import find_earlier
from micrograde.tracking import recover

SHORT = 0.5


@pytest.fixture(scope="module")
def answers(made):
    """What an honest server answers about that store, by what was asked: nothing is asked of MLflow twice."""
    honest, kept = of_store(made.location.tracking_uri), {}

    def say(endpoint, asked):
        key = (endpoint, as_bytes(asked))
        if key not in kept:
            kept[key] = honest(endpoint, asked)
        return kept[key]

    return say


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(rest_client, "ANSWER_SECONDS", SHORT)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    left_out._said.clear()
    rest_client._patience.clear()


@pytest.fixture
def patient(monkeypatch):
    """Of a server that answers at once; on a busy machine that takes a while."""
    monkeypatch.setattr(rest_client, "ANSWER_SECONDS", bounds.ANSWER_SECONDS)


def readings(address, made, home):
    honest = sorted(made.honest)
    return [
        lambda: recover(server_store(address, home)),
        lambda: load_runs(address),
        lambda: list_run_ids(address),
        lambda: load_sweeps(address),
        lambda: load_history(address),
        lambda: load_history(address, sweep=made.sweep, metrics=["train/loss"]),
        lambda: find_run(address, "latest"),
        lambda: load_run(address, made.victim),
        lambda: compare_runs(address, [honest[0], made.victim]),
        lambda: find_earlier(address, "d", "val/accuracy"),
    ]


def check_readings(address, made, home, capsys):
    for read in readings(address, made, home):
        try:
            read()
        except InputError as error:
            check_line(str(error))
    said = capsys.readouterr()
    for line in (said.out + said.err).splitlines():
        check_line(line)


def about_victim(content, victim, endpoint):
    """The places in an answer that speak of the victim alone."""
    found = []
    for place in places(content):
        of_run = endpoint == "runs/search" and place[0] == "runs" and len(place) > 1
        if of_run and content["runs"][place[1]]["info"]["run_id"] == victim:
            found.append(place)
    return found


def check_changed_answers(answers, made, data, tmp_path, capsys):
    value, share = data.draw(st.sampled_from(VALUES)), data.draw(st.floats(0, 1, exclude_max=True))

    def say(endpoint, asked):
        content = answers(endpoint, asked)
        if isinstance(content, Reply):
            return content
        there_are = about_victim(content, made.victim, endpoint)
        if there_are:
            content = replaced(content, there_are[int(share * len(there_are))], value)
        return Reply([as_bytes(content)])

    with serving(say) as address:
        left_out._said.clear()
        check_readings(address, made, tmp_path, capsys)
        assert made.honest <= set(load_runs(address)["run_id"])
        assert made.honest <= set(load_history(address)["run_id"])


quick, thorough = drawn(4), drawn(12)


@pytest.mark.usefixtures("patient")
@quick
@given(data=st.data())
def test_a_run_that_cannot_be_read_does_not_take_others_with_it(answers, made, data, tmp_path, capsys):
    check_changed_answers(answers, made, data, tmp_path, capsys)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("part", "changes", "reason"),
    [
        ("metrics", {"value": 10**400}, "its metric .* is no number"),
        ("metrics", {"key": ""}, "the name of a metric is empty"),
        ("params", {"key": ""}, "the name of a param is empty"),
    ],
)
def test_a_run_with_what_cannot_be_is_left_out_alone(answers, made, part, changes, reason, capsys):
    def say(endpoint, asked):
        content = copy.deepcopy(answers(endpoint, asked))
        for run in content.get("runs", ()) if endpoint == "runs/search" else ():
            if run["info"]["run_id"] == made.victim:
                run["data"][part][0] |= changes
        return content if isinstance(content, Reply) else Reply([as_bytes(content)])

    with serving(say) as address:
        assert set(load_runs(address)["run_id"]) == made.honest
        assert re.search(rf"{made.victim} left out: {reason}", capsys.readouterr().err)
        assert set(load_history(address)["run_id"]) == made.honest


@pytest.mark.usefixtures("patient")
def test_a_value_of_a_history_that_is_no_number_leaves_out_its_run(answers, made):
    def say(endpoint, asked):
        content = copy.deepcopy(answers(endpoint, asked))
        if endpoint == "metrics/get-history" and asked["run_id"] == made.victim:
            content["metrics"][0]["value"] = 10**400
        return content if isinstance(content, Reply) else Reply([as_bytes(content)])

    with serving(say) as address:
        assert set(load_history(address)["run_id"]) == made.honest


@pytest.mark.slow
@pytest.mark.usefixtures("patient")
@thorough
@given(data=st.data())
def test_nor_does_it_in_many_examples(answers, made, data, tmp_path, capsys):
    check_changed_answers(answers, made, data, tmp_path, capsys)


@pytest.mark.usefixtures("patient")
@quick
@given(data=st.data())
def test_any_value_anywhere_is_read_or_refused_in_a_line(answers, made, data, tmp_path, capsys):
    value, share = (
        data.draw(st.sampled_from([*VALUES, "NESTED"])),
        data.draw(st.floats(0, 1, exclude_max=True)),
    )
    kinds = ["experiments/search", "runs/search", "runs/get", "metrics/get-history"]
    changed = data.draw(st.sampled_from(kinds))

    def say(endpoint, asked):
        content = answers(endpoint, asked)
        if isinstance(content, Reply) or endpoint != changed:
            return content
        there_are = places(content)
        return Reply([as_bytes(replaced(content, there_are[int(share * len(there_are))], value))])

    with serving(say) as address:
        check_readings(address, made, tmp_path, capsys)


@pytest.mark.parametrize("name", whole_answers())
@pytest.mark.parametrize("endpoint", ["experiments/search", "runs/search"])
def test_an_answer_that_is_none_is_one_line_in_time(answers, name, endpoint):
    answer = whole_answers()[name]

    def say(asked_for, asked):
        return answer() if asked_for == endpoint else answers(asked_for, asked)

    with serving(say) as address:
        start = time.monotonic()
        if name == "nothing":
            assert load_runs(address).empty
        else:
            with pytest.raises(
                InputError, match="the tracking server cannot be asked for its runs"
            ) as caught:
                load_runs(address)
            check_line(str(caught.value))
        assert time.monotonic() - start < 40 * SHORT


@pytest.mark.parametrize("token", ["same", "fresh"])
@pytest.mark.parametrize("endpoint", ["experiments/search", "runs/search", "metrics/get-history"])
@pytest.mark.usefixtures("patient")
def test_pages_without_end_are_ended(answers, token, endpoint):
    numbers = itertools.count()

    def say(asked_for, asked):
        content = answers(asked_for, {key: value for key, value in asked.items() if key != "page_token"})
        if asked_for == endpoint:
            content = {**content, "next_page_token": token if token == "same" else f"{next(numbers)}"}
        return content

    with serving(say) as address, pytest.raises(InputError, match=r"its pages of .* do not end"):
        load_history(address)


@pytest.mark.usefixtures("patient")
def test_a_server_with_more_runs_than_are_read_is_cut_with_a_line(answers, monkeypatch, capsys):
    monkeypatch.setattr(server, "MOST_RUNS_OF_SERVER", 40)
    monkeypatch.setattr(server, "_PAGE", 10)
    numbers = itertools.count()

    def say(endpoint, asked):
        content = answers(endpoint, {**asked, "max_results": 1000, "page_token": None})
        if endpoint == "runs/search":
            run = content["runs"][0]
            fresh = [replaced(run, ("info", "run_id"), f"{next(numbers):032x}") for _ in range(10)]
            content = {"runs": fresh, "next_page_token": f"{next(numbers)}"}
        return content

    with serving(say) as address:
        assert len(load_runs(address)) == 40
    assert "the server has more than 40 runs; the others are not read" in capsys.readouterr().err


def test_a_server_that_is_always_slow_is_not_waited_for_again_and_again(answers, monkeypatch):
    monkeypatch.setattr(rest_client, "SLOW_SECONDS", 0.05)
    monkeypatch.setattr(server, "_PAGE", 1)

    def say(endpoint, asked):
        time.sleep(0.3)
        return answers(endpoint, {**asked, "max_results": 1000})

    with serving(say) as address:
        start = time.monotonic()
        with pytest.raises(InputError, match="no answer in"):
            [load_runs(address) for _ in range(200)]
        assert time.monotonic() - start < 20


@pytest.mark.usefixtures("patient")
def test_a_redirect_is_followed_at_the_same_server_only(answers, made):
    def say(endpoint, asked):
        if "moved/" not in endpoint:
            place = {"Location": f"/moved/api/2.0/mlflow/{endpoint}"}
            return Reply([], 308, place) if endpoint.endswith("search") else answers(endpoint, asked)
        return answers(endpoint.partition("/api/2.0/mlflow/")[2], asked)

    with serving(say) as address:
        assert made.honest <= set(load_runs(address)["run_id"])


@pytest.mark.parametrize("limit", ["ours", "the library's"])
def test_the_user_may_have_a_server_waited_for_longer(limit, answers, made, monkeypatch):
    """Both limits end at the same moment: whichever is noticed first, the line is the same."""
    if limit == "the library's":
        monkeypatch.setattr(rest_client, "in_time", lambda call, _: call())

    def say(endpoint, asked):
        time.sleep(2 * SHORT)
        return answers(endpoint, asked)

    with serving(say) as address:
        with pytest.raises(InputError, match="set MLFLOW_HTTP_REQUEST_TIMEOUT=60 to wait longer"):
            load_runs(address)
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
        assert made.honest <= set(load_runs(address)["run_id"])


@pytest.mark.parametrize("name", ["endless", "dripping", "silent", "bomb", "redirect without end", "no gzip"])
def test_answers_to_mlflows_client_are_bounded_too(name, monkeypatch):
    """By which runs are recorded: in the writer, too, what does not end is no answer."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    answer = whole_answers()[name]
    with serving(lambda *_: answer()) as address, quiet_libraries():
        start = time.monotonic()
        with pytest.raises(MlflowException) as raised:
            MlflowClient(address).get_run("0" * 32)
        assert time.monotonic() - start < 5
    reason = reason_of(raised.value)
    assert is_unbounded(reason) or reason == "no answer in time"  # of which a writer takes note


ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def folders_without_end(_asked):
    return {"files": [{"path": f"{number}", "is_dir": True} for number in range(3)]}


def listings(asked):
    """What is in ``model``, and in any folder below it: one file."""
    if asked.get("path", "").endswith("model"):
        return {"files": [{"path": "weights.safetensors", "is_dir": False, "file_size": 8}]}
    return {"files": [{"path": "model", "is_dir": True}]}


def endless_file():
    return Reply(itertools.repeat(b"x" * 2**16), headers={"Content-Type": "application/octet-stream"})


def dripping_file():
    return Reply(itertools.repeat(b"x"), drip=0.05, headers={"Content-Type": "application/octet-stream"})


@pytest.mark.parametrize(
    ("listed", "file", "reason"),
    [
        (folders_without_end, endless_file, "listing them does not end"),
        (listings, endless_file, r"\(model/weights.safetensors: a file has more than 1,000,000 bytes\)"),
        (listings, dripping_file, r"\(model/weights.safetensors: timed out\)"),
    ],
)
def test_files_of_a_run_are_fetched_within_bounds(listed, file, reason, monkeypatch, tmp_path):
    monkeypatch.setattr(bounded_answers, "LONGEST_FILE", 1_000_000)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    about = RunAbout("0" * 32, "name", "digits", "FINISHED", 0, 1, None)
    run = StoredRun(about, {}, {}, {}, "mlflow-artifacts:/1/run/artifacts")

    def say(endpoint, asked):
        return listed(asked) if "path" in asked or endpoint == ARTIFACTS else file()

    start = time.monotonic()
    with serving(say) as address:
        files = files_of(run, server_store(address, tmp_path), ("0", "model"))
        with pytest.raises(InputError, match=reason):
            files.__enter__()
    assert time.monotonic() - start < 10
