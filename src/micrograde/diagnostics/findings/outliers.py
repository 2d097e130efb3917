"""A few rows that carry the loss."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because, percent

_FEWEST_ROWS = 50
_FEW = 0.01  # of the rows
_MUCH = 0.5  # of the loss
_WORTH_SAYING = 0.01  # of the loss of always saying the mean


@FINDINGS.register
class Outliers(Finding):
    """A hundredth of the training rows, or one of less than 200, has more than half of their whole loss.

    Of the kept model, unless its loss is less than a hundredth of that of always saying the mean.
    """

    name: ClassVar[str] = "outliers"
    task: ClassVar[str | None] = "regression"
    place: ClassVar[int] = 84

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for the training part."""
        kept = measured.of_kept_model
        losses = kept.numbers["training"].losses if kept and "training" in kept.numbers else np.zeros(0)
        if len(losses) < _FEWEST_ROWS or not np.isfinite(losses).all():
            return
        few = max(1, int(_FEW * len(losses)))
        share = float(np.sort(losses)[-few:].sum() / losses.sum()) if losses.any() else 0.0
        if share <= _MUCH or losses.mean() < _WORTH_SAYING * measured.ignorant_loss:
            return
        rows = "1 row carries" if few == 1 else f"{few} rows carry"
        cause = "their numbers are wrong, or rare: see figures/greatest_losses.svg"
        said = f"{rows} {percent(share)} of the loss of {len(losses)} training rows"
        if measured.config.get("loss.name") == "mse":
            yield said + because("perhaps", cause + "; the squared error counts them most", "loss=huber")
        else:
            yield said + because("perhaps", cause)
