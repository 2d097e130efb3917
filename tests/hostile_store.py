"""A store that MLflow has made, and what somebody who may write to it can do to it: hypothesis draws changes of it."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from micrograde.core.printable import printable
from micrograde.store import StoreLocation, local_store

EXAMPLES = int(os.environ.get("MICROGRADE_EXAMPLES", "0"))
"""How many of each kind `make check-release` wants drawn, anew each time."""
LONGEST_LINE = 1000
TABLES = ("runs", "experiments", "tags", "params", "metrics", "latest_metrics")
ESCAPES = "\x1b[31mred\x1b]0;title\x07 \x9b31m \u202egpj.exe \x85 a\nb"
LONG = "x" * 300_000
NESTED = "[" * 100_000
TEXTS = (
    "",
    "abc",
    ESCAPES,
    "a\0b",
    "../../x",
    "x" * 4000,
    LONG,
    NESTED,
    "1e999",
    "-5",
    "NaN",
    "true",
    "10" * 400,
)
BLOBS = (b"", b"\xff\xfe\x00", b"\x80" * 100_000, b"12")
NUMBERS = (None, -5, 0, 2**62, -(2**63), 1.5, 1e300, float("inf"), -float("inf"))
values = st.sampled_from([*TEXTS, *BLOBS, *NUMBERS]) | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=30)

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select"
SCHEMAS = (
    "drop table {0}",
    "alter table {0} rename to elsewhere; create view {0} as select * from elsewhere",
    "alter table {0} rename to elsewhere; create view {0} as " + ENDLESS + " elsewhere.* from elsewhere, n",
    "alter table {0} rename to elsewhere; create view {0} as " + ENDLESS + " e.* from elsewhere e where "
    "(select count(*) from n) > 0",
    "create trigger t after insert on {0} begin delete from runs; end",
    "insert into {0} select * from {0}; insert into {0} select * from {0}",
    "delete from {0}",
    "update alembic_version set version_num = 'later'",
    "alter table {0} add column more generated always as (hex(zeroblob(10000000)))",
    "create virtual table v using fts4(a); drop table {0}; alter table v rename to {0}",
)
"""What can be done to a table as a whole; ``{0}`` is its name."""


def drawn(count: int) -> settings:
    """So many examples, the same each time; or as many as are wanted, at random."""
    return settings(
        max_examples=EXAMPLES or count,
        derandomize=not EXAMPLES,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


@dataclass(frozen=True)
class HostileStore:
    """A home with a store whose tables have lost their types and keys, so that anything can stand in them.

    Attributes
    ----------
    victim
        The id of the run that changes are made to.
    honest
        Those of all others, and ``sweep`` of the sweep that two of them are in.
    """

    home: Path
    victim: str
    honest: frozenset[str]
    sweep: str

    @property
    def location(self) -> StoreLocation:
        return local_store(self.home)

    @property
    def database(self) -> Path:
        return self.home / "mlruns" / "mlflow.db"

    def copied_to(self, home: Path) -> "HostileStore":
        """A copy to be changed; what an earlier example has left there goes."""
        shutil.rmtree(home, ignore_errors=True)
        (home / "mlruns").mkdir(parents=True)
        shutil.copy(self.database, home / "mlruns")
        return HostileStore(home, self.victim, self.honest, self.sweep)

    def execute(self, script: str, *values: object) -> None:
        """Change the store; several statements take no values."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as store:
            store.execute(script, values) if values else store.executescript(script)

    def columns(self, table: str) -> list[str]:
        with closing(sqlite3.connect(self.database)) as store:
            return [row[1] for row in store.execute(f"pragma table_info({table})")]


def loosen(home: Path) -> None:
    """Take types, keys and checks from the tables, as a file of somebody else's need not have them."""
    with closing(sqlite3.connect(home / "mlruns" / "mlflow.db", isolation_level=None)) as store:
        store.execute("pragma foreign_keys = off")
        store.execute("pragma legacy_alter_table = on")
        for table in TABLES:
            store.executescript(
                f"create table loose as select * from {table}; drop table {table}; alter table loose rename to {table}"
            )


@st.composite
def changed_rows(draw: st.DrawFn, store: HostileStore) -> list[tuple[str, str, object, bool]]:
    """Changes of the victim's rows: table, column, value, and whether all such rows or one."""
    changes: list[tuple[str, str, object, bool]] = []
    for _ in range(draw(st.integers(1, 3))):
        table = draw(st.sampled_from([each for each in TABLES if each != "experiments"]))
        column = draw(st.sampled_from(store.columns(table)))
        changes.append((table, column, draw(values), draw(st.booleans())))
    return changes


def change_rows(store: HostileStore, changes: list[tuple[str, str, object, bool]]) -> None:
    """Make them; a text with broken characters where a blob is to be one."""
    for table, column, value, every in changes:
        which = "run_uuid = ?" if every else f"rowid = (select min(rowid) from {table} where run_uuid = ?)"
        given = "cast(? as text)" if isinstance(value, bytes) and every else "?"
        store.execute(f"update {table} set {column} = {given} where {which}", value, store.victim)


@st.composite
def broken_files(draw: st.DrawFn) -> tuple[str, float, bytes]:
    """What becomes of the file as bytes: cut, overwritten at a place, or something else."""
    kind = draw(st.sampled_from(["cut", "overwritten", "other"]))
    return kind, draw(st.floats(0, 1)), draw(st.binary(max_size=200))


def break_file(store: HostileStore, change: tuple[str, float, bytes]) -> None:
    kind, share, content = change
    before = store.database.read_bytes()
    place = int(share * len(before))
    after = {
        "cut": before[:place],
        "overwritten": before[:place] + content + before[place + len(content) :],
        "other": content,
    }
    store.database.write_bytes(after[kind])


def check_line(text: str) -> None:
    """What is said is one line, and nothing in it is a character that a terminal acts on."""
    assert text
    assert printable(text) == text
    assert "\n" not in text
    assert len(text) <= LONGEST_LINE
