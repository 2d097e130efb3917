"""A project that has been moved, copied or mounted elsewhere: its store's addresses are mended.

MLflow's pages, its models and its client go by the absolute addresses in the local store. The first command
that comes to the store at its new place has them lead there. An address is one of the project's own if its
form says so, or if the files of just this run or model are here; and then so are those beside it.
"""

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from micrograde.core.bounds import LONGEST_ADDRESS, LONGEST_KEY
from micrograde.core.printable import printable
from micrograde.store.local_addresses import (
    exists_here,
    experiment_folder,
    former_places,
    lies_here,
    local_path,
)
from micrograde.store.location import StoreLocation, StoreLock
from micrograde.store.sqlite_files import open_database
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
_ID = re.compile(r"(^|/)(m-|tr-)?[0-9a-f]{32}(/|$)")  # of a run, a logged model or a trace
_MARK = "/mlruns/"


class Kept(NamedTuple):
    """An address that does not begin as those here do.

    ``own`` are the folders in ``mlruns/`` that only an experiment of this name or id has.
    """

    table: str
    column: str
    row: int
    address: str
    own: tuple[Path, ...]


class Mended(NamedTuple):
    """What an address is to become, and the ``mlruns`` that it has led to."""

    kept: Kept
    address: str
    former: Path


def mend_addresses(location: StoreLocation) -> None:
    """Have the addresses in the local store lead here if the project was elsewhere, and say so in a line.

    It takes a millisecond where there is nothing to mend. A store that cannot be written to, or not now,
    stays as it is: micrograde finds the files all the same.
    """
    database = location.database
    if not database or not database.exists() or database.stat().st_size == 0:
        return
    mended: list[Mended] = []
    with suppress(sqlite3.Error, OSError), closing(_open(database)) as connection:
        if next(find_mendable(connection, location), None) is None:
            return
        with StoreLock(location):
            connection.execute("begin immediate")
            found = list(find_mendable(connection, location))
            for kept, address, _ in found:
                update = f"update {kept.table} set {kept.column} = ? where rowid = ?"
                connection.execute(update, (address, kept.row))
            connection.execute("commit")
            mended = found
    if mended:
        print_notice(_line(mended, location))


def find_mendable(connection: sqlite3.Connection, location: StoreLocation) -> Iterator[Mended]:
    """The addresses that lead to where this project has been before, and what they should be."""

    @cache
    def places_of(stem: str) -> list[tuple[Path, Path]]:
        path = local_path(stem)
        places = list(former_places(path)) if path else []
        here = os.path.realpath(location.folder)  # by another name, such as a link, it has not moved
        return [] if any(os.path.realpath(root) == here for root, _ in places) else places

    @cache
    def may_exist(tail: Path) -> bool:
        return exists_here(Path(tail.parts[0]), location)

    def exists(tail: Path, rest: str) -> bool:
        return may_exist(tail) and exists_here(tail / rest, location)

    def mended(kept: Kept, root: Path, tail: Path, rest: str) -> Iterator[Mended]:
        if lies_here(location.folder / tail / rest, location):
            yield Mended(kept, (location.folder / tail / rest).as_uri(), root)

    proven: set[Path] = set()
    others: list[tuple[Kept, str, str]] = []
    for kept in _foreign(connection, location):
        stem, rest = _split(kept.address)
        if ".." in rest or not places_of(stem):
            continue
        for root, tail in places_of(stem):
            own = kept.own and tail / rest in kept.own
            if own or (_ID.search(rest) and exists(tail, rest)):
                proven.add(root)
                yield from mended(kept, root, tail, rest)
                break
        else:
            others.append((kept, stem, rest))
    for kept, stem, rest in others:
        for root, tail in places_of(stem):
            # Files that are still there, and not here, have not come along.
            if root in proven and (exists(tail, rest) or not os.path.exists(root / tail / rest)):
                yield from mended(kept, root, tail, rest)
                break


def _foreign(connection: sqlite3.Connection, location: StoreLocation) -> Iterator[Kept]:
    """The addresses with an ``mlruns`` in them that is not, by its name, the one here."""
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    here = (f"{location.folder.as_uri()}/", f"{location.folder}/")
    for table, column, condition in _ADDRESSES:
        if table not in tables:
            continue
        # Not by substr, which ends at the character 0.
        short = f"case when length(cast(name as blob)) <= {4 * LONGEST_KEY} then name end"
        names = f"experiment_id, {short}" if table == "experiments" else "null, null"
        query = (
            f"select rowid, {column}, {names} from {table} where {condition} "
            f"and typeof({column}) = 'text' and length({column}) <= {LONGEST_ADDRESS} "
            f"and instr({column}, '{_MARK}') "
            f"and substr({column}, 1, {len(here[0])}) <> ? and substr({column}, 1, {len(here[1])}) <> ?"
        )
        for row, address, experiment_id, name in connection.execute(query, here):
            own = (experiment_folder(name), str(experiment_id)) if isinstance(name, str) else ()
            yield Kept(table, column, row, address, tuple(Path("artifacts", each) for each in own))


def _split(address: str) -> tuple[str, str]:
    """An address up to what comes first in the last ``mlruns`` of it, and the path from there."""
    end = address.find("/", address.rfind(_MARK) + len(_MARK))
    return (address, "") if end < 0 else (address[:end], unquote(address[end + 1 :].strip("/")))


def _open(database: Path) -> sqlite3.Connection:
    return open_database(database, _WAIT_SECONDS)


def _line(mended: Sequence[Mended], location: StoreLocation) -> str:
    counts = Counter(each.former for each in mended)
    former = counts.most_common(1)[0][0]
    others = f" and {len(counts) - 1} other folders" if len(counts) > 1 else ""
    lead = (
        "1 address in its store now leads"
        if len(mended) == 1
        else f"{len(mended)} addresses in its store now lead"
    )
    return printable(f"mlruns was in {former.parent}{others}: {lead} to {location.folder}")
