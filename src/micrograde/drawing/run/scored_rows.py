"""What a run's network says of the rows of each part; the pictures of predictions are drawn from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.run import RunContents
from micrograde.metrics.probabilities import probabilities
from micrograde.metrics.thresholds import EVEN
from micrograde.nn.arrays import FloatArray, IntArray
from micrograde.training import Samples

SHOWN_FIRST = ("val", "test", "train")
PART_NAMES = {"val": "validation", "test": "test", "train": "training"}
_MOST_DIGITS = 9


@dataclass(frozen=True)
class ScoredRows:
    """The n rows of a part to which the network gives a class.

    Attributes
    ----------
    part
        The part's name: ``training``, ``validation`` or ``test``.
    logits
        (n, C), in the network's dtype, with a column for each class.
    labels, predicted
        The classes that the rows are of and are given, (n,).
    numbers
        The numbers that the rows have in the source, (n,).
    places
        Their indices in the part, (n,).
    losses
        Each row's loss, in float64, (n,).
    of_no_class
        How many further rows get no class, because the network's numbers overflow for them.
    threshold
        Of two classes, the probability of the second above which a row is taken for it.
    """

    part: str
    logits: FloatArray
    labels: IntArray
    predicted: IntArray
    numbers: IntArray
    places: IntArray
    losses: NDArray[np.float64]
    of_no_class: int = 0
    threshold: float = EVEN

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each class, in float64, (n, C)."""
        return probabilities(self.logits)

    def words(self) -> str:
        """Return the part and the number of its rows, with those that are left out."""
        return words_of_part(self.part, len(self), self.of_no_class, "of no class")


def scored_parts(run: RunContents) -> Mapping[str, ScoredRows]:
    """Return the parts by their names in the records, the one that pictures show first; ask by ``run.once``.

    That is the validation part if there is one, else the test part, else the training part. Parts without
    a row that has a class are left out, as are all if the run did not finish, or if its data have no classes.
    """
    if not run.dataset.class_names:
        return {}
    task, found = run.task, {}
    for part, of_part, logits, predicted, losses in predicted_parts(run):
        places = np.flatnonzero(predicted >= 0)
        if places.size:
            found[part] = ScoredRows(
                PART_NAMES[part],
                task.for_metrics(logits)[places],
                of_part.labels[places],
                predicted[places],
                run.rows[part][places],
                places,
                losses[places],
                len(logits) - len(places),
                EVEN if task.threshold is None else task.threshold,
            )
    return found


def predicted_parts(
    run: RunContents,
) -> Iterator[tuple[str, Samples, FloatArray, NDArray[Any], NDArray[np.float64]]]:
    """Yield the parts in the order of ``SHOWN_FIRST``, without those that there are not.

    Each is its name in the records, its n rows, their logits (n, C), what the task predicts of them, and
    their losses (n,) in float64. Numbers of rows may overflow.
    """
    samples = {"train": run.training, "val": run.validation, "test": run.test}
    for part in SHOWN_FIRST:
        of_part = samples[part]
        if part not in run.logits or of_part is None:
            continue
        logits = run.logits[part]
        with np.errstate(all="ignore"):
            predicted = run.task.predicted(logits)
            losses = run.task.loss.value(logits.astype(np.float64), of_part.targets.astype(np.float64))
        yield part, of_part, logits, predicted, np.asarray(losses, np.float64)


def words_of_part(part: str, rows: int, left_out: int, why: str) -> str:
    """Return a part's name and the number of its rows, with how many are left out, and why."""
    counted = f"{rows} row{'s' * (rows != 1)}" + (" that it has learned from" if part == "training" else "")
    return f"{part} part, {counted}" + (f" ({left_out} {why} left out)" if left_out else "")


def share_text(share: float, digits: int = 2) -> str:
    """Return a share as text, with so many digits that it reads 0 or 1 only if it is, but for rounding."""
    texts = (f"{share:.{each}f}" for each in range(digits, _MOST_DIGITS + 1))
    return next((text for text in texts if 0 < float(text) < 1), f"{share:.0f}")
