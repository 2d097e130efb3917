"""Tables, as CSV, Parquet and other files."""

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from micrograde.core.hyperparameters import (
    PROGRAM,
    ColumnName,
    ColumnNames,
    MappingOfNames,
    PositiveInt,
    Text,
)
from micrograde.core.recipe_versions import EXACT_LABELS, ROLES_OF_COLUMNS, DefaultBefore, Later
from micrograde.data.dataset import Dataset
from micrograde.data.missing import MissingRule
from micrograde.data.plain_tables import read_csv, read_parquet
from micrograde.data.raw_table import ReadingOptions
from micrograde.data.sets import DATA_SETS, DataSet
from micrograde.data.table_settings import ColumnRules

_SINCE_ROLES = {"since": ROLES_OF_COLUMNS}
