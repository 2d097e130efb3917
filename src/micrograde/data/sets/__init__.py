"""Data sets that ``data=<name>`` chooses: one file for each, found by itself.

A data set's fields are the keys of the config group ``data``; ``load`` makes or reads its rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, fields
from typing import Annotated, ClassVar

from micrograde.core.errors import InputError
from micrograde.core.hyperparameters import PROGRAM, Flag, Fraction, PositiveInt, Range, Seed
from micrograde.core.plugins import plugin_of
from micrograde.core.recipe_versions import FOLDS, Later
from micrograde.core.registry import Registry
from micrograde.data.dataset import Dataset
from micrograde.data.folds import Fold

Classes = Annotated[int, Range(ge=2)]
NumberFromZero = Annotated[int, Range(ge=0)]
_LATER = Later(since=FOLDS, legacy=None)

DATA_SETS: "Registry[type[DataSet]]" = Registry("data set", __name__)


@dataclass(frozen=True, kw_only=True)
class DataSet(ABC):
    """Where rows come from, and how they are split; the fields are hyperparameters.

    Parameters
    ----------
    seed
        Seed of the split.
    validation_fraction
        The fraction of the rows in the validation part; with 0 there is none.
    test_fraction
        The fraction of the rows in the test part; with 0 there is none, but for the source's own.
    stratify
        Whether each part has the classes in the proportion of all rows; of no effect on numbers.
    standardize
        Whether features are shifted and scaled to mean 0 and standard deviation 1 in the training part.
    folds
        How many folds the rows are dealt into, of which each is the test part of a run; null for a split by
        fractions. The validation part is then a fraction of the rows outside the fold.
    fold
        The fold that a run is tested on, from 0; null for a run for each.
    repeats
        How many times rows are dealt into folds anew, with runs for each; of the launch, not of a run's
        recipe.
    repeat
        The number of the repeat, from 0; null for all.

    Attributes
    ----------
    path_keys
        The fields that are paths of files, which replay can be told anew: ``path``.
    suffixes
        The endings of the files that ``path`` names, such as ``csv``; "" stands for every other ending.
    size_key
        The field that a message names when the data do not fit into memory; None for ``name``.
    typed
        Whether a user types its name; False if a program chooses it.
    """

    seed: Annotated[Seed, PROGRAM] = 0
    validation_fraction: Annotated[Fraction, PROGRAM] = 0.1
    test_fraction: Annotated[Fraction, PROGRAM] = 0.1
    stratify: Annotated[Flag, PROGRAM] = True
    standardize: Annotated[Flag, PROGRAM] = True
    folds: Annotated[Annotated[int, Range(ge=2)] | None, _LATER, PROGRAM] = None
    fold: Annotated[NumberFromZero | None, _LATER, PROGRAM] = None
    repeats: Annotated[PositiveInt, Later(since=FOLDS, legacy=1), PROGRAM] = 1
    repeat: Annotated[NumberFromZero | None, _LATER, PROGRAM] = None
    name: str = ""  # each entry has its own
    path_keys: ClassVar[tuple[str, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = ()
    size_key: ClassVar[str | None] = None
    typed: ClassVar[bool] = True

    @abstractmethod
    def load(self) -> Dataset:
        """Return the rows, which are split later; the same fields (and files) always give the same.

        Raises
        ------
        InputError
            If the data cannot be made or read; the message names the key, as ``data.path=...``.
        """

    def load_of_version(self, version: int, task: str | None = None) -> Dataset:  # noqa: ARG002 (see tables)
        """Return the rows as recipes of a version read them; the same unless an entry says otherwise.

        ``task`` is what the user says is to be learned, such as ``regression``; None if the data decide.

        Raises
        ------
        InputError
            As ``load``, and if the data are not for this task.
        """
        dataset = self.load()
        if task not in (None, dataset.task):
            raise InputError(
                f"task={task}: data.name={self.name} is for {dataset.task}; "
                "leave task out, or choose other data"
            )
        return dataset

    def rows_key(self) -> Hashable:
        """Return a key that is equal for entries of the same rows, however these are split and preprocessed.

        An entry of a plug-in may make its rows of any of its fields, and shares them with none.
        """
        if plugin_of(type(self)):
            return self
        split = {field.name for field in fields(DataSet)} - self.makes_rows()
        return (type(self), *(getattr(self, each.name) for each in fields(self) if each.name not in split))

    @classmethod
    def makes_rows(cls) -> frozenset[str]:
        """Return the fields common to all data sets that this one makes its rows of, besides its own."""
        return frozenset()

    def paths(self) -> dict[str, str]:
        """Return the paths of the files that it is read from, by key."""
        found = {key: getattr(self, key) for key in self.path_keys}
        return {key: path for key, path in found.items() if path is not None}

    @property
    def has_validation(self) -> bool:
        """Whether there is a validation part."""
        return self.validation_fraction > 0

    @property
    def held_out(self) -> Fold | None:
        """The fold that is the test part; None if the split is by fractions."""
        if self.folds is None or self.fold is None:
            return None
        return Fold(self.fold, self.folds, self.repeat or 0)

    @property
    def is_several_runs(self) -> bool:
        """Whether it stands for a run for each fold, or for each repeat of one."""
        every_repeat = self.repeat is None and self.repeats > 1
        return self.folds is not None and (self.fold is None or every_repeat)

    @property
    def stops_early(self) -> bool:
        """Whether training stops early unless it is said otherwise: on tables, which are real data."""
        return bool(self.target_columns)

    @property
    def experiment_name(self) -> str:
        """The name of the experiment that runs are filed under unless it is said otherwise."""
        return self.name

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The columns of the table with what is to be learned; none if the source is no table with names."""
        return ()


@dataclass(frozen=True, kw_only=True)
class GeneratedDataSet(DataSet):
    """Rows that are generated from ``seed``.

    Parameters
    ----------
    seed
        Seed of the rows and of the split.
    samples
        The number of rows.
    """

    name: str
    samples: Annotated[PositiveInt, PROGRAM] = 500
    size_key: ClassVar[str | None] = "samples"

    @classmethod
    def makes_rows(cls) -> frozenset[str]:
        """Return the seed."""
        return frozenset({"seed"})


def path_keys() -> tuple[str, ...]:
    """Return the fields of all data sets that are paths of files."""
    return tuple(dict.fromkeys(key for entry in DATA_SETS.values() for key in entry.path_keys))
