"""A project that has been moved, copied or mounted elsewhere: its store's addresses are mended.

MLflow's pages, its models and its client go by the absolute addresses in the local store. The first command
that comes to the store at its new place has them lead there. An address is one of the project's own if its
form says so, or if the files of just this run or model are here; and then so are those beside it.
"""

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from micrograde.printable import printable
from micrograde.tracking.addresses import (
    exists_here,
    experiment_folder,
    former_places,
    lies_here,
    local_path,
)
from micrograde.tracking.store import StoreLocation, StoreLock
from micrograde.tracking.writer_process import print_notice

_WAIT_SECONDS = 2.0  # for a database that is locked; the next command looks again
_ADDRESSES = (  # table, column, and which rows
    ("experiments", "artifact_location", "1"),
    ("runs", "artifact_uri", "1"),
    ("logged_models", "artifact_location", "1"),
    ("model_versions", "source", "1"),
    ("model_versions", "storage_location", "1"),
    ("trace_tags", "value", "key = 'mlflow.artifactLocation'"),
)
_ID = re.compile(r"(m-|tr-)?[0-9a-f]{32}")  # of a run, a logged model or a trace


class _Kept(NamedTuple):
    """An address that a store keeps outside ``mlruns/``; of an experiment, what micrograde would make it."""

    table: str
    column: str
    row: int
    address: str
    path: Path
    own: tuple[Path, ...] = ()


class _Mended(NamedTuple):
    """What an address is to become, and the ``mlruns`` that it has led to."""

    kept: _Kept
    address: str
    former: Path


def mend_addresses(location: StoreLocation) -> None:
    """Have the addresses in the local store lead here if the project was elsewhere, and say so in a line.

    It takes less than a millisecond where there is nothing to mend. A store that cannot be written to, or not
    now, stays as it is: micrograde finds the files all the same.
    """
    database = location.database
    if not database or not database.exists() or database.stat().st_size == 0:
        return
    mended: Sequence[_Mended] = ()
    with suppress(sqlite3.Error, OSError), closing(_open(database)) as connection:
        if not find_mendable(connection, location):
            return
        with StoreLock(location):
            connection.execute("begin immediate")
            found = find_mendable(connection, location)
            for kept, address, _ in found:
                update = f"update {kept.table} set {kept.column} = ? where rowid = ?"
                connection.execute(update, (address, kept.row))
            connection.execute("commit")
            mended = found
    if mended:
        print_notice(_line(mended, location))


def find_mendable(connection: sqlite3.Connection, location: StoreLocation) -> list[_Mended]:
    """The addresses that lead to where this project has been before, and what they should be."""

    @cache
    def is_here(root: Path) -> bool:
        return root.is_absolute() and os.path.realpath(root) == os.path.realpath(location.folder)

    @cache
    def has_some(tail: Path) -> bool:
        return exists_here(tail, location)

    def exists(tail: Path) -> bool:
        return has_some(Path(tail.parts[0])) and exists_here(tail, location)

    mended: list[_Mended] = []
    others: list[_Kept] = []
    for kept in _foreign(connection, location):
        places = list(former_places(kept.path))
        if any(is_here(root) for root, _ in places):
            continue  # by another name for the same folder
        for root, tail in places:
            if tail in kept.own or (any(map(_ID.fullmatch, tail.parts)) and exists(tail)):
                mended.append(_Mended(kept, (location.folder / tail).as_uri(), root))
                break
        else:
            others.append(kept)
    proven = {each.former for each in mended}
    for kept in others:
        for root, tail in former_places(kept.path):
            # Files that are still there, and not here, have not come along.
            if root in proven and (exists(tail) or not os.path.exists(kept.path)):
                mended.append(_Mended(kept, (location.folder / tail).as_uri(), root))
                break
    return [each for each in mended if lies_here(local_path(each.address) or Path("/"), location)]


def _foreign(connection: sqlite3.Connection, location: StoreLocation) -> list[_Kept]:
    """The addresses that do not begin as those here do; without those of no file, such as ``s3://``."""
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    here = (f"{location.folder.as_uri()}/", f"{location.folder}/")
    found = []
    for table, column, condition in _ADDRESSES:
        if table not in tables:
            continue
        names = "experiment_id, name" if table == "experiments" else "null, null"
        query = (
            f"select rowid, {column}, {names} from {table} where {condition} and instr({column}, 'mlruns') "
            f"and substr({column}, 1, {len(here[0])}) <> ? and substr({column}, 1, {len(here[1])}) <> ?"
        )
        for row, address, experiment_id, name in connection.execute(query, here):
            path = local_path(address)
            if path is not None:
                own = {experiment_folder(name), str(experiment_id)} if name is not None else set()
                found.append(
                    _Kept(table, column, row, address, path, tuple(Path("artifacts", each) for each in own))
                )
    return found


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=_WAIT_SECONDS, isolation_level=None)


def _line(mended: Sequence[_Mended], location: StoreLocation) -> str:
    counts = Counter(each.former for each in mended)
    former = counts.most_common(1)[0][0]
    others = f" and {len(counts) - 1} other folders" if len(counts) > 1 else ""
    lead = (
        "1 address in its store now leads"
        if len(mended) == 1
        else f"{len(mended)} addresses in its store now lead"
    )
    return printable(f"mlruns was in {former.parent}{others}: {lead} to {location.folder}")
