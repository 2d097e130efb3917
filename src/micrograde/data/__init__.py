"""Data sets: making and reading them, splitting them, and preprocessing their features.

Data pass through ``load_dataset`` -> ``Dataset`` -> ``split_dataset`` -> ``Split`` of ``Part``s,
then ``Preprocessing.fit`` on the training part and ``transform`` on every part. Nothing here depends
on networks, Hydra or MLflow; the names and options of ``load_dataset`` are the keys of the
config group ``data``, and error messages name those keys.

Shapes: N rows, D features, C classes; features are (N, D) float64, labels (N,) int64.
"""

from micrograde.data.dataset import Dataset, Part, Split
from micrograde.data.encoding import TableEncoding
from micrograde.data.loading import load_dataset
from micrograde.data.preprocessing import Preprocessing
from micrograde.data.split import split_dataset
from micrograde.data.tables import read_rows

__all__ = [
    "Dataset",
    "Part",
    "Preprocessing",
    "Split",
    "TableEncoding",
    "load_dataset",
    "read_rows",
    "split_dataset",
]
