"""Columns that give the class away."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.core.overrides import typed_names
from micrograde.data.messages import quoted
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because


@FINDINGS.register
class LeakingTarget(Finding):
    """A column of the table alone tells the class of every row: it may be known only afterwards."""

    name: ClassVar[str] = "leaking_target"
    task: ClassVar[str | None] = "classification"
    place: ClassVar[int] = 12
    needs_epochs: ClassVar[bool] = False

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield a sentence for each such column."""
        for name in measured.telling_columns:
            yield f"column {quoted(name)} alone tells the class of every row" + because(
                "perhaps", "it is known only afterwards", typed_names("data.drop", name)
            )
