"""Tables, as CSV, Parquet and other files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import (
    PROGRAM,
    ColumnName,
    ColumnNames,
    ColumnOrColumns,
    Flag,
    LineOfNames,
    MappingOfNames,
    PositiveInt,
    Text,
)
from micrograde.core.overrides import list_override
from micrograde.core.recipe_versions import EXACT_LABELS, ROLES_OF_COLUMNS, DefaultBefore, Later
from micrograde.data.column_rules import ColumnRules
from micrograde.data.dataset import CLASSIFICATION, Dataset
from micrograde.data.files import name_of_file
from micrograde.data.missing import MissingRule, plain_rule
from micrograde.data.own_parts import SourceTable
from micrograde.data.plain_tables import read_csv, read_parquet
from micrograde.data.raw_table import RawTable, ReadingOptions
from micrograde.data.role_tables import DescribedTable, TableOptions, dataset_of_table, describe_table
from micrograde.data.sets import DATA_SETS, DataSet
from micrograde.data.table_files import read_table

_WITH_NOTHING = Later(since=ROLES_OF_COLUMNS, legacy=None)
_WITH_NONE = Later(since=ROLES_OF_COLUMNS, legacy=())


@dataclass(frozen=True, kw_only=True)
class TableWithRoles(DataSet):
    """A table: a row is a sample, a column or several the target, the others features or not, by their roles.

    Parameters
    ----------
    target
        The column with what is to be learned, classes or numbers; or a list of several columns of numbers,
        such as ``[height,weight]``.
    missing
        What to do about missing values: fill (numbers with the training part's mean, categories with one of
        their own), median (likewise, with the median), drop (their rows), or error.
    drop
        Columns that are left out: a list such as ``[id,name]``.
    keep
        Columns that are used though they look like identifiers, free text or constants.
    roles
        Roles of columns, such as ``'{zip: category}'`` or ``'["post code: category"]'``: number, category,
        truth, date, clock, identifier, text, constant, dropped.
    max_categories
        The most categories that a column keeps, the most frequent ones; the others are one together.
    na_values
        Texts that stand for missing values, beside the usual ones.
    decimal
        The decimal sign of numbers, ``.`` or ``,``; null to find it out.
    day_first
        Whether 03/04/2024 is the third of April; null to find it out.
    group
        A column, such as a customer's number, whose equal values are wholly in one part; null for none.
    time
        A column of dates or numbers by which the newest rows are the test part, and those before them the
        validation part; null for none.
    weight
        A column with what each row counts in the loss, which is no feature: a weight of 2 is the row twice,
        and 0 leaves it out; null for none.
    """

    target: Annotated[ColumnOrColumns, PROGRAM]
    missing: Annotated[MissingRule, DefaultBefore(version=ROLES_OF_COLUMNS, value="error"), PROGRAM] = "fill"
    drop: Annotated[ColumnNames, _WITH_NONE, PROGRAM] = ()
    keep: Annotated[ColumnNames, _WITH_NONE, PROGRAM] = ()
    roles: Annotated[
        tuple[tuple[str, str], ...], MappingOfNames(), Later(since=ROLES_OF_COLUMNS, legacy={}), PROGRAM
    ] = ()
    max_categories: Annotated[PositiveInt, Later(since=ROLES_OF_COLUMNS, legacy=30), PROGRAM] = 30
    na_values: Annotated[ColumnNames, _WITH_NONE, PROGRAM] = ()
    decimal: Annotated[Literal[".", ","] | None, _WITH_NOTHING, PROGRAM] = None
    day_first: Annotated[Flag | None, _WITH_NOTHING, PROGRAM] = None
    group: Annotated[ColumnName | None, _WITH_NOTHING, PROGRAM] = None
    time: Annotated[ColumnName | None, _WITH_NOTHING, PROGRAM] = None
    weight: Annotated[ColumnName | None, _WITH_NOTHING, PROGRAM] = None

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The columns with what is to be learned; none if they are only asked for, as by ``describe``."""
        return (self.target,) if isinstance(self.target, str) else tuple(self.target or ())

    def options(self, task: str | None = None) -> TableOptions:
        """Return how the table becomes a data set; ``task`` as in ``load_of_version``."""
        rules = ColumnRules(
            drop=self.drop,
            keep=self.keep,
            roles=dict(self.roles),
            max_categories=self.max_categories,
            na_values=self.na_values,
            decimal=self.decimal,
            day_first=self.day_first,
        )
        return TableOptions(
            targets=self.target_columns,
            missing=self.missing,
            rules=rules,
            group=self.group,
            time=self.time,
            task=task,
            weight=self.weight,
        )


@dataclass(frozen=True, kw_only=True)
class Table(TableWithRoles):
    """A table in a file.

    Parameters
    ----------
    path
        The file, relative to where the command is run.
    separator
        The character between the values of a row, or tab, or whitespace for runs of tabs and spaces; null to
        find it out.
    encoding
        The encoding of a text file; null for UTF-8, or Windows-1252 if it is not that.
    header
        Whether the first row holds the names of the columns, or the number of the line that does; null to
        find it out.
    sheet
        The sheet of a workbook; null for the first.
    validation_path, test_path
        A table that is the validation part, or the test part; null to split it off.
    """

    name: str
    path: Annotated[Text, PROGRAM]
    separator: Annotated[Text | None, _WITH_NOTHING, PROGRAM] = None
    encoding: Annotated[Text | None, _WITH_NOTHING, PROGRAM] = None
    header: Annotated[LineOfNames | None, _WITH_NOTHING, PROGRAM] = None
    sheet: Annotated[ColumnName | None, _WITH_NOTHING, PROGRAM] = None
    validation_path: Annotated[Text | None, _WITH_NOTHING, PROGRAM] = None
    test_path: Annotated[Text | None, _WITH_NOTHING, PROGRAM] = None
    path_keys: ClassVar[tuple[str, ...]] = ("path", "validation_path", "test_path")
    size_key: ClassVar[str | None] = "path"

    @property
    def experiment_name(self) -> str:
        """The name of the file without its ending, such as ``.csv`` or ``.csv.gz``."""
        return name_of_file(self.path) or self.name

    @property
    def has_validation(self) -> bool:
        """Whether there is a validation part: split off, or a file."""
        return self.validation_path is not None or super().has_validation

    @property
    def source(self) -> str:
        """What messages about the file start with."""
        return f"data.path={self.path}"

    @property
    def reading(self) -> ReadingOptions:
        """What is said of the file."""
        return ReadingOptions(
            separator=self.separator, encoding=self.encoding, header=self.header, sheet=self.sheet
        )

    def raw(self) -> RawTable:
        """Return the table as it stands in the file."""
        return read_table(self.path, self.reading, targets=self.target_columns, source=self.source)

    def load(self) -> Dataset:
        """Return the table, each column by its role; see ``dataset_of_table``."""
        return self._load(None)

    def _load(self, task: str | None) -> Dataset:
        file = Path(self.path).name
        return dataset_of_table(
            self.raw(),
            self.options(task),
            name=self.name,
            file=file,
            source=self.source,
            validation=self._part("validation_path"),
            test=self._part("test_path"),
        )

    def describe(self, task: str | None = None) -> DescribedTable:
        """Return the table, each column with its role but without its features; see ``describe_table``."""
        return describe_table(
            self.raw(),
            self.options(task),
            file=Path(self.path).name,
            source=self.source,
            validation=self._part("validation_path"),
            test=self._part("test_path"),
        )

    def _part(self, key: str) -> SourceTable | None:
        path = getattr(self, key)
        if path is None:
            return None
        source = f"data.{key}={path}"
        return SourceTable(read_table(path, self.reading, targets=self.target_columns, source=source), source)


def target_of_classes(data: TableWithRoles, task: str | None, version: int) -> str:
    """Return the target of a recipe from before there were roles.

    Raises
    ------
    InputError
        If it is to learn anything but the classes of one column.
    """
    if task not in (None, CLASSIFICATION):
        raise InputError(
            f"task={task}: a recipe of version {version} knows classes alone; leave recipe_version out"
        )
    if len(data.target_columns) > 1:
        raise InputError(
            f"{list_override('data.target', data.target_columns)}: a recipe of version {version} knows one "
            "target alone; leave recipe_version out"
        )
    return data.target_columns[0]


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class CsvTable(Table):
    """Your own table of any kind of text file: one row a sample; what becomes of each column is said."""

    name: Literal["csv"] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "")

    def load_of_version(self, version: int, task: str | None = None) -> Dataset:
        """Return the table as recipes of a version read it; before roles, texts were one-hot."""
        if version >= ROLES_OF_COLUMNS:
            return self._load(task)
        return read_csv(
            path=self.path,
            target=target_of_classes(self, task, version),
            missing=plain_rule(self.missing),
            exact_labels=version >= EXACT_LABELS,
        )


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class ParquetTable(Table):
    """Your own Parquet table: one row a sample; what becomes of each column is said."""

    name: Literal["parquet"] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = ("parquet", "pq")

    def load_of_version(self, version: int, task: str | None = None) -> Dataset:
        """Return the table as recipes of a version read it; before roles, texts were one-hot."""
        if version >= ROLES_OF_COLUMNS:
            return self._load(task)
        return read_parquet(
            path=self.path,
            target=target_of_classes(self, task, version),
            missing=plain_rule(self.missing),
            exact_labels=version >= EXACT_LABELS,
        )
