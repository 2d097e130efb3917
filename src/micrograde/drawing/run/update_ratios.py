"""Update ratios: how far a step moves each layer's weights, relative to the weights."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.layer_curves import draw_layer_curves, layer_values
from micrograde.drawing.svg import Svg
from micrograde.drawing.text import power_of_ten

USUAL = -3.0
"""log10 of 1e-3, which the ratio should be close to.

A rule of thumb by Karpathy: Stanford's course CS231n, "Neural networks 3", and "Building makemore part 3".
"""


def draw_update_ratios(history: Mapping[str, Sequence[float]], *, title: str) -> Svg:
    """Draw ``|update| / |weights|`` of each layer, with a line at 1e-3; the heading names the extreme layers.

    Parameters
    ----------
    history
        ``update_ratio/layer1``, ``update_ratio/layer2``, ...: log10 of the ratio at each epoch's last
        step. Values that are not finite leave a gap in the line.
    """
    ratios = layer_values(history, r"update_ratio/layer(\d+)")
    return draw_layer_curves(
        ratios,
        title=title,
        point=_the_point(ratios),
        y_label="|update| / |weights|",
        name="update ratios",
        line=(USUAL, "1e-3"),
    )


def _the_point(ratios: Mapping[int, NDArray[np.float64]]) -> str:
    """Return a sentence on the smallest and the largest of the layers' last finite ratios."""
    ends = {}
    for layer, values in ratios.items():
        finite = np.flatnonzero(np.isfinite(values))
        if len(finite):
            ends[layer] = float(values[finite[-1]])
    if not ends:
        return "no step changed the weights by a finite amount"
    low, high = min(ends, key=lambda layer: ends[layer]), max(ends, key=lambda layer: ends[layer])
    if low == high:
        return f"the last step changes layer {low}'s weights by {power_of_ten(ends[low])}; 1e-3 is usual"
    return (
        f"the last step changes the weights by {power_of_ten(ends[low])} (layer {low}) "
        f"to {power_of_ten(ends[high])} (layer {high}) of their size; 1e-3 is usual"
    )


@PICTURES.register
class UpdateRatios(RunPicture):
    """The size of updates relative to weights, with a line at 1e-3."""

    name: ClassVar[str] = "update_ratios"
    files: ClassVar[tuple[str, ...]] = ("figures/update_ratios.svg",)
    light: ClassVar[bool] = True

    def applies(self, run: RunContents) -> bool:
        """Return whether they were measured."""
        return any(metric.startswith("update_ratio/") for metric in run.history)

    def draw(self, run: RunContents) -> Svg:
        """Draw a line for each layer."""
        return draw_update_ratios(run.history, title=run.title)
