"""Tables that Python gave, and that are kept in ``mlruns/data``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from micrograde.core.hyperparameters import PROGRAM, Text
from micrograde.data.dataset import Dataset
from micrograde.data.frames import SOURCE
from micrograde.data.kept_tables import is_digest, kept_rows
from micrograde.data.missing import MissingRule
from micrograde.data.sets import DATA_SETS, DataSet
from micrograde.data.tables import dataset_of_rows

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class _Sha256:
    """Mark a text of 64 hexadecimal digits."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Return pydantic's schema of such a text; pydantic asks for it."""
        return {
            "type": "function-after",
            "function": {"type": "no-info", "function": _checked},
            "schema": handler(source),
        }


def _checked(digest: str) -> str:
    if not is_digest(digest):
        raise ValueError("should be 64 hexadecimal digits; mg.run and mg.sweep write it")
    return digest


@DATA_SETS.register
@dataclass(frozen=True, kw_only=True)
class FrameTable(DataSet):
    """A table that Python gave, ``mg.run(frame, target="species")``: it is kept in ``mlruns/data``.

    Parameters
    ----------
    digest
        SHA-256 of the table; mg.run and mg.sweep write it.
    target
        The column with the classes.
    missing
        What to do about missing values: error, drop (the rows), or mean (fill numbers with the training
        part's mean).
    """

    name: Literal["frame"] = "frame"
    digest: Annotated[str, _Sha256(), PROGRAM]
    target: Annotated[Text, PROGRAM]
    missing: Annotated[MissingRule, PROGRAM] = "error"
    size_key: ClassVar[str | None] = "digest"
    typed: ClassVar[bool] = False

    def load(self) -> Dataset:
        """Return the table that is kept under the digest in this project."""
        return self.of_rows(kept_rows(self.digest))

    def of_rows(self, rows: "pyarrow.Table") -> Dataset:
        """Return a table that is at hand, as ``load`` would if it were kept."""
        return dataset_of_rows(rows, name=self.name, target=self.target, missing=self.missing, source=SOURCE)

    @property
    def target_column(self) -> str:
        """The column that holds the classes."""
        return self.target
