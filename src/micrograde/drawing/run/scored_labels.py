"""The labels that a run's network says of the rows of each part; pictures of labels are drawn from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.run import RunContents
from micrograde.drawing.run.confusion import shorten
from micrograde.drawing.run.scored_rows import PART_NAMES, predicted_parts, share_text, words_of_part
from micrograde.metrics.thresholds import EVEN, Thresholds, thresholds
from micrograde.nn.arrays import IntArray
from micrograde.tasks.multilabel import Multilabel


@dataclass(frozen=True)
class ScoredLabels:
    """The n rows of a part of which the network says K labels.

    Attributes
    ----------
    part
        The part's name: ``training``, ``validation`` or ``test``.
    names
        The labels.
    labels, predicted
        Whether the rows have each label, and are said to, 0 or 1, (n, K).
    probabilities
        (n, K), in float64.
    thresholds
        (K,): the probability of each label above which a row is said to have it.
    numbers
        The numbers that the rows have in the source, (n,).
    places
        Their indices in the part, (n,).
    losses
        Each row's loss, in float64, (n,).
    of_no_label
        How many further rows get no labels, because the network's numbers overflow for them.
    """

    part: str
    names: tuple[str, ...]
    labels: IntArray
    predicted: IntArray
    probabilities: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    numbers: IntArray
    places: IntArray
    losses: NDArray[np.float64]
    of_no_label: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def of_label(self, place: int) -> Thresholds:
        """Return what is taken for a label at each threshold."""
        return thresholds(self.probabilities[:, place], self.labels[:, place] == 1)

    def words(self) -> str:
        """Return the part and the number of its rows, with those that are left out."""
        return words_of_part(self.part, len(self), self.of_no_label, "whose numbers overflow")


def scored_labels(run: RunContents) -> Mapping[str, ScoredLabels]:
    """Return the parts by their names in the records, the one that pictures show first; ask by ``run.once``.

    As ``scored_parts``, which is of classes. Empty if the run did not finish, or its task is another.
    """
    found: dict[str, ScoredLabels] = {}
    if not isinstance(run.task, Multilabel):
        return found
    task, count = run.task, len(run.task.target_names)
    for part, of_part, logits, predicted, losses in predicted_parts(run):
        with np.errstate(all="ignore"):  # rows may overflow
            shares = task.scores(logits)
        places = np.flatnonzero((predicted >= 0).all(axis=-1))
        if places.size:
            found[part] = ScoredLabels(
                PART_NAMES[part],
                task.target_names,
                of_part.labels[places],
                predicted[places],
                np.asarray(shares, np.float64)[places],
                np.array(task.thresholds or (EVEN,) * count),
                run.rows[part][places],
                places,
                losses[places],
                len(logits) - len(places),
            )
    return found


def shown_labels(run: RunContents) -> ScoredLabels | None:
    """Return the part that pictures of labels show: validation, else test, else training; None if none."""
    return next(iter(run.once(scored_labels).values()), None)


def words_on_labels(quantity: str, values: NDArray[np.float64], names: Sequence[str], drawn: int) -> str:
    """Return the mean and the least of values (K,), and how many labels have none or are not drawn."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return f"no label has rows of both kinds, and so none has the {quantity}"
    least = int(np.nanargmin(values))
    words = f"mean {quantity} {share_text(float(defined.mean()))}"
    if (defined != defined[0]).any():
        words += f", least {share_text(float(values[least]))} ({shorten(names[least])})"
    if missing := len(values) - len(defined):
        words += f"; {missing} of {len(values)} labels {'has' if missing == 1 else 'have'} rows of one kind"
    if drawn < len(defined):
        words += f"; the {drawn} labels with the least are drawn"
    return words
