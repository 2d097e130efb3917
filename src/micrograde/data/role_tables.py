"""A table as a data set: each column by its role, the target as classes, missing values by their rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.column_rules import ColumnRules, check_names_of, decide
from micrograde.data.columns import Column
from micrograde.data.dataset import Dataset
from micrograde.data.messages import counted, listed, quoted
from micrograde.data.missing import MissingRule
from micrograde.data.number_texts import decimal_sign, evidence
from micrograde.data.own_parts import SourceTable, columns_of
from micrograde.data.raw_table import RawTable
from micrograde.data.roles import Encoded, Role, RoleSettings
from micrograde.data.split_columns import group_numbers, row_times
from micrograde.data.table_summary import ColumnSummary, TableSummary
from micrograde.data.targets import Target, read_target

Mask = NDArray[np.bool_]

_ROWS_OF_A_VALUE = 10
"""In how many rows a value stands on average, at least, for it to tell something of the class."""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How a table becomes a data set.

    Attributes
    ----------
    target
        The column with the classes; None if it is not known yet, for ``describe_table``.
    missing
        What is done about missing values.
    rules
        What the user says of columns.
    group
        The column whose equal values stay in one part; None if rows are in no groups.
    time
        The column by which the newest rows are the test part; None if time does not matter.
    """

    target: str | None
    missing: MissingRule = "fill"
    rules: ColumnRules = field(default_factory=ColumnRules)
    group: str | None = None
    time: str | None = None


@dataclass(frozen=True, eq=False)
class DescribedTable:
    """A table of which the role of each column is known, but which has not become features.

    Attributes
    ----------
    columns
        The columns by name, without the target: those of the n rows that are used.
    roles
        The role of each.
    labels
        Shape (n,): the class of each row, an index into ``summary.classes``; zeros without a target.
    summary
        What is said about it.
    notes
        What was dropped or decided, a line each.
    rules
        What the user says of columns, with the decimal sign of numbers.
    """

    columns: Mapping[str, Column]
    roles: Mapping[str, Role]
    labels: NDArray[np.int64]
    summary: TableSummary
    notes: tuple[str, ...]
    rules: ColumnRules


def describe_table(
    raw: RawTable,
    options: TableOptions,
    *,
    file: str,
    source: str,
    validation: SourceTable | None = None,
    test: SourceTable | None = None,
) -> DescribedTable:
    """Return a table as ``dataset_of_table`` would read it, with or without a target, in little memory.

    Raises
    ------
    InputError
        As ``dataset_of_table``, but not if nothing is left to learn from, which is a note.
    """
    tables = (SourceTable(raw, source), validation, test)
    part, summary, notes = _read(tables, options, file, source, keep=False)
    if not part.encoding.columns and part.roles:
        notes = (*notes, nothing_left(part.roles, source))
    return DescribedTable(part.columns, part.roles, part.labels, summary, notes, part.rules)


def dataset_of_table(
    raw: RawTable,
    options: TableOptions,
    *,
    name: str,
    file: str,
    source: str,
    validation: SourceTable | None = None,
    test: SourceTable | None = None,
) -> Dataset:
    """Return a table as a data set.

    Parameters
    ----------
    name
        The name of the data set.
    file
        What the table is called in the paragraph about it.
    source
        What error messages start with.
    validation, test
        Tables that are the validation and the test part; None to split them off.

    Raises
    ------
    InputError
        If it cannot be used: the message says why, and what to type.
    """
    tables = (SourceTable(raw, source), validation, test)
    whole, summary, notes = _read(tables, options, file, source, keep=True)
    if not whole.encoding.columns:
        raise InputError(nothing_left(whole.roles, source))
    words, rules = whole.rules.missing_words, whole.rules
    settings = RoleSettings(decimal=rules.decimal or ".", missing_words=words, day_first=rules.day_first)
    return Dataset(
        name,
        whole.features,
        whole.labels,
        tuple(name for name, _ in summary.classes),
        whole.encoding.feature_names,
        fill_missing=bool(summary.filled),
        filled_by="median" if options.missing == "median" else "mean",
        encoding=whole.encoding,
        notes=notes,
        summary=summary,
        validation_rows=int((whole.tables == 1).sum()),
        test_rows=int((whole.tables == 2).sum()),
        groups=group_numbers(whole.columns[options.group], words) if options.group else None,
        times=row_times(whole.columns[options.time], settings) if options.time else None,
        numbers=whole.numbers,
    )


def _read(
    tables: tuple[SourceTable, SourceTable | None, SourceTable | None],
    options: TableOptions,
    file: str,
    source: str,
    *,
    keep: bool,
) -> tuple["_Part", TableSummary, tuple[str, ...]]:
    """Return the rows that are used, what is said about them, and notes; ``keep`` says to keep features."""
    raw = tables[0].raw
    names = raw.rows.column_names
    _check(raw, options, source)
    rules = replace(options.rules, elsewhere=_elsewhere(options))
    check_names_of(rules, names, options.target or "")
    columns, tables_of_rows = columns_of(tables)
    separator = next((each.split("'")[1] for each in raw.found if each.startswith("separator '")), None)
    decimal = rules.decimal or decimal_sign(
        (evidence(each.texts) for each in columns.values() if each.texts is not None), separator
    )
    rules = replace(rules, decimal=decimal)
    target = _no_target(len(tables_of_rows))
    if options.target is not None:
        target = read_target(
            columns.pop(options.target),
            na_values=rules.na_values,
            decimal=decimal,
            as_classes=rules.roles.get(options.target) == "category",
            source=f"data.target={options.target}",
        )
    labelled = target.labels >= 0
    rules = replace(rules, roles={each: role for each, role in rules.roles.items() if each != options.target})
    whole = _Part(_only(columns, labelled), target.labels[labelled], rules, source, keep=keep)
    whole.tables, whole.numbers = tables_of_rows[labelled], _numbers(tables_of_rows)[labelled]
    dropped, lost = 0, ()
    if options.missing == "error":
        whole.refuse_missing(source)
    elif options.missing == "drop" and whole.missing.any():
        kept = ~whole.missing
        if not kept.any():
            raise InputError(
                f"{source}: no row is left without missing values (data.missing=drop); {whole.widest_gap()}"
            )
        dropped = int(whole.missing.sum())
        lost = tuple(
            target.names[each]
            for each in sorted(set(whole.labels.tolist()) - set(whole.labels[kept].tolist()))
        )
        in_tables, numbers = whole.tables[kept], whole.numbers[kept]
        whole = _Part(_only(whole.columns, kept), whole.labels[kept], rules, source, keep=keep)
        whole.tables, whole.numbers = in_tables, numbers
    if options.target is not None and len(np.unique(whole.labels)) < 2:
        only = target.names[int(whole.labels[0])] if len(whole.labels) else ""
        raise InputError(
            f"data.target={options.target}: every row is of class {quoted(only)}; "
            "classification needs two or more"
        )
    classes, whole.labels = _present(target, whole.labels)
    counts = np.bincount(whole.labels, minlength=len(classes)).tolist()
    fill = options.missing in ("fill", "mean", "median")
    summary = TableSummary(
        source=file,
        rows=len(labelled),
        found=raw.found,
        columns=tuple(_summaries(names, options.target, target, whole)),
        target=options.target or "",
        classes=tuple(zip(classes, counts, strict=True)) if options.target is not None else (),
        without_label=int((~labelled).sum()),
        dropped=dropped,
        lost=lost,
        filled=("median" if options.missing == "median" else "mean") if fill else "",
    )
    return whole, summary, (*raw.notes, *target.notes, *whole.notes(classes, whole.labels))


def _numbers(tables: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the number, from 1, of each row (N,) in its own table; the tables come one after another."""
    starts = np.searchsorted(tables, tables)
    return np.asarray(np.arange(len(tables)) - starts + 1, np.int64)


def _no_target(rows: int) -> Target:
    """Return one class for all rows, for a table whose target is not known yet."""
    return Target(np.zeros(rows, np.int64), ("",), ())


def _elsewhere(options: TableOptions) -> dict[str, str]:
    """Return the columns that say how rows are split, and are no features unless the user keeps them."""
    used = {options.group: "data.group", options.time: "data.time"}
    kept = (*options.rules.keep, *options.rules.roles)
    return {name: key for name, key in used.items() if name is not None and name not in kept}


class _Part:
    """Some rows of the columns, with their roles and the features that they become."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        labels: NDArray[np.int64],
        rules: ColumnRules,
        source: str,
        *,
        keep: bool,
    ) -> None:
        self.columns, self.labels, self.rules, self.source = columns, labels, rules, source
        self.roles = decide(columns, rules, source)
        used = {name: role for name, role in self.roles.items() if role.used}
        self.encoding = ColumnEncoding(tuple(used), tuple(used.values()))
        self.found: dict[str, Encoded] = {}
        self.missing = np.zeros(len(labels), np.bool_)
        self.tables = np.zeros(len(labels), np.int64)  # which of the files each row is of
        self.numbers = np.arange(1, len(labels) + 1)  # and which row of it
        self.features = np.zeros((len(labels), 0))
        if used and keep:
            self.features = self.encoding.encode_columns(columns, source, self._note)
        elif used:
            for name, role in used.items():
                self._note(name, role.encode(columns[name]))

    def _note(self, name: str, encoded: Encoded) -> None:
        self.found[name] = replace(encoded, values=np.zeros((0, 0)))
        if encoded.missing is not None:
            self.missing |= encoded.missing

    @property
    def gaps(self) -> list[tuple[str, int]]:
        """How many rows of each column have nothing."""
        return [(name, _count(each.missing)) for name, each in self.found.items()]

    def widest_gap(self) -> str:
        """Return advice about the column that lacks most values."""
        name, count = max(self.gaps, key=lambda each: each[1])
        return (
            f"{quoted(name)} lacks {count}; data.drop=[{name}] leaves the column out, "
            "data.missing=fill fills it"
        )

    def refuse_missing(self, source: str) -> None:
        """Raise ``InputError`` if a value is missing."""
        if any(count for _, count in self.gaps):
            raise InputError(
                f"{source}: missing values in {counted(self.gaps)}; data.missing=fill fills them, "
                "data.missing=drop leaves their rows out"
            )

    def notes(self, classes: tuple[str, ...], labels: NDArray[np.int64]) -> list[str]:
        """Return lines about columns that tell the class, and those that look like groups."""
        found = []
        for name in self.encoding.columns if len(classes) > 1 else ():
            column = self.columns[name]
            if column.different <= len(labels) / _ROWS_OF_A_VALUE and _tells(
                column.as_texts, labels, len(classes)
            ):
                found.append(
                    f"{self.source}: column {quoted(name)} alone tells the class of every row; "
                    "is it known when you predict?"
                )
        for name, role in self.roles.items():
            if role.name == "identifier" and role.described().startswith("by its name"):
                found.append(
                    f"{self.source}: {quoted(name)} stands in several rows; "
                    f"data.group={name} puts the rows of each into one part"
                )
        return found


def _tells(column: Column, labels: NDArray[np.int64], classes: int) -> bool:
    """Return whether each value of a column has one class, and stands in ten rows or more on average."""
    assert column.codes is not None
    values = column.different
    if values < 2:
        return False
    pairs = np.unique((column.codes.astype(np.int64) + 1) * classes + labels)
    return len(pairs) == len(np.unique(column.codes))


def _only(columns: Mapping[str, Column], rows: Mask) -> dict[str, Column]:
    """Return some rows of the columns; texts that no longer stand anywhere are left out."""
    if rows.all():
        return dict(columns)
    return {name: column.only(rows) for name, column in columns.items()}


def _present(target: Target, labels: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    there, places = np.unique(labels, return_inverse=True)
    return tuple(target.names[each] for each in there.tolist()), places.astype(np.int64)


def _summaries(names: list[str], target: str | None, classes: Target, part: _Part) -> list[ColumnSummary]:
    found = []
    for name in names:
        if name == target:
            missing = int((classes.labels < 0).sum())
            found.append(ColumnSummary(name, "target", missing, 0, (), len(classes.names), 0, "the classes"))
            continue
        role, column = part.roles[name], part.columns[name]
        encoded = part.found.get(name)
        unreadable = _count(encoded.unreadable) if encoded else 0
        missing = _count(encoded.missing) - unreadable if encoded else _count(column.is_missing(frozenset()))
        odd = role.read_as_missing(column) if column.is_text and encoded and missing + unreadable else ()
        unreadable, missing = (
            unreadable + sum(count for _, count in odd),
            missing - sum(count for _, count in odd),
        )
        found.append(
            ColumnSummary(
                name,
                role.name,
                missing,
                unreadable,
                odd,
                column.different,
                len(role.features(name)),
                role.described(),
            )
        )
    return found


def _count(rows: Mask | None) -> int:
    return 0 if rows is None else int(rows.sum())


def _check(raw: RawTable, options: TableOptions, source: str) -> None:
    names = raw.rows.column_names
    if options.target is not None and options.target not in names:
        unnamed = "; its columns have no names" if "no header" in raw.found else ""
        raise InputError(
            f"data.target={options.target}: there is no such column{unnamed}; the columns are {listed(names)}"
        )
    if len(names) == 1 and options.target is not None:
        raise InputError(
            f"{source}: has no column beside the target {options.target!r}; needs at least one feature"
        )
    if raw.rows.num_rows == 0:
        raise InputError(f"{source}: has columns but no rows")


def nothing_left(roles: Mapping[str, Role], source: str) -> str:
    """Return the message about a table of which every column but the target is left out."""
    reasons = ", ".join(
        f"{quoted(name)} is {role.name} ({role.described()})" for name, role in list(roles.items())[:5]
    )
    first = next(iter(roles))
    return (
        f"{source}: nothing is left to learn from: {reasons}; "
        f"data.keep=[{first}] uses it as categories all the same"
    )
