"""A model whose values in evaluation mode are not those of its training mode."""

from collections.abc import Iterator
from math import isfinite
from typing import ClassVar

from micrograde.core.plain_numbers import plain_number
from micrograde.diagnostics.advice import epochs, learning_rate, number
from micrograde.diagnostics.findings import FINDINGS, Finding, Measurements
from micrograde.diagnostics.wording import because

_MUCH_ACCURACY = 0.1
_MUCH_LOSS = 0.15  # of the loss without knowing anything
_FORGOTTEN = 6.0  # steps times momentum after which running statistics have forgotten where they began
_USUAL_MOMENTUM = 0.1
_FEW_ROWS = 16


@FINDINGS.register
class TrainingMode(Finding):
    """The kept model's loss or accuracy on training rows differs much between its modes.

    Losses by 0.15 log(classes). Where numbers are predicted, the loss is greater in evaluation mode by 0.15
    of that of always saying their mean.

    In evaluation mode batch norm uses its running statistics, in training mode those of each batch.
    """

    name: ClassVar[str] = "training_mode"
    place: ClassVar[int] = 85

    def sentences(self, measured: Measurements) -> Iterator[str]:
        """Yield what stands out."""
        kept = measured.of_kept_model
        if kept is None or kept.batch_by_batch is None or kept.evaluated is None:
            return
        (loss, accuracy), (evaluated_loss, evaluated) = kept.batch_by_batch, kept.evaluated
        much = _MUCH_LOSS * measured.ignorant_loss
        worse = evaluated < accuracy - _MUCH_ACCURACY or evaluated_loss > loss + much
        better = evaluated > accuracy + _MUCH_ACCURACY or evaluated_loss < loss - much
        if not measured.classes:
            better = False  # the noise of batches that a network learns with is no matter of the kept model
        if not (isfinite(loss) and isfinite(evaluated_loss) and (worse or better)):
            return
        name = measured.normalization
        numbers = (
            f"the kept model has accuracy {plain_number(evaluated)} "
            f"and loss {plain_number(evaluated_loss)} on training rows, "
            f"in training mode {plain_number(accuracy)} and {plain_number(loss)}"
        )
        if not measured.classes:
            numbers = (
                f"the kept model has loss {plain_number(evaluated_loss)} on training rows, "
                f"in training mode {plain_number(loss)}"
            )
        momentum = number(measured, "model.normalization.momentum")
        momentum = _USUAL_MOMENTUM if momentum is None else momentum
        if worse and measured.steps * momentum < _FORGOTTEN:
            few = f"the running statistics of {name} have not caught up in {measured.steps} steps"
            yield numbers + because("probably", few, *_faster(measured, momentum))
        elif measured.batch_size < _FEW_ROWS and measured.rows.get("training", 0) >= 2 * _FEW_ROWS:
            few = f"batches of {measured.batch_size} rows are few for {name}"
            yield numbers + because("probably", few, "training.batch_size=32")
        else:
            why = f"the weights move faster than the running statistics of {name}"
            yield numbers + because("perhaps", why, *learning_rate(measured, 0.1))


def _faster(measured: Measurements, momentum: float) -> tuple[str, ...]:
    """Return what to type for running statistics that catch up: a larger momentum, more steps, or both."""
    larger = max(momentum, _USUAL_MOMENTUM)
    group = f"'model.normalization={{name:batch_norm,momentum:{larger:g}}}'"
    typed = (group,) if larger > momentum else ()
    longer = 2 * _FORGOTTEN / (larger * measured.steps)
    return typed + (epochs(measured, longer) if longer > 1 else ())
