"""Gradient flow: how large the gradient of each layer's weights is, epoch by epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.layer_curves import draw_layer_curves, layer_values
from micrograde.drawing.svg import Svg
from micrograde.drawing.text import power_of_ten

_ALIKE = math.log10(1.1)  # two sizes up to a ratio of 1.1 are called the same


def draw_gradient_flow(history: Mapping[str, Sequence[float]], *, title: str) -> Svg:
    """Draw the norm of the gradient of each layer's weights; the heading compares the first and last layers.

    Gradients that shrink by orders of magnitude from the last layer to the first are called vanishing, those
    that grow exploding (Glorot & Bengio 2010).

    Parameters
    ----------
    history
        ``gradient_norm/layer1.weights``, ``gradient_norm/layer2.weights``, ...: a value for each epoch. A
        value that is zero or not finite leaves a gap in the line.
    """
    norms = layer_values(history, r"gradient_norm/layer(\d+)\.weights")
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithms = {layer: np.log10(values) for layer, values in norms.items()}
    return draw_layer_curves(
        logarithms,
        title=title,
        point=_the_point(norms),
        y_label="norm of the gradient of the weights",
        name="gradient flow",
    )


def _the_point(norms: Mapping[int, NDArray[np.float64]]) -> str:
    first, last = min(norms, default=0), max(norms, default=0)
    if not norms:
        return "no gradients were recorded"
    epochs = min(len(norms[first]), len(norms[last]))
    usable = np.isfinite(norms[first][:epochs]) & np.isfinite(norms[last][:epochs])
    if not usable.any():
        return "no gradient was finite"
    epoch = int(np.flatnonzero(usable)[-1])
    when = "in the last epoch"
    if epoch < len(norms[first]) - 1:
        when = f"in epoch {epoch + 1}, the last with finite gradients"
    if first == last:
        return f"the gradient's norm is {plain_number(norms[first][epoch], 3)} {when}"
    ours, theirs = float(norms[first][epoch]), float(norms[last][epoch])
    if ours == 0 or theirs == 0:
        zero = [f"layer {layer}'s" for layer, norm in ((first, ours), (last, theirs)) if norm == 0]
        return f"{' and '.join(zero)} gradients are zero {when}"
    ratio = math.log10(theirs) - math.log10(ours)
    if abs(ratio) <= _ALIKE:
        return f"layer {first}'s gradients are as large as layer {last}'s {when}"
    comparison = f"{power_of_ten(abs(ratio))} times {'smaller' if ratio > 0 else 'larger'}"
    return f"layer {first}'s gradients are {comparison} than layer {last}'s {when}"


@PICTURES.register
class GradientFlow(RunPicture):
    """The norm of each layer's gradient over the epochs."""

    name: ClassVar[str] = "gradient_flow"
    files: ClassVar[tuple[str, ...]] = ("figures/gradient_flow.svg",)
    light: ClassVar[bool] = True

    def draw(self, run: RunContents) -> Svg:
        """Draw a line for each layer."""
        return draw_gradient_flow(run.history, title=run.title)
