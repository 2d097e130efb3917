"""Rows for which the network's numbers overflow."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because


@FINDINGS.register
class RowsOfNoClass(Finding):
    """Some rows of the validation or test part have no probabilities (NaN), and so no class."""

    name: ClassVar[str] = "rows_of_no_class"
    place: ClassVar[int] = 30

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        wider = ("training.dtype=float64",) if measured.config.get("training.dtype") == "float32" else ()
        for part, (lost, rows) in measured.rows_of_no_class.items():
            without = "they are of no class and count as wrong"
            if not measured.classes:
                without = "no number is predicted for them, and the part's metrics are not finite"
            yield (
                f"the network's numbers overflow for {lost} of {rows} {part} rows: {without}"
                + because("probably", "a feature has values far beyond those trained on", *wider)
            )
