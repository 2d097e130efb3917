"""What a run's network says of the rows of each part; the pictures of predictions are drawn from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.run import RunContents
from micrograde.metrics.probabilities import probabilities
from micrograde.metrics.thresholds import EVEN
from micrograde.nn.arrays import FloatArray, IntArray

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
        rows = f"{len(self)} row{'s' * (len(self) != 1)}"
        if self.part == "training":
            rows += " that it has learned from"
        left = f" ({self.of_no_class} of no class left out)" if self.of_no_class else ""
        return f"{self.part} part, {rows}{left}"


def scored_parts(run: RunContents) -> Mapping[str, ScoredRows]:
    """Return the parts by their names in the records, the one that pictures show first; ask by ``run.once``.

    That is the validation part if there is one, else the test part, else the training part. Parts without
    a row that has a class are left out, as are all if the run did not finish, or if its data have no classes.
    """
    samples = {"train": run.training, "val": run.validation, "test": run.test}
    if not run.dataset.class_names:
        return {}
    task, found = run.task, {}
    for part in SHOWN_FIRST:
        of_part = samples[part]
        if part not in run.logits or of_part is None:
            continue
        logits = run.logits[part]
        with np.errstate(all="ignore"):  # rows may overflow
            predicted = task.predicted(logits)
            losses = task.loss.value(logits.astype(np.float64), of_part.targets.astype(np.float64))
        places = np.flatnonzero(predicted >= 0)
        if places.size:
            found[part] = ScoredRows(
                PART_NAMES[part],
                task.for_metrics(logits)[places],
                of_part.labels[places],
                predicted[places],
                run.rows[part][places],
                places,
                np.asarray(losses, np.float64)[places],
                len(logits) - len(places),
                EVEN if task.threshold is None else task.threshold,
            )
    return found


def share_text(share: float, digits: int = 2) -> str:
    """Return a share as text, with so many digits that it reads 0 or 1 only if it is, but for rounding."""
    texts = (f"{share:.{each}f}" for each in range(digits, _MOST_DIGITS + 1))
    return next((text for text in texts if 0 < float(text) < 1), f"{share:.0f}")
