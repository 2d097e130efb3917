"""Labels, of several, that the kept model never says, or of which it knows nothing."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.diagnostics.advice import epochs, to_learn_at_all
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.kept_model import PredictedNumbers
from micrograde.diagnostics.wording import because

_NAMED = 3
_CHANCE = 0.02  # above a half, the mean of both recalls may be by chance
_LITTLE_LESS = 0.96  # the loss may be a little less by chance
_RARE = 0.1  # of the rows


def _said(found: PredictedNumbers, bounds: tuple[float, ...]) -> NDArray[np.bool_]:
    """Return which labels rows are said to have, (n, K), by their logits and the labels' thresholds."""
    if not bounds:
        return found.predicted > 0
    shares = np.array(bounds)
    return np.asarray(found.predicted > np.log(shares / (1 - shares)))


def _never(measured: Measurements) -> NDArray[np.intp]:
    """Return the labels that some training row has, and no row of training and of validation is said to."""
    kept = measured.of_kept_model
    assert kept is not None
    parts = [kept.numbers[part] for part in ("training", "validation") if part in kept.numbers]
    said = sum(_said(part, kept.label_thresholds).sum(axis=0) for part in parts)
    has = kept.numbers["training"].targets.sum(axis=0) > 0
    return np.flatnonzero((np.asarray(said) == 0) & has)


@FINDINGS.register
class LabelNeverSaid(Finding):
    """The kept model says a label of no row of the training and of the validation part, though some have it.

    Of large parts some thousand rows are looked at.
    """

    name: ClassVar[str] = "label_never_said"
    task: ClassVar[str | None] = "multilabel"
    place: ClassVar[int] = 87

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for all such labels."""
        kept = measured.of_kept_model
        if kept is None or "training" not in kept.numbers:
            return
        never, rows = _never(measured), kept.numbers["training"].targets.sum(axis=0)
        if not len(never):
            return
        names, of = measured.target_names, len(kept.numbers["training"].targets)
        named = ", ".join(f"{names[place]} ({int(rows[place])} of {of})" for place in never[:_NAMED].tolist())
        more = f" and {len(never) - _NAMED} more" if len(never) > _NAMED else ""
        labels = "a label is" if len(never) == 1 else f"{len(never)} of {len(names)} labels are"
        yield f"{labels} never predicted: {named}{more}, with the training rows that have it" + self._why(
            measured, bool((rows[never] < _RARE * of).all())
        )

    def _why(self, measured: Measurements, rare: bool) -> str:
        kept = measured.of_kept_model
        assert kept is not None
        if kept.label_thresholds:
            return because("perhaps", "their thresholds are the cause")
        if rare and "validation" in kept.numbers:
            cause = "few rows have it, and a half is seldom reached"
            return because("probably", cause, "training.threshold=f1")
        longer = () if measured.stopped_early else epochs(measured, 8)
        return because("perhaps", "training was too short", *longer)


@FINDINGS.register
class LabelNotLearned(Finding):
    """Of a label, the kept model is no better than always saying what is most frequent of it.

    On the validation part, or without one on the training part: no fewer rows are wrong, the mean of the
    recalls of yes and no is what chance may give, and the label's loss is hardly less than that of saying its
    share in the training part. Not of labels that are never said, or of which all rows of the part say the
    same.
    """

    name: ClassVar[str] = "label_not_learned"
    task: ClassVar[str | None] = "multilabel"
    place: ClassVar[int] = 86

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield one for each label, three at most."""
        kept = measured.of_kept_model
        if kept is None or "training" not in kept.numbers:
            return
        training = kept.numbers["training"]
        part = "validation" if "validation" in kept.numbers else "training"
        found, never = kept.numbers[part], set(_never(measured).tolist())
        if not np.isfinite(found.predicted).all():
            return  # other findings say so
        said, true = _said(found, kept.label_thresholds), found.targets > 0.5
        told = 0
        for place, name in enumerate(measured.target_names):
            yes, no = true[:, place], ~true[:, place]
            if place in never or not yes.any() or not no.any() or told == _NAMED:
                continue
            wrong = float(np.mean(said[:, place] != yes))
            share = float(training.targets[:, place].mean())
            always = float(yes.mean() if share <= 0.5 else no.mean())
            balanced = float((said[yes, place].mean() + 1 - said[no, place].mean()) / 2)
            spread = float(np.sqrt(0.25 / yes.sum() + 0.25 / no.sum()) / 2)
            logits = found.predicted[:, place]
            loss = float(np.mean(np.logaddexp(0, logits) - yes * logits))
            of_share = (
                float(-(yes.mean() * np.log(share) + no.mean() * np.log1p(-share))) if 0 < share < 1 else 0
            )
            by_chance = balanced <= 0.5 + max(_CHANCE, 2 * spread)
            if wrong >= always and by_chance and loss > _LITTLE_LESS * of_share:
                told += 1
                yield (
                    f"{part} error of label {quoted(name)} {plain_number(wrong)}, "
                    f"always saying what is most frequent gives {plain_number(always)}; "
                    "the mean recall of yes and no is "
                    f"{plain_number(balanced)}, chance gives 0.5" + to_learn_at_all(measured)
                )
