"""Columns that give the class away."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.data.telling_columns import telling_sentence
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements


@FINDINGS.register
class LeakingTarget(Finding):
    """A column of the table alone tells the class of every row: it may be known only afterwards."""

    name: ClassVar[str] = "leaking_target"
    task: ClassVar[str | None] = "classification"
    place: ClassVar[int] = 12
    needs_epochs: ClassVar[bool] = False

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield a sentence for each such column."""
        yield from map(telling_sentence, measured.telling_columns)
