"""Tables that Python gave, and that are kept in ``mlruns/data``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from micrograde.core.hyperparameters import PROGRAM
from micrograde.core.recipe_versions import RECIPE_VERSION, ROLES_OF_COLUMNS
from micrograde.data.dataset import Dataset
from micrograde.data.frames import SOURCE
from micrograde.data.kept_tables import is_digest, kept_rows
from micrograde.data.missing import plain_rule
from micrograde.data.plain_tables import dataset_of_rows
from micrograde.data.raw_table import RawTable
from micrograde.data.role_tables import dataset_of_table
from micrograde.data.sets import DATA_SETS
from micrograde.data.sets.tables import TableWithRoles, target_of_classes

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
class FrameTable(TableWithRoles):
    """A table that Python gave, ``mg.run(frame, target="species")``: it is kept in ``mlruns/data``.

    Parameters
    ----------
    digest
        SHA-256 of the table; mg.run and mg.sweep write it.
    """

    name: Literal["frame"] = "frame"
    digest: Annotated[str, _Sha256(), PROGRAM]
    size_key: ClassVar[str | None] = "digest"
    typed: ClassVar[bool] = False

    def load(self) -> Dataset:
        """Return the table that is kept under the digest in this project."""
        return self.load_of_version(RECIPE_VERSION)

    def load_of_version(self, version: int, task: str | None = None) -> Dataset:
        """Return the kept table as recipes of a version read it; before roles, texts were one-hot."""
        return self.of_rows(kept_rows(self.digest), version, task)

    def of_rows(
        self, rows: "pyarrow.Table", version: int = RECIPE_VERSION, task: str | None = None
    ) -> Dataset:
        """Return a table that is at hand, as ``load_of_version`` would if it were kept."""
        if version >= ROLES_OF_COLUMNS:
            options = self.options(task)
            return dataset_of_table(RawTable(rows), options, name=self.name, file=SOURCE, source=SOURCE)
        target = target_of_classes(self, task, version)
        return dataset_of_rows(
            rows, name=self.name, target=target, missing=plain_rule(self.missing), source=SOURCE
        )
