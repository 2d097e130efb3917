"""Who writes much lets others have the store's lock in between, at moments when all is in order."""

import fcntl
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.store import local_store, mlflow_local, sql_store, turns
from micrograde.store.backends import backend_of
from micrograde.store.event_writer import Recording
from micrograde.store.events import RunEnded, RunStarted, StackMetricsLogged
from micrograde.store.turns import Turns

SECONDS = 0.5
durations = st.sampled_from([0.0, 0.001, 0.024, 0.025, 0.1, 0.3, 0.6]) | st.floats(0, 1)


class World:
    """A clock that only what is done moves, and a lock that notes when it was held."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.held: list[tuple[float, float]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Lock:
    def __init__(self, world: World) -> None:
        self.world = world

    def __enter__(self):
        self.since = self.world.now

    def __exit__(self, *exception):
        self.world.held.append((self.since, self.world.now))


@given(st.lists(st.tuples(st.lists(durations, min_size=1, max_size=6), durations), max_size=8))
def test_nobody_waits_longer_than_a_turn_and_what_its_last_piece_takes(contexts):
    world, pieces = World(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: world.now, sleep=world.sleep))
        ours = Turns(Lock(world), SECONDS)
        for works, gap in contexts:
            with ours:
                for work in works:
                    world.now += work
                    pieces.append(work)
                    ours.pass_on()
            world.now += gap
    stretches: list[list[tuple[float, float]]] = []
    for held in world.held:
        if not stretches or held[0] - stretches[-1][-1][1] >= turns._LET_GO_SECONDS - 1e-9:
            stretches.append([])
        stretches[-1].append(held)
    longest = max(pieces, default=0.0)
    assert all(each[-1][1] - each[0][0] <= SECONDS + longest + 0.025 * len(each) for each in stretches)
    assert sum(end - start for start, end in world.held) == pytest.approx(sum(pieces))


def test_what_is_short_does_not_wait():
    world = World()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: world.now, sleep=world.sleep))
        ours = Turns(Lock(world), SECONDS)
        for _ in range(40):
            with ours:
                world.now += 0.01
    assert world.now == pytest.approx(1000.4)


def test_a_lock_that_is_not_had_again_is_not_let_go_of_twice():
    class Once:
        def __init__(self):
            self.entered, self.left = 0, 0

        def __enter__(self):
            self.entered += 1
            if self.entered > 1:
                raise TimeoutError

        def __exit__(self, *exception):
            self.left += 1

    lock = Once()
    with pytest.raises(TimeoutError), Turns(lock, 0.0) as ours:
        ours.pass_on()
    assert (lock.entered, lock.left) == (2, 1)


@pytest.mark.parametrize("by_sql", [True, False])
def test_between_two_pieces_another_launch_has_its_turn_and_finds_all_in_order(home, monkeypatch, by_sql):
    location = local_store(home)
    for module in (sql_store, mlflow_local):
        monkeypatch.setattr(module, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(mlflow_local, "_ROWS", 50)
    if not by_sql:
        monkeypatch.setattr(sql_store, "KNOWN_SCHEMAS", ())
    launch = location.folder / "launches" / "2026-01-01_00-00-00_a"
    for run in range(3):
        (launch / f"run-{run}" / "model").mkdir(parents=True)
        (launch / f"run-{run}" / "model" / "weights").write_text("0.5")
    writer = backend_of(location).open_writer(location, Recording(launch))
    seen: list[tuple[int, int]] = []

    def another_s_turn(seconds: float) -> None:
        assert seconds <= turns._LET_GO_SECONDS
        with (
            (location.folder / "mlflow.lock").open("r+") as lock,
            closing(sqlite3.connect(location.database, timeout=0)) as store,
            store,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            store.execute("update experiments set last_update_time = 1")  # it can be written, too
            (values,) = store.execute("select count(*) from metrics").fetchone()
            ended = store.execute("select run_uuid from runs where status = 'FINISHED'").fetchall()
            of_metrics = "select distinct run_uuid, key from {} order by 1, 2"
            measured, latest = (
                store.execute(of_metrics.format(table)).fetchall() for table in ("metrics", "latest_metrics")
            )
            kept = {
                path.parents[2].name for path in location.folder.glob("artifacts/*/*/artifacts/*/weights")
            }
            assert {run_id for (run_id,) in ended} <= kept
            assert latest == measured
        seen.append((values, len(ended)))

    monkeypatch.setattr(turns, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=another_s_turn))
    writer.write([RunStarted(run, 1, "toys", f"{run}", {"a": "1"}, {}) for run in range(3)])
    values = {f"m{number}": [0.5, 1.0, 1.5] for number in range(4)}
    writer.write(
        [
            *(StackMetricsLogged([0, 1, 2], step, step, values) for step in range(25)),
            *(RunEnded(run, 9, "FINISHED") for run in range(3)),
        ]
    )
    assert {values for values, _ in seen} == {0, 50, 100, 150, 200, 250, 300}
    assert {ended for _, ended in seen} >= {0, 1, 2}
    assert seen == sorted(seen)
