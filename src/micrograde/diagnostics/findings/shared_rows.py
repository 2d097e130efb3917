"""Rows that stand in the training part and in another."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, percent

_MUCH_SHARED = 0.1


@FINDINGS.register
class SharedRows(Finding):
    """A tenth or more of the rows of a table's validation or test part stand in the training part, too.

    They may be copies, or different things of which the table's few columns say the same.
    """

    name: ClassVar[str] = "shared_rows"
    place: ClassVar[int] = 15

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for all such parts."""
        shares = {part: count / measured.rows[part] for part, count in measured.shared_rows.items()}
        much = [
            f"{percent(share)} of the {part} rows" for part, share in shares.items() if share >= _MUCH_SHARED
        ]
        if much:
            yield f"{' and '.join(much)} stand in two parts" + because(
                "perhaps",
                "they are copies, and values on them say little of new rows; take copies out of the table, "
                "or keep rows that belong together in one part with data.group=COLUMN",
            )
