"""Data sets: making and reading them, splitting them, and preprocessing their features.

Data pass through ``load`` of a ``DataSet`` (an entry of ``DATA_SETS``: where rows come from) -> ``Dataset``
(the rows) -> ``split_dataset`` -> ``Split`` of ``Part``s, then ``Preprocessing.fit`` on the training part and
``transform`` on every part. Nothing here depends on networks, Hydra or MLflow; the fields of the entries are
the keys of the config group ``data``, and error messages name those keys.

Shapes: N rows, D features, C classes; features are (N, D) float64, labels (N,) int64.
"""

from micrograde.data.dataset import Dataset, Part, Split
from micrograde.data.encoding import TableEncoding
from micrograde.data.loading import load, load_dataset
from micrograde.data.plain_tables import read_rows
from micrograde.data.preprocessing import Preprocessing
from micrograde.data.sets import DATA_SETS, DataSet
from micrograde.data.split import split_dataset

__all__ = [
    "DATA_SETS",
    "DataSet",
    "Dataset",
    "Part",
    "Preprocessing",
    "Split",
    "TableEncoding",
    "load",
    "load_dataset",
    "read_rows",
    "split_dataset",
]
