"""The writer process: writes a launch's journal to its store while the launch goes on.

    python -m micrograde.tracking.writer [detached] [ahead]

With ``detached`` it goes on as a process that is no child of who started it. With ``ahead`` it is started
before its launch is known, and imports MLflow if the project's own store needs it.

It reads one line from standard input: a JSON object with the launch's ``folder``, the store's
``tracking_uri``, ``artifact_root``, ``artifacts`` and ``rows``, the ``patience`` in seconds with a store that
is unavailable after the launch has ended, whether it works ``late``, after the launch, whether a part of the
journal may have been written before (``again``), and the ``environment`` of the process that trains, as a
tag. It follows ``journal.jsonl`` in the folder until the journal says that the launch has ended, or until
standard input closes, which means that the launch has died: runs that have not ended are then ended as
KILLED.

On standard output it prints JSON objects, one per line: an answer when the journal awaits one and at the end,
which has the ``runs``, or an ``error``, or says that the store is still unavailable (``pending``) or the disk
is full (``disk_full``), and may have ``lines`` for the user; and in between a ``notice`` for the user. When
the store has everything, the folder is removed; otherwise it is kept, and the journal can be written again
from its start. ``writer.log`` and ``provenance.json`` in the folder hold what is not in the journal.
"""

import functools
import gc
import json
import os
import shutil
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from micrograde.core.atomic_files import replace_file
from micrograde.core.bounds import LONGEST_JSON
from micrograde.core.errors import InputError
from micrograde.core.full_disk import release_reserve, say_full, why_disk_is_full
from micrograde.core.json_files import read_json
from micrograde.core.project import checkout, project_home
from micrograde.core.redaction import without_password
from micrograde.store import tags
from micrograde.store.backends import backend_of
from micrograde.store.bounded_answers import bound_answers
from micrograde.store.errors import StoreAwayError
from micrograde.store.event_writer import EventWriter, Recording
from micrograde.store.location import StoreLocation, local_store
from micrograde.store.project_id import project_id
from micrograde.store.retrying import Retrying
from micrograde.store.sqlite_files import reason_of_sqlite
from micrograde.tracking.claim import Claim
from micrograde.tracking.events import AnswerAwaited, RunEnded
from micrograde.tracking.journal import JOURNAL, follow, synchronise_journal
from micrograde.tracking.launches import Launch, carrying, keep_unknown_files, remove_launch
from micrograde.tracking.provenance import provenance_tags

_PROVENANCE = "provenance.json"
_LONGEST_REASON = 1000  # characters of an error that the user sees; ``writer.log`` has all of it
# That are made before the garbage collector looks: it would look at each value that waits several times.
_NEW_OBJECTS = 50_000

_bound_answers_once = functools.cache(bound_answers)

Tell = Callable[[dict[str, object]], None]
"""A function that sends a JSON object to the launch."""


def prepare() -> None:
    """Import what writing to the project's own store will need, before a launch is assigned.

    MLflow takes a second or two. It is not imported if the store is written without: a launch that is
    recorded elsewhere then waits for it, and goes on meanwhile.
    """
    try:
        home = local_store(project_home())
        module = backend_of(home).mlflow_module(home)
    except InputError:  # no folder, or no file, for a store of its own: the launch is recorded on a server
        module = "mlflow.tracking"
    if module:
        import_mlflow(module)


@functools.cache
def import_mlflow(module: str) -> None:
    """Import a module of MLflow, with all that it needs."""
    gc.disable()  # importing makes no garbage, and collecting would take a quarter of the time
    import_module(module)
    _bound_answers_once()
    gc.freeze()
    gc.enable()


def carry(
    folder: Path,
    location: StoreLocation,
    given: dict[str, str],
    launch_is_gone: threading.Event,
    patience: float,
    tell: Tell,
    *,
    again: bool,
) -> dict[str, object]:
    """Write the whole journal to the store; return the last answer.

    Parameters
    ----------
    given
        Tags for every run.
    tell
        Sends notices, and all answers but the last, to the launch.
    again
        Whether a part of the journal may already be in the store.
    """

    def notify(notice: str, away: bool) -> None:
        tell({"notice": notice, "away": away})

    make = Retrying(location, launch_is_gone, patience, notify, folder)
    writer: EventWriter | None = None
    awaited = 0
    lines: list[str] = []
    try:
        recording = Recording(folder, given, make, again, lines.append, lambda: again or make.has_been_away)
        writer = backend_of(location).open_writer(location, recording)
        for events in follow(folder / JOURNAL, launch_is_gone):
            was_away = make.is_back
            if any(isinstance(event, RunEnded) for event in events):
                # Else the journal, carried again after a loss of power, would say KILLED.
                synchronise_journal(folder)
            writer.write(events)
            while lines:
                tell({"notice": lines.pop(0), "away": False})
            if AnswerAwaited() in events:
                writer.flush()
                if writer.failure and writer.has_failed:
                    raise writer.failure
                awaited += events.count(AnswerAwaited())
                tell({"runs": writer.recorded(), "awaited": awaited})
            if was_away and make.is_back:  # the events of the meantime have been read and written
                writer.flush()
                make.caught_up()
        writer.flush()
        writer.end_what_is_running("KILLED", "the training process died without a word")
        if make.is_back:
            make.caught_up()
        if writer.failure:
            raise writer.failure
    except StoreAwayError as error:
        return {"runs": writer.recorded() if writer else [], "pending": str(error)}
    except Exception as error:
        full = why_disk_is_full(error)
        if full:
            release_reserve(folder, "writer")
        with suppress(Exception):  # a store that cannot be reached; the first error says so
            if writer:
                writer.give_up(say_full(full) if full else "recording failed")
        if full:
            return {"runs": writer.recorded() if writer else [], "disk_full": full}
        raise
    kept = keep_unknown_files(folder, writer.known)
    if writer.missing:
        lines.append(_say_missing(writer.missing, folder))
    if kept:
        lines.append(f"files of runs whose beginning launch {folder.name} has lost are in {kept}")
    remove_launch(folder)
    return {"runs": writer.recorded(), "lines": lines}


def _say_missing(lines: int, folder: Path) -> str:
    several = "1 line" if lines == 1 else f"{lines:,} lines"
    return (
        f"{several} of the journal of launch {folder.name} could not be read; what could be is recorded, and "
        f"runs that went on there have the tag {tags.INCOMPLETE}"
    )


def main() -> None:
    """Run the writer process; see the module's description."""
    if "detached" in sys.argv[1:] and os.fork():
        os._exit(0)
    # A launch that has died does not read the answers.
    with suppress(BrokenPipeError), os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # keeps what libraries print out of the answers
        outcome: dict[str, object] = {}

        def tell(content: dict[str, object]) -> None:
            with suppress(BrokenPipeError):
                print(json.dumps(content), file=answers, flush=True)

        where = ""
        try:
            if "ahead" in sys.argv[1:]:
                prepare()
            gc.freeze()
            gc.set_threshold(_NEW_OBJECTS)
            line = sys.stdin.readline()
            if line:
                launch = json.loads(line)
                where = f" [{launch['tracking_uri']}]"
                outcome = _record(launch, tell)
        except Exception as error:
            with suppress(OSError):
                print(without_password(traceback.format_exc()), file=sys.stderr, flush=True)
            text = repr(error) if isinstance(error, KeyError) else reason_of_sqlite(error) or repr(error)
            reason = " ".join(text.split())[:_LONGEST_REASON]
            outcome = {"error": without_password(reason + where)}
        tell(outcome)
    with suppress(OSError):
        sys.stderr.flush()
    # A normal exit would tear down MLflow's modules, and the launch would wait another third of a second.
    os._exit(0)


def _record(launch: dict[str, Any], tell: Tell) -> dict[str, object]:
    """Record a launch; return the last answer."""
    folder = Path(launch["folder"])
    artifact_root = Path(launch["artifact_root"]) if launch["artifact_root"] else None
    location = StoreLocation(
        launch["tracking_uri"], artifact_root, folder.parents[1], launch["artifacts"], launch["rows"]
    )
    if module := backend_of(location).mlflow_module(location):
        import_mlflow(module)
    launch_is_gone = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        launch_is_gone.set()

    threading.Thread(target=watch, daemon=True).start()
    claim = Claim.of(folder)
    try:
        with claim.writing() if claim else nullcontext(True) as is_ours, carrying(folder):
            about = Launch.read(folder)
            if about is None:  # another writer has recorded the launch
                return {"runs": [], "by_another": True}
            if not is_ours:  # the launch has died before this process was ready, and another has begun
                return {"error": "another launch of the same sweep or run has begun in the meantime"}
            _log_to(folder / "writer.log")
            _keep_temporary_files(folder / "temporary")
            (folder / JOURNAL).touch()
            again = launch["late"] or launch["again"] or (folder / _PROVENANCE).exists()
            given = {
                **_provenance(folder, about, launch["environment"], late=launch["late"]),
                **about.process.as_tags(),
                tags.PROJECT: project_id(folder.parents[1]),
            }
            return carry(folder, location, given, launch_is_gone, launch["patience"], tell, again=again)
    except FileNotFoundError:
        if folder.exists():
            raise
        return {"runs": [], "by_another": True}


def _log_to(path: Path) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())


def _keep_temporary_files(folder: Path) -> None:
    """Keep temporary files, also those of libraries, in the launch's folder, to be removed with it."""
    shutil.rmtree(folder, ignore_errors=True)  # of a writer that was killed
    folder.mkdir(exist_ok=True)
    tempfile.tempdir = str(folder)


def _provenance(folder: Path, about: Launch, environment: str, *, late: bool) -> dict[str, str]:
    """Return the provenance tags that the launch's first writer has found, or find them if this is the first.

    So too if the file cannot be read, as after a loss of power. A writer that is ``late`` finds none, as the
    code may have changed since the launch.
    """
    path = folder / _PROVENANCE
    try:
        found: object = read_json(path, LONGEST_JSON)
    except (OSError, ValueError):
        found = None
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        return dict(found)
    if path.exists():
        print(f"{path.name} cannot be read: it is made anew", file=sys.stderr, flush=True)
    made = {} if late else provenance_tags(checkout(), about.script, environment)
    replace_file(path, json.dumps(made))
    return made


if __name__ == "__main__":
    main()
