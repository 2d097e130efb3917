"""Learning curves: the loss and a metric against the epoch, for training and validation."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.panel import Panel, padded_range
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import TRAIN_COLOUR, VALIDATION_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted
from micrograde.metrics import lower_is_better

_SERIES = (("train", "training", TRAIN_COLOUR), ("val", "validation", VALIDATION_COLOUR))
_WIDTH, _HEIGHT, _LEFT, _TOP = 960, 390, 72, 76
_PANEL_WIDTH, _PANEL_HEIGHT = 384, 256


def draw_learning_curves(
    history: Mapping[str, Sequence[float]], *, title: str, metric: str = "accuracy"
) -> Svg:
    """Draw two panels, loss and metric, with the best epoch of each curve marked.

    The line above a panel names the best epoch of the validation curve, or of training without validation.

    Parameters
    ----------
    history
        ``train/loss``, ``train/accuracy`` and, if there is a validation part, ``val/loss`` and
        ``val/accuracy``: a value for each epoch, accuracies as fractions. Values that are not finite leave a
        gap in the line.
    metric
        The name of the other metric, if it is not the accuracy.
    """
    canvas = Canvas(_WIDTH, _HEIGHT)
    right = _WIDTH - 24
    for part, name, colour in reversed(_SERIES):
        if f"{part}/loss" in history:
            canvas.text(right, 28, f"● {name}", size=13, anchor="end", colour=colour)
            right -= 96
    canvas.text(_LEFT, 28, fitted(title, 17, right - _LEFT), size=17, anchor="start")
    _draw_panel(canvas, _LEFT, history, "loss", lower=True)
    _draw_panel(canvas, _WIDTH - 24 - _PANEL_WIDTH, history, metric, lower=lower_is_better(metric))
    return canvas.finish(f"learning curves: {title}")


def _draw_panel(
    canvas: Canvas, left: float, history: Mapping[str, Sequence[float]], metric: str, *, lower: bool
) -> None:
    series = {
        (name, colour): np.asarray(history[key], float)
        for part, name, colour in _SERIES
        if len(history.get(key := f"{part}/{metric}", ()))
    }
    epochs = max(map(len, series.values()), default=1)
    panel = Panel(
        canvas, left, _TOP, _PANEL_WIDTH, _PANEL_HEIGHT,
        x_range=(1 - 0.02 * epochs, epochs + 0.02 * epochs),
        y_range=padded_range(np.concatenate([*series.values(), []])),
    )  # fmt: skip
    panel.draw_axes("epoch", metric)
    best = f"no finite {metric}"
    worst, better = (np.inf, np.argmin) if lower else (-np.inf, np.argmax)
    for (name, colour), values in series.items():
        panel.draw_curve(np.arange(1.0, len(values) + 1), values, colour, f"{name} {metric}")
        if np.isfinite(values).any():
            at = int(better(np.where(np.isfinite(values), values, worst)))
            extreme = "lowest" if lower else "highest"
            best = f"{extreme} {name} {metric} {plain_number(values[at])}, epoch {at + 1}"
            canvas.dot(*panel.at(at + 1, float(values[at])), colour)
    canvas.text(left + _PANEL_WIDTH / 2, _TOP - 14, best, size=13)


@PICTURES.register
class LearningCurves(RunPicture):
    """Loss and accuracy (or rmse) in training and validation, with the best epochs marked."""

    name: ClassVar[str] = "learning_curves"
    files: ClassVar[tuple[str, ...]] = ("figures/learning_curves.svg",)
    light: ClassVar[bool] = True

    def draw(self, run: RunContents) -> Svg:
        """Draw both panels."""
        return draw_learning_curves(run.history, title=run.title, metric=run.task.metrics[0])
