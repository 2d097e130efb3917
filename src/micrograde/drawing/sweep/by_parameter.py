"""A metric against each swept parameter, with its spread over the others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.style import INK, new_figure, plain, scale_metric
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.dots import MEANS, draw_dots, key_of_dots
from micrograde.drawing.sweep.swept import Scale, mark_axis, scale_of, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9
"""The most parameters that are drawn; of more, the first ones."""

_COLUMNS = 3


def draw_metric_by_parameter(
    parameters: Sequence[Swept],
    values: ArrayLike,
    *,
    metric: str,
    lower_is_better: bool,
    title: str,
    best: int | None = None,
) -> "Figure":
    """Draw a panel for each parameter: a dot for each run, and the mean ± standard deviation at each value.

    Parameters
    ----------
    values
        (N,): the metric of each run; NaN if it failed, which is drawn as a cross at the bottom of the panel.
    best
        The number of the run to be marked with a ring.
    """
    measured = np.asarray(values, float)
    drawn = parameters[:PANELS]
    columns = min(len(drawn), _COLUMNS)
    rows = -(-len(drawn) // columns)
    figure = new_figure(max(5.2, 3.6 * columns), 0.5 + 3.0 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    with_means = []
    for axes, parameter in zip(panels, drawn, strict=False):
        scale = scale_of(parameter.values)
        draw_dots(axes, scale, measured, best)
        with_means.append(_draw_means(axes, scale, measured, parameter, lower_is_better))
        mark_axis(axes, scale, parameter.name)
    for axes in panels[len(drawn) :]:
        axes.set_axis_off()
    scale_metric(panels[0], metric, measured)
    for row in range(rows):
        panels[row * columns].set_ylabel(plain(metric), color=INK, fontsize=9)
    left_out = len(parameters) - len(drawn)
    more = f" (the first {PANELS} of {len(parameters)} parameters)" if left_out else ""
    key = key_of_dots(measured, best)
    key += ", black: mean and standard deviation" if any(with_means) else ""
    figure.suptitle(f"{plain(title)}{more}\n{key}", color=INK, fontsize=11)
    return figure


def _draw_means(
    axes: "Axes",
    scale: Scale,
    values: NDArray[np.float64],
    parameter: Swept,
    lower_is_better: bool,
) -> bool:
    """Draw the mean and standard deviation at each value, and write the best in the panel's title.

    Return whether there are any: at more values than ``MEANS`` none are drawn.
    """
    has = np.flatnonzero(np.isfinite(values) & ~np.isnan(scale.positions))
    places, first, group = np.unique(scale.positions[has], return_index=True, return_inverse=True)
    if not len(places):
        axes.set_title("no run has a result", fontsize=9, color=INK)
        return False
    if len(places) > MEANS:
        best = has[np.argmin(values[has]) if lower_is_better else np.argmax(values[has])]
        text = f"best {plain_number(values[best])} at {shown(parameter.values[best])}"
        axes.set_title(text, fontsize=9, color=INK)
        return False
    measured = values[has]
    count = np.bincount(group)
    mean = np.bincount(group, measured) / count
    squares = np.bincount(group, (measured - mean[group]) ** 2)
    std = np.sqrt(squares / np.maximum(count - 1, 1))
    line = "none" if scale.kind == "category" else "-"
    axes.errorbar(
        places, mean, np.where(count > 1, std, 0), fmt="o", linestyle=line, color=INK,
        markersize=4, linewidth=1.2, elinewidth=1.0, capsize=2.5, zorder=4,
    )  # fmt: skip
    at = int(np.argmin(mean) if lower_is_better else np.argmax(mean))
    what = "best mean" if count.max() > 1 else "best"
    where = shown(parameter.values[has[first[at]]])
    axes.set_title(f"{what} {plain_number(mean[at])} at {where}", fontsize=9, color=INK)
    return True


@SWEEP_PICTURES.register
class ByParameter(SweepPicture):
    """The metric against each parameter, with its mean and spread at each value."""

    name: ClassVar[str] = "by_parameter"
    place: ClassVar[int] = 10

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether anything but the seed varies."""
        return bool(sweep.parameters)

    def text(self, sweep: SweepContents) -> str:
        """Name the metric and the parameter, if there is one."""
        several = len(sweep.parameters) > 1
        return f"{sweep.metric} against {'each parameter' if several else sweep.parameters[0].name}"

    def draw(self, sweep: SweepContents, title: str) -> "Figure":
        """Draw a panel for each parameter."""
        return draw_metric_by_parameter(
            sweep.parameters,
            sweep.values,
            metric=sweep.metric,
            lower_is_better=sweep.lower_is_better,
            title=title,
            best=sweep.best,
        )
