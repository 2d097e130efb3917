"""MNIST's own files."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from micrograde.core.hyperparameters import PROGRAM, Text
from micrograde.data.dataset import Dataset
from micrograde.data.idx import read_idx
from micrograde.data.sets import DATA_SETS, DataSet


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class IdxFiles(DataSet):
    """MNIST's own files (IDX), plain or gzip. With the test files given, they are the test part.

    Parameters
    ----------
    images
        The file of images, such as train-images-idx3-ubyte.gz.
    labels
        The file of their labels, such as train-labels-idx1-ubyte.gz.
    test_images
        Images of the test part, such as t10k-images-idx3-ubyte.gz.
    test_labels
        Their labels, such as t10k-labels-idx1-ubyte.gz.
    """

    name: Literal["idx"] = "idx"
    images: Annotated[Text, PROGRAM]
    labels: Annotated[Text, PROGRAM]
    test_images: Annotated[Text | None, PROGRAM] = None
    test_labels: Annotated[Text | None, PROGRAM] = None
    path_keys: ClassVar[tuple[str, ...]] = ("images", "labels", "test_images", "test_labels")
    size_key: ClassVar[str | None] = "images"

    def load(self) -> Dataset:
        """Return the images; see ``read_idx``."""
        return read_idx(
            images=self.images,
            labels=self.labels,
            test_images=self.test_images,
            test_labels=self.test_labels,
        )
