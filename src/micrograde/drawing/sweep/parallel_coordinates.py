"""Three or more swept parameters at once: an axis for each, and a line for each run up to its metric."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.drawing.style import INK, PALE_INK, is_spread, new_figure, plain
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.swept import Scale, scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = 1000
"""The most runs that are drawn; of more, a sample that is evenly spaced from the worst to the best."""

AXES = 10
"""The most parameters that are drawn; of more, the first ones."""

_NAME_LENGTH = 22


def draw_parallel_coordinates(
    parameters: Sequence[Swept], values: ArrayLike, *, metric: str, lower_is_better: bool, title: str
) -> "Figure":
    """Draw a vertical axis for each parameter and one for the metric; good runs are bright and drawn last.

    Parameters
    ----------
    values
        (N,): the metric of each run; NaN if it failed: then its line is grey and ends before the metric.
    """
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    measured = np.asarray(values, float)
    measured = np.where(np.isfinite(measured), measured, np.nan)
    drawn = parameters[:AXES]
    metric_scale = scale_of(measured.tolist() if np.isfinite(measured).any() else [0.0] * len(measured))
    if metric_scale.kind == "category" or (metric_scale.kind == "log") != is_spread(metric, measured):
        metric_scale = _plain(measured)
    scales = [*(scale_of(swept.values) for swept in drawn), metric_scale]
    heights = np.stack([_height(scale, scale.positions) for scale in scales], axis=1)
    goodness = 1 - heights[:, -1] if lower_is_better else heights[:, -1]
    order = np.argsort(np.where(np.isnan(measured), -1.0, goodness), kind="stable")
    if len(order) > LINES:
        order = order[np.linspace(0, len(order) - 1, LINES).astype(int)]

    figure = new_figure(max(6.4, 1.9 * len(scales)), 4.2)
    axes = figure.subplots()
    places = np.arange(len(scales), dtype=float)
    lines = np.stack([np.broadcast_to(places, heights[order].shape), heights[order]], axis=2)
    colours = colormaps["viridis"](np.nan_to_num(goodness[order]))
    colours[np.isnan(measured[order])] = (0.7, 0.7, 0.7, 1.0)
    width = 1.4 if len(order) <= 60 else 0.8
    axes.add_collection(LineCollection(list(lines), colors=colours, linewidths=width, alpha=0.8))
    for place, (scale, name) in enumerate(
        zip(scales, [*(swept.name for swept in drawn), metric], strict=True)
    ):
        _draw_axis(axes, place, scale, name)
    axes.set_xlim(-0.3, len(scales) - 0.45)
    axes.set_ylim(-0.04, 1.04)
    axes.set_axis_off()
    figure.suptitle(f"{plain(title)}\n{_key(measured, len(order), len(parameters))}", color=INK, fontsize=11)
    return figure


def _key(values: NDArray[np.float64], drawn: int, parameters: int) -> str:
    runs, gone = len(values), int(np.isnan(values).sum())
    key = (
        "each line is a run, bright is good"
        if drawn == runs
        else f"{drawn:,} of {runs:,} runs, bright is good"
    )
    if gone:
        key += "; grey: no result"
    return key + (f"; the first {AXES} of {parameters} parameters" if parameters > AXES else "")


def _plain(values: NDArray[np.float64]) -> Scale:
    """Return a linear axis for the metric, with five ticks evenly spaced between its extremes."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    ticks = np.linspace(low, high, 5) if high > low else np.array([low])
    return Scale("linear", values, ticks, tuple(f"{tick:.4g}" for tick in ticks))


def _height(scale: Scale, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale positions to heights from 0 to 1 along the axis; a single value is in the middle."""
    known = np.concatenate([scale.positions[~np.isnan(scale.positions)], scale.ticks])
    if not known.size or np.ptp(known) == 0:
        return np.where(np.isnan(positions), np.nan, 0.5)
    return np.asarray((positions - known.min()) / np.ptp(known))


def _in_lines(name: str) -> str:
    """Break a long name before its last part, so that neighbouring names do not overlap."""
    group, dot, last = name.rpartition(".")
    return plain(f"{group}{dot}\n{last}" if dot and len(name) > _NAME_LENGTH else name)


def _draw_axis(axes: "Axes", place: int, scale: Scale, name: str) -> None:
    axes.plot([place, place], [0, 1], color=PALE_INK, linewidth=1.0, zorder=3)
    for tick, label in zip(_height(scale, scale.ticks), scale.labels, strict=True):
        axes.plot([place - 0.02, place + 0.02], [tick, tick], color=PALE_INK, linewidth=1.0, zorder=3)
        axes.text(
            place + 0.05, tick, label, fontsize=8, va="center", color=INK, zorder=4,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
    axes.text(place, 1.06, _in_lines(name), ha="center", va="bottom", fontsize=9, color=INK)


@SWEEP_PICTURES.register
class ParallelCoordinates(SweepPicture):
    """An axis for each of three or more parameters, and a line for each run up to its metric."""

    name: ClassVar[str] = "parallel_coordinates"
    place: ClassVar[int] = 30

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether three or more parameters vary."""
        return len(sweep.parameters) > 2

    def text(self, sweep: SweepContents) -> str:
        """Name the metric."""
        return f"{sweep.metric} over all parameters at once"

    def draw(self, sweep: SweepContents, title: str) -> "Figure":
        """Draw the axes and lines."""
        return draw_parallel_coordinates(
            sweep.parameters,
            sweep.values,
            metric=sweep.metric,
            lower_is_better=sweep.lower_is_better,
            title=title,
        )
