"""What every backend does with the events that it is told; for the registered ones, and the one of a plug-in."""

import math
from pathlib import Path

from micrograde.store import Backend, tags
from micrograde.store.event_writer import Recording
from micrograde.store.events import (
    AnswerAwaited,
    Event,
    LaunchEnded,
    MetricsLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    StepMetricsLogged,
    TagsSet,
)
from micrograde.store.left_out import LeftOut
from micrograde.store.records import Selection

SWEEP, FIRST, SECOND = range(3)
OF_SWEEP = {tags.SWEEP_DIGEST: "d", tags.SWEEP_VARIES: '["seed"]'}
EVENTS: list[Event] = [
    RunStarted(SWEEP, 1, "toys", "a sweep", {}, OF_SWEEP),
    RunStarted(FIRST, 2, "toys", "first", {"seed": "0"}, {"team": "a"}, parent=SWEEP),
    RunStarted(SECOND, 3, "toys", "second", {"seed": "1"}, {}, parent=SWEEP),
    *(
        StackMetricsLogged([FIRST, SECOND], step, step, {"val/loss": [1 / 3 + step, math.nan]})
        for step in range(3)
    ),
    StepMetricsLogged([FIRST, SECOND], 4, [20, 40], {"step/train/loss": [[0.5, 0.25], [0.125, math.nan]]}),
    MetricsLogged(FIRST, 4, 9, {"test/loss": 0.1}),
    TagsSet(SECOND, {tags.REASON: "it had to"}),
    RunEnded(FIRST, 10, "FINISHED"),
    RunEnded(SECOND, 11, "FAILED"),
    AnswerAwaited(),
    RunEnded(SWEEP, 12, "FINISHED"),
    LaunchEnded(),
]


def check_backend(backend: type[Backend], home: Path) -> None:
    """Assert that it gives back what it was told, once or again, and what a later launch has added."""
    location = backend(name=backend.name).location(home)
    uri, reader = location.tracking_uri, backend.reader()
    folder = location.folder / "launches" / "2026-01-01_00-00-00_a"

    def put_files() -> None:
        for run in (SWEEP, FIRST, SECOND):
            (folder / f"run-{run}").mkdir(parents=True, exist_ok=True)
        (folder / f"run-{FIRST}" / "train.log").write_text("so far")

    def written(of: Path, events: list[Event], *, again: bool = False) -> dict[int, str]:
        writer = backend.open_writer(location, Recording(of, {tags.HOST: of.name}, again=again))
        writer.write(events)
        writer.flush()
        assert not writer.running
        return {int(str(each["run"])): str(each["run_id"]) for each in writer.recorded()}

    assert reader.read_about(uri, Selection()) == []
    put_files()
    broken_off = backend.open_writer(location, Recording(folder))
    broken_off.write(EVENTS[:5])
    broken_off.flush()
    assert broken_off.running == {SWEEP, FIRST, SECOND}
    ids = written(folder, EVENTS, again=True)
    put_files()
    assert written(folder, EVENTS, again=True) == ids

    without_ends = backend.open_writer(location, Recording(folder, again=True))
    without_ends.write([event for event in EVENTS if not isinstance(event, RunEnded | LaunchEnded)])
    without_ends.flush()
    assert without_ends.running == {SECOND}  # what has FINISHED stays so without its end in the journal
    without_ends.end_what_is_running("KILLED", "it died")
    (second,) = reader.read_about(uri, Selection(run_ids=(ids[SECOND],)))
    assert second.status == "KILLED"
    assert written(folder, EVENTS, again=True) == ids

    about = {run.run_id: run for run in reader.read_about(uri, Selection())}
    assert about.keys() == {ids[FIRST], ids[SECOND]}
    assert about[ids[FIRST]] == (ids[FIRST], "first", "toys", "FINISHED", 2, 10, ids[SWEEP])
    assert about[ids[SECOND]].status == "FAILED"
    (sweep,) = reader.read_sweeps(uri)
    assert (sweep.about.run_id, sweep.about.run_name, sweep.digest) == (ids[SWEEP], "a sweep", "d")
    assert reader.count_runs(uri) == {ids[SWEEP]: 2}
    raw = reader.read_runs(uri, Selection("toys", "FINISHED", ids[SWEEP]))
    assert [run.run_id for run in raw.about] == [ids[FIRST]]
    assert raw.params == [(ids[FIRST], "seed", "0")]
    assert dict(row[1:] for row in raw.metrics) == {
        "val/loss": 1 / 3 + 2,
        "test/loss": 0.1,
        "step/train/loss": 0.125,
    }
    assert (ids[FIRST], "team", "a") in raw.tags
    for nothing in (Selection("other"), Selection(parent_run_id=ids[FIRST]), Selection(run_ids=("0" * 32,))):
        assert reader.read_about(uri, nothing) == []
    named = Selection(run_ids=(ids[FIRST], ids[SECOND]))
    points = [row for rows in reader.read_points(uri, named, ["val/loss"], LeftOut()) for row in rows]
    assert sorted(row[2:] for row in points if row[0] == ids[FIRST]) == [(n, 1 / 3 + n) for n in range(3)]
    logged = [row for rows in reader.read_points(uri, named, ["step/train/loss"], LeftOut()) for row in rows]
    assert sorted(row[2:] for row in logged if row[0] == ids[FIRST]) == [(20, 0.5), (40, 0.125)]
    assert sorted(row[2] for row in logged if row[0] == ids[SECOND]) == [20, 40]
    lost = [value for run_id, *_, value in points if run_id == ids[SECOND]]
    assert len(lost) == 3
    assert all(value is None or math.isnan(value) for value in lost)
    details = reader.read_details(uri, ids[FIRST])
    assert details.tags[tags.ORIGIN] == f"{folder.name}-{FIRST}"
    assert details.tags[tags.PARENT] == ids[SWEEP]
    with backend.files_of(ids[FIRST], details.artifact_uri, location, ("train.log",)) as files:
        assert (files / "train.log").read_text() == "so far"

    later = folder.with_name("2026-01-02_00-00-00_b")
    (later / "run-0").mkdir(parents=True)
    taken_up = backend.open_writer(location, Recording(later, {tags.HOST: "here"}))
    taken_up.write([RunAdopted(0, ids[SECOND])])
    taken_up.flush()
    (second,) = reader.read_about(uri, Selection(run_ids=(ids[SECOND],)))
    assert second.status == "RUNNING"
    now = reader.read_details(uri, ids[SECOND]).tags
    assert (now[tags.HOST], now[tags.LAUNCH]) == ("here", later.name)
    assert tags.REASON not in now
    put_files()
    written(folder, EVENTS, again=True)  # what the earlier launch says of it is old by now
    assert reader.read_details(uri, ids[SECOND]).tags == now
    taken_up.end_what_is_running("KILLED", "it died")
    (second,) = reader.read_about(uri, Selection(run_ids=(ids[SECOND],)))
    assert second.status == "KILLED"
    assert reader.read_details(uri, ids[SECOND]).tags[tags.REASON] == "it died"
