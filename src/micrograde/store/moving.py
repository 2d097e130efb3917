"""Correct the addresses in the store of a project that has been moved, copied or mounted elsewhere.

MLflow's pages, its models and its client use the absolute addresses in the local store. The first command
that opens the store at its new place makes them lead there. An address belongs to the project if it is one
that micrograde gives, or if the files of the same run or model exist here; then other addresses in the same
former folder belong to it, too.
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
from micrograde.core.terminal import print_notice
from micrograde.store.local_addresses import (
    exists_here,
    experiment_folder,
    former_places,
    lies_here,
    local_path,
)
from micrograde.store.location import StoreLocation, StoreLock
from micrograde.store.sqlite_files import open_database

_WAIT_SECONDS = 2.0  # for a database that is locked; the next command looks again
_ADDRESSES = (  # table, column, and a condition for rows
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
    """An address in the store that does not lead into this ``mlruns/``.

    Attributes
    ----------
    table, column, row
        Where the address is in the store.
    own
        The folders in ``mlruns/`` that only the experiment of this row can have, by its name or id.
    """

    table: str
    column: str
    row: int
    address: str
    own: tuple[Path, ...]


class Mended(NamedTuple):
    """A corrected address, and the former ``mlruns`` that it has led to."""

    kept: Kept
    address: str
    former: Path


def mend_addresses(location: StoreLocation) -> None:
    """Correct the addresses in the local store if the project has been moved, and print a line about it.

    It takes a millisecond if there is nothing to correct. A store that cannot be written to, or is locked, is
    left unchanged: micrograde finds the files nevertheless.
    """
    database = location.database
    if not database.exists() or database.stat().st_size == 0:
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
    """Yield the addresses that lead to a former place of this project, with their corrections."""

    @cache
    def places_of(stem: str) -> list[tuple[Path, Path]]:
        path = local_path(stem)
        places = list(former_places(path)) if path else []
        here = os.path.realpath(location.folder)  # under another name, such as a link, it has not been moved
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
            # Files that exist there and not here have not been moved.
            if root in proven and (exists(tail, rest) or not os.path.exists(root / tail / rest)):
                yield from mended(kept, root, tail, rest)
                break


def _foreign(connection: sqlite3.Connection, location: StoreLocation) -> Iterator[Kept]:
    """Yield the addresses that contain an ``mlruns`` whose path is not the one of this project."""
    tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    here = (f"{location.folder.as_uri()}/", f"{location.folder}/")
    for table, column, condition in _ADDRESSES:
        if table not in tables:
            continue
        # Not with substr, which stops at a NUL character.
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
    """Split an address after the first folder in its last ``mlruns``; the rest is percent-decoded."""
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
