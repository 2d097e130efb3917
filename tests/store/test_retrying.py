"""What is tried again, for how long, and what the user is told."""

import sqlite3
import threading

import pytest
import requests

from micrograde.core.bounds import ANSWER_SECONDS
from micrograde.store import StoreAwayError, local_store, server_store
from micrograde.store.location import StoreLock
from micrograde.store.retrying import Retrying, reason_of

REFUSED = 'API request to http://a failed with exception (Caused by NewConnectionError("x: [Errno 111] Connection refused"))'


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self, monkeypatch):
        self.now, self.sleeps = 0.0, 0
        monkeypatch.setattr("micrograde.store.retrying.time.monotonic", lambda: self.now)
        monkeypatch.setattr("micrograde.store.retrying.time.sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        self.sleeps += 1


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


class Setting:
    """A caller, and what it tells."""

    def __init__(self, location, patience=15.0):
        self.gone = threading.Event()
        self.told: list[tuple[object, ...]] = []
        self.make = Retrying(location, self.gone, patience, lambda *words: self.told.append(words), "KEPT")


@pytest.fixture
def server(tmp_path, clock):  # noqa: ARG001
    return Setting(server_store("http://me:secret@host", tmp_path))


def failing(times, error):
    left = [error] * times

    def call():
        if left:
            raise left.pop()
        return "done"

    return call


def status(code, kind="mlflow"):
    from mlflow.exceptions import MlflowException
    from mlflow.protos import databricks_pb2 as codes

    if kind == "requests":
        response = requests.Response()
        response.status_code = code
        return requests.HTTPError(response=response)
    names = {500: codes.INTERNAL_ERROR, 503: codes.TEMPORARILY_UNAVAILABLE, 429: codes.REQUEST_LIMIT_EXCEEDED}
    names |= {400: codes.BAD_REQUEST, 401: codes.UNAUTHENTICATED, 403: codes.PERMISSION_DENIED}
    names |= {404: codes.RESOURCE_DOES_NOT_EXIST}
    return MlflowException("no", names[code])


@pytest.mark.parametrize(
    "error",
    [
        *(status(code) for code in (429, 500, 503)),
        *(status(code, "requests") for code in (408, 429, 500, 502, 504)),
        requests.ConnectionError(),
        requests.Timeout(),
        requests.exceptions.ChunkedEncodingError(),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again(server, clock, error):
    assert server.make(failing(3, error)) == "done"
    assert clock.sleeps == 3
    assert not server.told


@pytest.mark.parametrize(
    "error",
    [
        *(status(code) for code in (400, 401, 403, 404)),
        *(status(code, "requests") for code in (400, 401, 404, 413)),
        ValueError(),
        KeyError("is locked"),
    ],
    ids=repr,
)
def test_what_stays_wrong_is_raised_at_once(server, clock, error):
    with pytest.raises(type(error)):
        server.make(failing(1, error))
    assert clock.sleeps == 0


def test_of_a_local_store_only_a_lock_passes_and_others_get_it_meanwhile(tmp_path, clock, monkeypatch):
    local = Setting(local_store(tmp_path))
    held = []

    def sleep(seconds):
        held.append(lock._lock.is_locked)
        clock.sleep(seconds)

    monkeypatch.setattr("micrograde.store.retrying.time.sleep", sleep)
    with StoreLock(local_store(tmp_path)) as lock:
        assert local.make(failing(2, sqlite3.OperationalError("database is locked"))) == "done"
        assert lock._lock.is_locked
    assert held == [False, False]
    with pytest.raises(sqlite3.OperationalError):
        local.make(failing(1, sqlite3.OperationalError("no such table")))
    with pytest.raises(requests.ConnectionError):
        local.make(failing(1, requests.ConnectionError()))


def test_an_outage_is_told_of_once_and_its_end_too(server, clock):
    for _ in range(2):  # two outages
        assert server.make(failing(600, requests.ConnectionError(REFUSED))) == "done"
        ((notice, away),) = server.told
        assert away
        assert notice == (
            "the tracking server http://***@host cannot be reached (Connection refused); "
            "training goes on, and what happens is kept in KEPT"
        )
        assert server.make.is_back
        server.make.caught_up()
        assert server.told.pop() == (
            "the tracking server http://***@host is back; everything has been sent",
            False,
        )
        assert not server.make.is_back
        server.told.clear()
    assert clock.now > 1000  # as long as it takes


def test_after_the_launch_patience_is_limited(server, clock):
    server.gone.set()
    with pytest.raises(
        StoreAwayError, match=r"^the tracking server \S+ still cannot be reached \(it is ill\)$"
    ):
        server.make(failing(600, requests.ConnectionError("it is ill")))
    assert 15 < clock.now < 20
    clock.now += 100
    server.make(lambda: None)  # what succeeds gives new patience
    server.make(failing(5, requests.ConnectionError()))


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("it answers with more than 9 bytes"),
        requests.ConnectionError("its answer cannot be decompressed (x)"),
    ],
)
def test_after_the_launch_a_server_whose_answer_does_not_end_is_not_asked_again(server, clock, error):
    server.make(failing(5, error))
    server.gone.set()
    before = clock.now
    with pytest.raises(StoreAwayError, match="still cannot be reached"):
        server.make(failing(5, error))
    assert clock.now == before


@pytest.mark.parametrize(("patience", "takes"), [(5, 10), (15, 20), (300, 300)])
def test_after_the_launch_a_server_that_does_not_answer_is_given_its_patience(
    tmp_path, clock, patience, takes
):
    """As one that is stopped for a while: what it was asked in vain is asked again."""
    server = Setting(server_store("http://host", tmp_path), patience)
    server.gone.set()

    def unanswered():
        clock.now += ANSWER_SECONDS
        raise requests.ReadTimeout("Read timed out.")

    with pytest.raises(StoreAwayError, match=r"still cannot be reached \(no answer in time\)$"):
        server.make(unanswered)
    assert takes <= clock.now < takes + 2 * ANSWER_SECONDS


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (REFUSED, "Connection refused"),
        (
            "API request to endpoint /x failed with error code 503 != 200. Response body: '<html>'",
            "it answers 503",
        ),
        ("HTTPConnectionPool(host='a', port=1): Read timed out. (read timeout=20)", "no answer in time"),
        ("(sqlite3.OperationalError) database is locked\n[SQL: x]", "another program keeps it locked"),
        ("at http://me:secret@host\nno", "at http://***@host no"),
    ],
)
def test_reasons_are_a_few_words(text, reason):
    assert reason_of(RuntimeError(text)) == reason
