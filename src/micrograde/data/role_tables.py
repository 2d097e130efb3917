"""A table as a data set: each column by its role, targets as classes or numbers, gaps by their rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.overrides import typed_mapping, typed_names, typed_text
from micrograde.data.column_rules import ColumnRules, check_names_of
from micrograde.data.column_summaries import column_summaries
from micrograde.data.columns import Column, number_text
from micrograde.data.dataset import CLASSIFICATION, MULTILABEL, REGRESSION, Dataset
from micrograde.data.messages import counted, listed, quoted
from micrograde.data.missing import MissingRule
from micrograde.data.number_texts import decimal_sign, evidence
from micrograde.data.own_parts import SourceTable, columns_of
from micrograde.data.raw_table import RawTable
from micrograde.data.roles import Mask, Role, RoleSettings
from micrograde.data.roles.number import odd_among_numbers
from micrograde.data.row_weights import check_weights, row_weights
from micrograde.data.several_targets import read_targets
from micrograde.data.split_columns import group_numbers, row_times
from micrograde.data.table_summary import NumberSummary, TableSummary
from micrograde.data.targets import Target, read_target
from micrograde.data.telling_columns import telling_columns, telling_sentence
from micrograde.data.units_row import without_units
from micrograde.data.used_rows import UsedRows

_MAY_BE_ODD = ("category", "identifier")
"""Roles of columns that would be numbers but for some texts."""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How a table becomes a data set.

    Attributes
    ----------
    targets
        The columns with what is to be learned; none if that is not known yet, for ``describe_table``.
    task
        ``classification`` or ``regression``, what the target is taken for; None to decide it by the column.
    missing
        What is done about missing values.
    rules
        What the user says of columns.
    group
        The column whose equal values stay in one part; None if rows are in no groups.
    time
        The column by which the newest rows are the test part; None if time does not matter.
    weight
        The column with what each row counts; None if all rows count the same.
    """

    targets: tuple[str, ...]
    missing: MissingRule = "fill"
    rules: ColumnRules = field(default_factory=ColumnRules)
    group: str | None = None
    time: str | None = None
    task: str | None = None
    weight: str | None = None


@dataclass(frozen=True, eq=False)
class DescribedTable:
    """A table of which the role of each column is known, but which has not become features.

    Attributes
    ----------
    columns
        The columns by name, without the targets: those of the n rows that are used.
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
    numbers
        Shape (n, K): the numbers to be predicted; None if that are classes, or not known.
    """

    columns: Mapping[str, Column]
    roles: Mapping[str, Role]
    labels: NDArray[np.int64]
    summary: TableSummary
    notes: tuple[str, ...]
    rules: ColumnRules
    numbers: NDArray[np.float64] | None = None


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
    return DescribedTable(
        part.columns, part.roles, part.labels, summary, notes, part.rules, part.numbers_to_learn
    )


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
        _to_learn(whole),
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
        task=_task_of(whole),
        target_names=() if whole.numbers_to_learn is None else summary.targets,
        weights=whole.weights,
    )


def _to_learn(used: UsedRows) -> NDArray[Any]:
    """Return the labels of the rows, see ``Dataset.labels``."""
    if used.numbers_to_learn is None:
        return used.labels
    return used.numbers_to_learn.astype(np.int64) if used.truths_to_learn else used.numbers_to_learn


def _task_of(used: UsedRows) -> str:
    if used.numbers_to_learn is None:
        return CLASSIFICATION
    return MULTILABEL if used.truths_to_learn else REGRESSION


def _read(
    tables: tuple[SourceTable, SourceTable | None, SourceTable | None],
    options: TableOptions,
    file: str,
    source: str,
    *,
    keep: bool,
) -> tuple[UsedRows, TableSummary, tuple[str, ...]]:
    """Return the rows that are used, what is said about them, and notes; ``keep`` says to keep features."""
    first, *others = plain = [
        each and SourceTable(without_units(each.raw, each.source), each.source) for each in tables
    ]
    assert first is not None
    raw = first.raw
    units = [
        0 if each is None or before is None else before.raw.rows.num_rows - each.raw.rows.num_rows
        for each, before in zip(plain, tables, strict=True)
    ]
    names = raw.rows.column_names
    _check(raw, options, source)
    rules = replace(options.rules, elsewhere=_elsewhere(options))
    check_names_of(rules, names, options.targets)
    columns, tables_of_rows = columns_of((first, *others))
    separator = next((each.split("'")[1] for each in raw.found if each.startswith("separator '")), None)
    decimal = rules.decimal or decimal_sign(
        (evidence(each.texts) for each in columns.values() if each.texts is not None), separator
    )
    rules = replace(rules, decimal=decimal)
    target = _no_target(len(tables_of_rows))
    if options.targets:
        target = _target([columns.pop(name) for name in options.targets], options, rules, decimal)
    labelled = target.labels >= 0
    without_label = int((~labelled).sum())
    numbers_of_rows, weights, weightless = _numbers(tables_of_rows, units), None, ()
    if options.weight is not None:
        weighing = RoleSettings(decimal=decimal, missing_words=rules.missing_words)
        weights = row_weights(columns[options.weight], weighing)
        check_weights(weights[labelled], numbers_of_rows[labelled], f"data.weight={options.weight}")
        of_class = np.unique(target.labels[labelled])
        labelled &= weights > 0
        weightless = tuple(
            target.names[each] for each in np.setdiff1d(of_class, target.labels[labelled]).tolist()
        )
    rules = replace(
        rules, roles={each: role for each, role in rules.roles.items() if each not in options.targets}
    )
    whole = UsedRows(_only(columns, labelled), target.labels[labelled], rules, source, keep=keep)
    whole.tables, whole.numbers = tables_of_rows[labelled], numbers_of_rows[labelled]
    whole.numbers_to_learn = None if target.numbers is None else target.numbers[labelled]
    whole.truths_to_learn = target.are_truths
    whole.weights = None if weights is None else weights[labelled]
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
        to_learn = None if whole.numbers_to_learn is None else whole.numbers_to_learn[kept]
        kept_weights = None if whole.weights is None else whole.weights[kept]
        whole = UsedRows(_only(whole.columns, kept), whole.labels[kept], rules, source, keep=keep)
        whole.tables, whole.numbers, whole.numbers_to_learn = in_tables, numbers, to_learn
        whole.weights, whole.truths_to_learn = kept_weights, target.are_truths
    if whole.numbers_to_learn is not None:
        for name, numbers in zip(options.targets, whole.numbers_to_learn.T, strict=True):
            if (numbers == numbers[0]).all():
                same = f"has the number {number_text(float(numbers[0]))}"
                if target.are_truths:
                    same = f"says {'yes' if numbers[0] else 'no'}"
                raise InputError(f"data.target={name}: every row {same}; there is nothing to learn")
    elif options.targets and len(np.unique(whole.labels)) < 2:
        only = target.names[int(whole.labels[0])] if len(whole.labels) else ""
        raise InputError(
            f"data.target={options.targets[0]}: every row is of class {quoted(only)}; "
            "classification needs two or more"
        )
    classes: tuple[str, ...] = ()
    if target.numbers is None:
        classes, whole.labels = _present(target, whole.labels)
    counts = np.bincount(whole.labels, minlength=len(classes)).tolist()
    fill = options.missing in ("fill", "mean", "median")
    telling = telling_columns(whole, len(classes))
    summary = TableSummary(
        source=file,
        rows=len(target.labels),
        found=raw.found,
        columns=tuple(column_summaries(names, options.targets, target, whole)),
        targets=options.targets,
        classes=tuple(zip(classes, counts, strict=True)) if options.targets and classes else (),
        numbers=()
        if whole.numbers_to_learn is None
        else tuple(
            NumberSummary.of(each, are_truths=target.are_truths)
            for each in np.ascontiguousarray(whole.numbers_to_learn.T)
        ),
        without_label=without_label,
        without_weight=int((~labelled).sum()) - without_label,
        weightless=weightless,
        weight=options.weight or "",
        weights=(float(whole.weights.min()), float(whole.weights.max())) if whole.weights is not None else (),
        dropped=dropped,
        lost=lost,
        telling=telling,
        filled=("median" if options.missing == "median" else "mean") if fill else "",
    )
    return whole, summary, (*raw.notes, *target.notes, *_notes(whole, telling, source))


def _notes(used: UsedRows, telling: tuple[str, ...], source: str) -> list[str]:
    """Return lines about columns that tell the class, and those that look like groups."""
    found = [f"{source}: {telling_sentence(name)}" for name in telling]
    settings = RoleSettings(decimal=used.rules.decimal or ".", missing_words=used.rules.missing_words)
    for name, role in used.roles.items():
        is_decided = name not in (*used.rules.roles, *used.rules.keep)
        odd = (
            odd_among_numbers(used.columns[name], settings) if is_decided and role.name in _MAY_BE_ODD else ()
        )
        if odd:
            found.append(
                f"{source}: {quoted(name)} holds numbers but for {counted(odd)}, and is {role.name}; "
                f"{typed_mapping('data.roles', {name: 'number'})} reads the numbers, and those as missing"
            )
        if role.name == "identifier" and role.described().startswith("by its name"):
            found.append(
                f"{source}: {quoted(name)} stands in several rows; "
                f"{typed_text('data.group', name)} puts the rows of each into one part"
            )
    return found


def _numbers(tables: NDArray[np.integer], units: Sequence[int]) -> NDArray[np.int64]:
    """Return the number, from 1, of each row (N,) in its own table; the tables come one after another.

    ``units`` says how many rows of units each table begins with.
    """
    starts = np.searchsorted(tables, tables)
    return np.asarray(np.arange(len(tables)) - starts + 1 + np.array(units)[tables], np.int64)


def _target(columns: Sequence[Column], options: TableOptions, rules: ColumnRules, decimal: str) -> Target:
    """Return what the columns of the targets hold."""
    tasks = [_task_of_target(column.name, options, rules) for column in columns]
    if options.task == MULTILABEL and len(columns) == 1:
        raise InputError(
            f"task={MULTILABEL}: is for several columns of yes and no, and data.target={columns[0].name} is "
            "one; name several, as in data.target=[a,b], or leave task out"
        )
    if len(columns) == 1:
        return read_target(
            columns[0],
            na_values=rules.na_values,
            decimal=decimal,
            task=tasks[0],
            source=f"data.target={columns[0].name}",
        )
    for column, task in zip(columns, tasks, strict=True):
        by_truth = rules.roles.get(column.name) == "truth" and not options.task
        if task == CLASSIFICATION and not by_truth:
            given = {column.name: rules.roles.get(column.name, "")}
            said = f"task={task}" if options.task else typed_mapping("data.roles", given)
            raise InputError(
                f"{said}: several columns are learned together only as numbers, or as yes and no; leave it "
                f"out, or name one target, {typed_text('data.target', column.name)}"
            )
    together = REGRESSION if all(tasks) else None
    if options.task == MULTILABEL or all(rules.roles.get(column.name) == "truth" for column in columns):
        together = MULTILABEL
    return read_targets(columns, na_values=rules.na_values, decimal=decimal, task=together)


def _task_of_target(name: str, options: TableOptions, rules: ColumnRules) -> str | None:
    """Return what a target is taken for, by the task or by the role that a user gives the column."""
    by_role = {"category": CLASSIFICATION, "truth": CLASSIFICATION, "number": REGRESSION}
    given = rules.roles.get(name, "")
    task = by_role.get(given)
    fits = task == options.task or (given == "truth" and options.task == MULTILABEL)
    if task and options.task and not fits:
        role = typed_mapping("data.roles", {name: given})
        raise InputError(f"task={options.task}: does not fit {role}; leave out one of the two")
    return options.task or task


def _no_target(rows: int) -> Target:
    """Return one class for all rows, for a table whose target is not known yet."""
    return Target(np.zeros(rows, np.int64), ("",), ())


def _elsewhere(options: TableOptions) -> dict[str, str]:
    """Return the columns that say something of rows, and are no features unless the user keeps them."""
    used = {options.group: "data.group", options.time: "data.time", options.weight: "data.weight"}
    kept = (*options.rules.keep, *options.rules.roles)
    return {name: key for name, key in used.items() if name is not None and name not in kept}


def _only(columns: Mapping[str, Column], rows: Mask) -> dict[str, Column]:
    """Return some rows of the columns; texts that no longer stand anywhere are left out."""
    if rows.all():
        return dict(columns)
    return {name: column.only(rows) for name, column in columns.items()}


def _present(target: Target, labels: NDArray[np.int64]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    there, places = np.unique(labels, return_inverse=True)
    return tuple(target.names[each] for each in there.tolist()), places.astype(np.int64)


def _check(raw: RawTable, options: TableOptions, source: str) -> None:
    names = raw.rows.column_names
    for target in options.targets:
        if target not in names:
            unnamed = "; its columns have no names" if "no header" in raw.found else ""
            raise InputError(
                f"data.target={target}: there is no such column{unnamed}; the columns are {listed(names)}"
            )
    if options.targets and len(names) == len(options.targets):
        targets = "target" if len(names) == 1 else "targets"
        raise InputError(
            f"{source}: has no column beside the {targets} {listed(names)}; needs at least one feature"
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
        f"{typed_names('data.keep', first)} uses it as categories all the same"
    )
