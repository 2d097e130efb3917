"""Tables, as CSV and as Parquet."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from micrograde.core.hyperparameters import PROGRAM, Text
from micrograde.data.dataset import Dataset
from micrograde.data.files import name_of_file
from micrograde.data.missing import MissingRule
from micrograde.data.sets import DATA_SETS, DataSet
from micrograde.data.tables import read_csv, read_parquet


@dataclass(frozen=True, kw_only=True)
class Table(DataSet):
    """A table: a row is a sample, one column the target, the others features.

    Parameters
    ----------
    path
        The file, relative to where the command is run.
    target
        The column with the classes.
    missing
        What to do about missing values: error, drop (the rows), or mean (fill numbers with the training
        part's mean).
    """

    name: str
    path: Annotated[Text, PROGRAM]
    target: Annotated[Text, PROGRAM]
    missing: Annotated[MissingRule, PROGRAM] = "error"
    path_keys: ClassVar[tuple[str, ...]] = ("path",)
    size_key: ClassVar[str | None] = "path"

    @abstractmethod
    def read(self, *, exact_labels: bool) -> Dataset:
        """Return the table, its classes as they are written in the file or parsed like any other column."""

    def load(self) -> Dataset:
        """Return the table, its classes as they are written in the file; see ``DataSet``."""
        return self.read(exact_labels=True)

    def load_by_version_1(self) -> Dataset:
        """Return the table with its classes parsed like any other column.

        Texts that are numbers are then numbers, and words such as ``NA`` missing. If no class is lost by
        that, the data set is the same.
        """
        return self.read(exact_labels=False)

    @property
    def experiment_name(self) -> str:
        """The name of the file without its ending, such as ``.csv`` or ``.csv.gz``."""
        return name_of_file(self.path) or self.name

    @property
    def target_column(self) -> str:
        """The column that holds the classes."""
        return self.target


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class CsvTable(Table):
    """Your own CSV table: one row a sample; all columns but the target are features, texts one-hot."""

    name: Literal["csv"] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = ("csv", "")

    def read(self, *, exact_labels: bool) -> Dataset:
        """Return the table; see ``read_csv``."""
        return read_csv(path=self.path, target=self.target, missing=self.missing, exact_labels=exact_labels)


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class ParquetTable(Table):
    """Your own Parquet table: one row a sample; all columns but the target are features, texts one-hot."""

    name: Literal["parquet"] = "parquet"
    suffixes: ClassVar[tuple[str, ...]] = ("parquet", "pq")

    def read(self, *, exact_labels: bool) -> Dataset:
        """Return the table; see ``read_parquet``."""
        return read_parquet(
            path=self.path, target=self.target, missing=self.missing, exact_labels=exact_labels
        )
