"""A metric against each swept parameter, with its spread over the others, or against the seed alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.drawing.style import (
    INK,
    TRAIN_COLOUR,
    VALIDATION_COLOUR,
    new_figure,
    plain,
    scale_metric,
    tidy,
)
from micrograde.drawing.sweep.swept import Scale, Swept, mark_axis, scale_of, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9
"""The most parameters that are drawn; of more, the first ones."""

_COLUMNS = 3
_DOTS = 2000  # at most in a panel; of more runs a sample is drawn
_MEANS = 40  # a mean is drawn at each value if there are at most so many different ones


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
    for axes, parameter in zip(panels, drawn, strict=False):
        scale = scale_of(parameter.values)
        _draw_dots(axes, scale, measured, best)
        _draw_means(axes, scale, measured, parameter, lower_is_better)
        mark_axis(axes, scale, parameter.name)
    for axes in panels[len(drawn) :]:
        axes.set_axis_off()
    scale_metric(panels[0], metric, measured)
    for row in range(rows):
        panels[row * columns].set_ylabel(plain(metric), color=INK, fontsize=9)
    left_out = len(parameters) - len(drawn)
    more = f" (the first {PANELS} of {len(parameters)} parameters)" if left_out else ""
    figure.suptitle(f"{plain(title)}{more}\n{_key(measured, _DOTS)}", color=INK, fontsize=11)
    return figure


def draw_metric_by_seed(
    seeds: Swept, values: ArrayLike, *, metric: str, title: str, best: int | None = None
) -> "Figure":
    """Draw a dot for each run against its seed, the mean of all, and a band of one standard deviation."""
    measured = np.asarray(values, float)
    figure = new_figure(6, 3.4)
    axes = figure.subplots()
    scale = scale_of(seeds.values)
    _draw_dots(axes, scale, measured, best)
    finite = measured[np.isfinite(measured)]
    if finite.size:
        mean, std = float(np.mean(finite)), float(np.std(finite, ddof=1)) if finite.size > 1 else np.nan
        axes.axhline(mean, color=TRAIN_COLOUR, linewidth=1.4)
        spread = ""
        if finite.size > 1:
            axes.axhspan(mean - std, mean + std, color=TRAIN_COLOUR, alpha=0.12, linewidth=0)
            spread = f" ± {std:.4f}"
        text = f"mean {mean:.4f}{spread} over {finite.size} runs" if finite.size > 1 else f"{mean:.4f}"
        axes.set_title(text, fontsize=10, color=INK)
    mark_axis(axes, scale, seeds.name)
    scale_metric(axes, metric, measured)
    axes.set_ylabel(plain(metric), color=INK, fontsize=9)
    figure.suptitle(f"{plain(title)}\n{_key(measured, _DOTS)}", color=INK, fontsize=11)
    return figure


def _key(values: NDArray[np.float64], dots: int) -> str:
    """Return one line that explains the dots and, if there are any, the crosses."""
    with_value = int(np.isfinite(values).sum())
    key = "each dot is a run" if with_value <= dots else f"dots: {dots:,} of {with_value:,} runs"
    gone = len(values) - with_value
    return key + (f", crosses: {gone:,} without a result" if gone else "")


def _draw_dots(axes: "Axes", scale: Scale, values: NDArray[np.float64], best: int | None) -> None:
    tidy(axes)
    finite = np.flatnonzero(np.isfinite(values))
    sample = finite[np.linspace(0, len(finite) - 1, min(len(finite), _DOTS)).astype(int)]
    dim = 0.55 if len(sample) <= 300 else 0.25
    axes.scatter(scale.positions[sample], values[sample], s=13, color=TRAIN_COLOUR, alpha=dim, linewidths=0)
    gone = scale.positions[~np.isfinite(values) & ~np.isnan(scale.positions)]
    places, counts = np.unique(gone, return_counts=True)
    foot = axes.get_xaxis_transform()
    cross = {"s": 22, "marker": "x", "color": VALIDATION_COLOUR, "linewidths": 1.2, "transform": foot}
    axes.scatter(places, np.full(places.size, 0.03), **cross)  # type: ignore[arg-type]
    several = (counts > 1) & (places.size <= _MEANS)
    for place, count in zip(places[several], counts[several], strict=True):
        axes.text(place, 0.06, f"{count}", transform=foot, ha="center", fontsize=8, color=VALIDATION_COLOUR)
    if not finite.size:
        axes.set_yticks([])
    if best is not None and np.isfinite(values[best]):
        ring = {"facecolors": "none", "edgecolors": VALIDATION_COLOUR, "linewidths": 1.6}
        axes.scatter(scale.positions[best], values[best], s=70, zorder=5, label="best run", **ring)  # type: ignore[arg-type]


def _draw_means(
    axes: "Axes",
    scale: Scale,
    values: NDArray[np.float64],
    parameter: Swept,
    lower_is_better: bool,
) -> None:
    """Draw the mean and standard deviation at each value; write the best in the panel's title."""
    has = np.flatnonzero(np.isfinite(values) & ~np.isnan(scale.positions))
    places, first, group = np.unique(scale.positions[has], return_index=True, return_inverse=True)
    if not len(places):
        axes.set_title("no run has a result", fontsize=9, color=INK)
        return
    if len(places) > _MEANS:
        best = has[np.argmin(values[has]) if lower_is_better else np.argmax(values[has])]
        text = f"best {values[best]:.4g} at {shown(parameter.values[best])}"
        axes.set_title(text, fontsize=9, color=INK)
        return
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
    axes.set_title(f"{what} {mean[at]:.4g} at {where}", fontsize=9, color=INK)
