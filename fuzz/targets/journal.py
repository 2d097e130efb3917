"""Journals of launches, as a writer follows them: two parts, a line or several each."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from fuzz.parts import join_parts, split_parts
from fuzz.target import FindingError, Target
from micrograde.store.events import LinesMissing
from micrograde.store.mlmodel import ModelDescription
from micrograde.tracking.events import (
    AnswerAwaited,
    DatasetInput,
    Event,
    LaunchEnded,
    MetricsLogged,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    TagsSet,
    from_json_line,
    to_json_line,
)
from micrograde.tracking.journal import follow

_DATASET = DatasetInput("moons", "d" * 36, "{}", "{}", "{}")
_MODEL = ModelDescription("micrograde.serving", ["m==1"], {"x": "double"}, {"class": "string"}, [[1.5]])
_EVENTS: list[Event] = [
    RunStarted(0, 1, "moons", "name", {"seed": "1"}, {"note": "n"}, _DATASET),
    RunStarted(1, 1, "moons", "name", {}, {}, None, 0),
    RunAdopted(2, "0123456789abcdef" * 2),
    MetricsLogged(0, 1, 1, {"train/loss": 0.5, "val/loss": float("nan")}),
    StackMetricsLogged([0, 1], 1, 1, {"train/loss": [0.5, float("inf")]}),
    TagsSet(0, {"note": "n"}),
    RunEnded(0, 2, "FINISHED", _MODEL),
    ModelLogged(0, None, "name"),
    AnswerAwaited(),
    LaunchEnded(),
]


def _read(folder: Path, content: bytes) -> object:
    (folder / "journal.jsonl").write_bytes(b"\n".join([*split_parts(content, 2), b""]))
    ended = threading.Event()
    ended.set()
    events = [event for events in follow(folder / "journal.jsonl", ended) for event in events]
    missing = [event.lines for event in events if isinstance(event, LinesMissing)]
    if missing and len(missing) == len(events):
        raise ValueError(f"{sum(missing)} lines cannot be read")
    return events


def _check(events: Any) -> None:
    """Raise unless each is an event that comes back from its own line, and whose run can name a folder."""
    for event in events:
        if not isinstance(event, get_args(Event)):
            raise FindingError(f"no event: {event!r:.100}")
        if str(from_json_line(to_json_line(event))) != str(event):  # by text, for NaN is not itself
            raise FindingError(f"another event by its line: {event!r:.100}")
        runs = [getattr(event, "run", 0), *getattr(event, "runs", [])]
        if not all(type(run) is int and run >= 0 for run in runs):
            raise FindingError(f"a run that names no folder: {event!r:.100}")
        model = getattr(event, "model", None)
        if model is not None and not model.loader_module.startswith("micrograde."):
            raise FindingError(f"a model that loads other code: {model.loader_module!r:.100}")


def _seeds() -> list[bytes]:
    lines = [to_json_line(event).encode() for event in _EVENTS]
    return [*(join_parts(line, b"") for line in lines), join_parts(b"\n".join(lines[:5]), lines[5][:20])]


def _bombs() -> Iterator[bytes]:
    for nested in (b"[" * 200_000, b'{"event":' * 200_000):
        yield join_parts(b"", nested)
    yield join_parts(b"", b'{"event": "TagsSet", "run": %s, "tags": {}}' % (b"9" * 100_000))
    yield join_parts(b"", b" " * (2**25 + 1))
    yield join_parts(
        b"", b'{"event": "MetricsLogged", "run": 0, "time": 0, "step": 0, "values": {"a": 1e999}}'
    )


JOURNAL = Target(
    "journal",
    _read,
    _seeds,
    _bombs,
    words=(
        b'"event"', b'"run"', b'"runs"', b'"values"', b'"tags"',
        b"null", b"NaN", b"-Infinity", b"1e999", b"[]", b"{}",
        *(b'"%s"' % type(event).__name__.encode() for event in _EVENTS),
    ),
    refusals=(ValueError,),
    check=_check,
)  # fmt: skip
