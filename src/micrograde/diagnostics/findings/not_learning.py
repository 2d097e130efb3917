"""Training in which nothing was learned."""

from collections.abc import Iterator
from typing import ClassVar

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements


@FINDINGS.register
class NotLearning(Finding):
    """Training accuracy is that of always predicting the most frequent class."""

    name: ClassVar[str] = "not_learning"
    place: ClassVar[int] = 80

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        accuracy = measured.history["train/accuracy"][-1]
        if accuracy <= measured.majority + 0.01:
            yield (
                f"training accuracy {accuracy:.2f} is what always saying the most frequent class would give "
                f"({measured.majority:.2f}): nothing was learned"
            )
