"""A model that is no better than always saying the most frequent class."""

from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.advice import to_learn_at_all
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because

_CHANCE = 0.02  # above chance, the mean recall of the classes may be by chance
_LITTLE_LESS = 0.96  # the best epoch's loss may be a little less by chance


@FINDINGS.register
class NotLearning(Finding):
    """The kept model is no better than always saying the most frequent class of the training part.

    On the validation part, or without one on the training part; not where that has rows of one class only.
    So it is if neither its accuracy nor its balanced accuracy (the mean recall of the classes) is above; or
    if its balanced accuracy is what chance may give, and its loss hardly less than by saying the classes'
    shares in the training part. Or if its accuracy alone is below, unless that is given up on purpose: by a
    threshold, or by weights of rows, with which the loss is that of unweighted rows, ``log_loss``.
    """

    name: ClassVar[str] = "not_learning"
    task: ClassVar[str | None] = "classification"
    place: ClassVar[int] = 80

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        if measured.of_kept_model is None:
            return
        confusion, trained = measured.of_kept_model.confusion, measured.class_counts["training"]
        part, short = ("validation", "val") if "validation" in confusion else ("training", "train")
        counts, rows = confusion[part], measured.class_counts[part]
        if np.count_nonzero(rows) < 2:
            return
        accuracy, baseline = counts.trace() / rows.sum(), rows[trained.argmax()] / rows.sum()
        balanced, chance, spread = _balanced(counts, rows)
        plain = measured.loss_is_plain
        word, metric = ("loss", "loss") if plain else ("log loss", "log_loss")
        loss, of_shares = measured.kept.get(f"kept/{short}/{metric}", np.nan), _loss_of_shares(rows, trained)
        numbers = (
            f"{part} accuracy {plain_number(accuracy)}, "
            f"always saying the most frequent class gives {plain_number(baseline)}; "
            f"balanced accuracy {plain_number(balanced)}, chance gives {plain_number(chance)}; "
            f"{word} {plain_number(loss)}, saying the classes' shares gives {plain_number(of_shares)}"
        )
        meant = measured.of_kept_model.threshold is not None  # by the costs of errors, say
        no_less = not isfinite(loss) or loss > _LITTLE_LESS * of_shares
        if no_less and balanced <= chance + max(_CHANCE, 2 * spread):
            yield numbers + self._why(measured, confusion["training"])
        elif accuracy <= baseline and (
            balanced <= chance + _CHANCE or (plain and not meant and accuracy < baseline)
        ):
            yield numbers + because(
                "certainly", "the predicted classes are no better than the most frequent one"
            )

    def _why(self, measured: Measurements, training: NDArray[np.int64]) -> str:
        """Return a cause: it may have learned the training part, though."""
        balanced, chance, spread = _balanced(training, measured.class_counts["training"])
        if balanced > chance + max(_CHANCE, 2 * spread):
            cause = f"nothing was learned but the training rows (balanced accuracy {plain_number(balanced)})"
            return because("probably", f"{cause}: the features may say nothing of the class")
        return to_learn_at_all(measured)


def _balanced(counts: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the mean recall of the classes that have rows, what chance gives, and its standard deviation."""
    there = rows > 0
    recalls, chance = counts.diagonal()[there] / rows[there], 1 / np.count_nonzero(there)
    spread = chance * np.sqrt(np.sum(chance * (1 - chance) / rows[there]))
    return float(recalls.mean()), float(chance), float(spread)


def _loss_of_shares(rows: NDArray[np.int64], trained: NDArray[np.int64]) -> float:
    """Return the loss of rows of these classes by the classes' shares in the training part."""
    there = rows > 0
    with np.errstate(divide="ignore"):
        return float(-np.sum(rows[there] * np.log(trained[there] / trained.sum())) / rows.sum())
