"""``data.path=penguins.csv`` alone chooses a data set that reads tables; a missing target is asked for."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from pydantic import ValidationError

from micrograde.config.adapters import adapter_of
from micrograde.config.commands import AnyTable
from micrograde.config.keys import key_of
from micrograde.config.quoting import override_of, quote_texts
from micrograde.core.errors import InputError
from micrograde.core.project import command_line

_OF_TABLES = ("data.path", "data.target")


def with_table(overrides: Sequence[str]) -> list[str] | None:
    """Return the overrides with a data set that reads tables, if they set a key of it and no data set.

    It is Parquet if all files that ``data.path`` names are, by their content, else ``data=csv``.

    Returns
    -------
    None
        If the overrides choose a data set, or set no such key.
    """
    keys = [key_of(each).partition("@")[0] for each in overrides]
    if "data" in keys or not any(key in keys for key in _OF_TABLES):
        return None
    paths = [path for override in overrides if key_of(override) == "data.path" for path in _values(override)]
    kinds = {_kind(path) for path in paths}
    return [f"data={'parquet' if kinds == {'parquet'} else 'csv'}", *overrides]


def _values(override: str) -> list[str]:
    """Return the values that an override sets, one for each run of a sweep."""
    try:
        parsed = OverridesParser.create().parse_override(quote_texts([override])[0])
        if not parsed.is_sweep_override():
            return [str(parsed.value())]
        return [str(each) for each in parsed.sweep_iterator()]
    except (HydraException, ValueError):
        return []  # Hydra says what is wrong with it


def _kind(path: str) -> str:
    """Return the kind of a table by its content; whoever reads a file of no such kind says what is wrong."""
    from micrograde.data.table_files import table_format

    file = Path(path).expanduser()
    try:
        return table_format(file, "data.path") if file.is_file() else "csv"
    except (InputError, OSError, ValueError):
        return "csv"


def missing_target_line(data: Mapping[str, Any]) -> str:
    """Return a line that asks for the target of a table, with its columns; empty if it cannot be read.

    Parameters
    ----------
    data
        The config's ``data``, of which ``target`` has no value.
    """
    try:
        options = adapter_of(AnyTable).validate_python({**data, "target": None})
        written = Path(options.path).expanduser().stat().st_mtime_ns
        return _line_about(dataclasses.replace(options, seed=0), written)
    except (ValidationError, InputError, OSError, ValueError):
        return ""


@lru_cache(maxsize=4)  # each job of a sweep asks
def _line_about(options: AnyTable, written: int) -> str:  # noqa: ARG001 (a table that was written anew is another)
    from micrograde.data.possible_targets import listing_of_others, listing_of_targets

    table = options.describe()
    possible, others = listing_of_targets(table), listing_of_others(table)
    line = "data.target: is missing; it names the column with what is to be learned, classes or numbers"
    line += f", which could be {possible}" if possible else ""
    line += f"; {'the others' if possible else 'the columns'} are {others}" if others else ""
    return f"{line}; {command_line('describe', override_of('data.path', options.path))} shows more"
