"""Normal clouds."""

from dataclasses import dataclass
from typing import Annotated, Literal

from micrograde.core.hyperparameters import PROGRAM, NonNegativeFloat, PositiveInt
from micrograde.data.dataset import Dataset
from micrograde.data.generators import legacy_random, of_points
from micrograde.data.memory import check_size
from micrograde.data.sets import DATA_SETS, Classes, GeneratedDataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class Blobs(GeneratedDataSet):
    """A normal cloud for each class: the easiest data there is.

    Centres are drawn uniformly from the cube (-10, 10)^features (``sklearn.datasets.make_blobs``).

    Parameters
    ----------
    features
        The number of features.
    classes
        The number of classes.
    noise
        Standard deviation of a cloud; the centres lie in (-10, 10).
    """

    name: Literal["blobs"] = "blobs"
    features: Annotated[PositiveInt, PROGRAM] = 2
    classes: Annotated[Classes, PROGRAM] = 3
    noise: Annotated[NonNegativeFloat, PROGRAM] = 1.0

    def load(self) -> Dataset:
        """Return the rows; see ``DataSet``."""
        check_size(f"data.samples={self.samples}", self.samples, self.features, self.classes)
        check_size(f"data.classes={self.classes}", self.classes, self.features)  # for the centres
        from sklearn.datasets import make_blobs

        points, labels = make_blobs(
            self.samples,
            self.features,
            centers=self.classes,
            cluster_std=abs(self.noise),
            random_state=legacy_random(self.seed),
        )
        return of_points("blobs", points, labels, self.classes, noise=self.noise)
