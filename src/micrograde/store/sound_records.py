"""Check what is read from a store or a server before it is used.

A SQLite file does not enforce types, and a server can send anything. A run with any invalid value is left out
as a whole; the rest can be sorted, counted and put into a data frame.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from micrograde.core.bounds import (
    LATEST_TIME,
    LONGEST_ADDRESS,
    LONGEST_ID,
    LONGEST_KEY,
    LONGEST_VALUE,
    MOST_COLUMNS,
    MOST_METRICS,
    MOST_PARAMS,
    MOST_TEXT,
)
from micrograde.core.errors import InputError
from micrograde.core.terminal import say
from micrograde.store.left_out import LeftOut, shown
from micrograde.store.records import RawRuns, RunAbout, RunDetails, SweepAbout

STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_ID = re.compile(rf"[0-9A-Za-z_-]{{1,{LONGEST_ID}}}")
_NUMBERS = {int, float, type(None)}

Row = tuple[str, str, Any]
"""Run id, key and value."""
Found = TypeVar("Found", RunAbout, SweepAbout)


def sound_about(found: Iterable[RunAbout], left_out: LeftOut) -> list[RunAbout]:
    """Return the runs that have a valid id, status, times and names, and whose id appears only once."""
    return _each_once(found, left_out, lambda run: run, lambda _: None)


def sound_sweeps(found: Iterable[SweepAbout], left_out: LeftOut) -> list[SweepAbout]:
    """Return the sweeps that are valid as runs (``sound_about``) and whose tags are texts."""

    def wrong(sweep: SweepAbout) -> str | None:
        texts = {
            "digest": sweep.digest,
            "varies": sweep.varies,
            "launched": sweep.launched,
            "reported": sweep.reported,
        }
        reasons = (_wrong_text(f"tag {name}", text) for name, text in texts.items())
        return next((reason for reason in reasons if reason), None)

    return _each_once(found, left_out, lambda sweep: sweep.about, wrong)


def sound_runs(raw: RawRuns, left_out: LeftOut) -> RawRuns:
    """Return the runs whose params and tags are texts and whose metrics are numbers, within the bounds.

    If there are more than ``MOST_COLUMNS`` different params, metrics and tags, those that fewest runs have
    are left out.

    Raises
    ------
    InputError
        If the params or tags have more than ``MOST_TEXT`` characters together.
    """
    about = sound_about(raw.about, left_out)
    _check_texts("params", raw.params, left_out)
    _check_texts("tags", raw.tags, left_out)
    _check_numbers(raw.metrics, left_out)
    for what, rows, most in (
        ("params", raw.params, MOST_PARAMS),
        ("tags", raw.tags, MOST_PARAMS),
        ("metrics", raw.metrics, MOST_METRICS),
    ):
        if len({row[1] for row in rows}) > most:
            for run_id, count in Counter(row[0] for row in rows).items():
                if count > most:
                    left_out.add(run_id, f"it has {count:,} {what}, more than {most:,}")
    if gone := left_out.reasons:
        about = [run for run in about if run.run_id not in gone]
        params, metrics, tags = (
            [row for row in rows if row[0] not in gone] for rows in (raw.params, raw.metrics, raw.tags)
        )
        raw = RawRuns(about, params, metrics, tags)
    return _with_fewer_columns(RawRuns(about, raw.params, raw.metrics, raw.tags))


def sound_points(
    rows: Sequence[tuple[Any, Any, Any, Any]], left_out: LeftOut
) -> Sequence[tuple[str, str, int, float | None]]:
    """Return the valid ones of these rows: run id, metric, step (an integer) and value (a number or None)."""
    if not rows:
        return rows
    if (
        {type(row[2]) for row in rows} == {int}
        and {type(row[3]) for row in rows} <= _NUMBERS
        and _are_keys({row[1] for row in rows})
    ):
        return rows
    kept = []
    for row in rows:
        run_id, name, step, value = row
        wrong = _wrong_key("metric", name)
        if wrong is None and type(step) is not int:
            wrong = f"a step of its metric {shown(name)} is no whole number"
        if wrong is None and type(value) not in _NUMBERS:
            wrong = f"a value of its metric {shown(name)} is no number"
        if wrong is None:
            kept.append(row)
        else:
            left_out.add(run_id, wrong)
    return kept


def sound_details(run_id: str, found: RunDetails) -> RunDetails:
    """Return the details of a run that the user has named, after checking them.

    Raises
    ------
    InputError
        If one of them is invalid.
    """
    left_out = LeftOut(named=True)
    for what, given in (("params", found.params), ("tags", found.tags)):
        _check_texts(what, [(run_id, *item) for item in given.items()], left_out)
        if len(given) > MOST_PARAMS:
            left_out.add(run_id, f"it has {len(given):,} {what}, more than {MOST_PARAMS:,}")
    address = found.artifact_uri
    if type(address) is not str or len(address) > LONGEST_ADDRESS:
        left_out.add(run_id, "the address of its files is not valid")
    return found


# --- one run ------------------------------------------------------------------------------------


def _each_once(found: Iterable[Found], left_out: LeftOut, about_of: Any, wrong_of: Any) -> list[Found]:
    kept: dict[str, Found] = {}
    twice = set()
    for each in found:
        run: RunAbout = about_of(each)
        wrong = _wrong_about(run) or wrong_of(each)
        if wrong is not None:
            left_out.add(run.run_id, wrong)
        elif run.run_id in kept:
            twice.add(run.run_id)
        else:
            kept[run.run_id] = each
    for run_id in twice:
        left_out.add(run_id, "its id occurs twice")
        del kept[run_id]
    return list(kept.values())


def _wrong_about(run: RunAbout) -> str | None:
    if type(run.run_id) is not str or not _ID.fullmatch(run.run_id):
        return "that is no run id"
    if run.status not in STATUSES:
        return f"its status is none of {', '.join(STATUSES)}"
    for name, time in (("start_time", run.start_time), ("end_time", run.end_time)):
        if time is not None and not (type(time) is int and 0 <= time <= LATEST_TIME):
            return f"its {name} is no time"
    if type(run.experiment_name) is not str or len(run.experiment_name) > LONGEST_KEY:
        return "the name of its experiment is not valid"
    return _wrong_text("name", run.run_name) or _wrong_text("tag mlflow.parentRunId", run.parent_run_id)


def _wrong_text(what: str, text: object) -> str | None:
    if text is None:
        return None
    if type(text) is not str:
        return f"its {what} is no text"
    return f"its {what} has more than {LONGEST_VALUE:,} characters" if len(text) > LONGEST_VALUE else None


def _wrong_key(what: str, key: object) -> str | None:
    if type(key) is not str:
        return f"the name of a {what} is no text"
    if not key:
        return f"the name of a {what} is empty"
    if len(key) > LONGEST_KEY:
        return f"the name of a {what} has more than {LONGEST_KEY:,} characters"
    return None


def _check_texts(what: str, rows: Sequence[Row], left_out: LeftOut) -> None:
    keys, values = {row[1] for row in rows}, {row[2] for row in rows}  # sets, as most occur many times
    if _are_keys(keys) and {*map(type, values)} <= {str}:
        longest = max(map(len, values), default=0)
        if longest <= LONGEST_VALUE:
            if longest * len(rows) > MOST_TEXT and sum(len(row[2]) for row in rows) > MOST_TEXT:
                raise InputError(
                    f"the {what} of these runs have more than {MOST_TEXT:,} characters; choose fewer runs, "
                    "by experiment_name=... or sweep=..."
                )
            return
    one = what.removesuffix("s")
    for run_id, key, value in rows:
        wrong = _wrong_key(one, key)
        if wrong is None:
            wrong = _wrong_text(f"{one} {shown(key)}", b"" if value is None else value)
        if wrong is not None:
            left_out.add(run_id, wrong)


def _check_numbers(rows: Sequence[Row], left_out: LeftOut) -> None:
    if _are_keys({row[1] for row in rows}) and {type(row[2]) for row in rows} <= _NUMBERS:
        return
    for run_id, key, value in rows:
        wrong = _wrong_key("metric", key)
        if wrong is None and type(value) not in _NUMBERS:
            wrong = f"its metric {shown(key)} is no number"
        if wrong is not None:
            left_out.add(run_id, wrong)


def _are_keys(keys: set[Any]) -> bool:
    return {*map(type, keys)} <= {str} and "" not in keys and max(map(len, keys), default=0) <= LONGEST_KEY


# --- all runs -----------------------------------------------------------------------------------


def _with_fewer_columns(raw: RawRuns) -> RawRuns:
    """Drop the params, metrics and tags that fewest runs have, if there are too many different ones."""
    all_rows = (raw.params, raw.metrics, raw.tags)
    if sum(len({row[1] for row in rows}) for rows in all_rows) <= MOST_COLUMNS:
        return raw
    counts = Counter((number, row[1]) for number, rows in enumerate(all_rows) for row in rows)
    kept = {column for column, _ in counts.most_common(MOST_COLUMNS)}
    params, metrics, tags = (
        [row for row in rows if (number, row[1]) in kept] for number, rows in enumerate(all_rows)
    )
    fewer = len(counts) - MOST_COLUMNS
    say(f"left out: {fewer:,} params, metrics and tags that fewest of these runs have", sys.stderr)
    return RawRuns(raw.about, params, metrics, tags)
