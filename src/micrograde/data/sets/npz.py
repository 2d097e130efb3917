"""Arrays of an ``.npz`` file."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from micrograde.core.hyperparameters import PROGRAM, Text
from micrograde.core.recipe_versions import RECIPE_VERSION
from micrograde.data.arrays import read_npz
from micrograde.data.dataset import Dataset
from micrograde.data.missing import MissingRule
from micrograde.data.sets import DATA_SETS, DataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class NpzArrays(DataSet):
    """Your own arrays, saved with numpy.savez: features (N, ...), labels (N,) or numbers (N, K).

    Parameters
    ----------
    path
        The file, relative to where the command is run.
    features
        The name of the features' array in it.
    labels
        The name of the labels' array: integers or texts are classes, numbers with fractions numbers.
    missing
        What to do about NaN: error, drop (the rows), or mean (of the training part).
    """

    name: Literal["npz"] = "npz"
    path: Annotated[Text, PROGRAM]
    features: Annotated[Text, PROGRAM] = "features"
    labels: Annotated[Text, PROGRAM] = "labels"
    missing: Annotated[MissingRule, PROGRAM] = "error"
    path_keys: ClassVar[tuple[str, ...]] = ("path",)
    suffixes: ClassVar[tuple[str, ...]] = ("npz",)
    size_key: ClassVar[str | None] = "path"

    def load(self) -> Dataset:
        """Return the arrays; see ``read_npz``."""
        return self.load_of_version(RECIPE_VERSION)

    def load_of_version(self, version: int, task: str | None = None) -> Dataset:  # noqa: ARG002
        """Return the arrays; labels with fractions, or of several columns, are numbers to be predicted."""
        return read_npz(
            path=self.path, features=self.features, labels=self.labels, missing=self.missing, task=task
        )
