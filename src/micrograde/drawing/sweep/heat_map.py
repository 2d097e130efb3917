"""A metric over two swept parameters: a heat map of means, or dots if hardly any runs share values."""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.drawing.style import (
    INK,
    PALE_INK,
    PAPER,
    VALIDATION_COLOUR,
    is_spread,
    new_figure,
    plain,
    tidy,
)
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.swept import Scale, mark_axis, scale_of, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELLS_WITH_NUMBERS = 120
"""The most cells with numbers; with more cells the numbers would not fit."""

_GRID = 12  # with more different values along an axis, and few cells filled, runs are drawn as dots
_FILLED = 0.4  # the share of filled cells below which they are few


def draw_heat_map(
    across: Swept, up: Swept, values: ArrayLike, *, metric: str, lower_is_better: bool, title: str
) -> "Figure":
    """Draw the mean of the metric for each pair of values, over all other parameters; bright is good.

    The best cell is framed, and a pair without a result is grey. If there are many values but few pairs, as
    with random search, each run is a dot instead.

    Parameters
    ----------
    values
        (N,): the metric of each run, best first; NaN if it failed.
    """
    measured = np.asarray(values, float)
    figure = new_figure(6.4, 4.6)
    axes = figure.subplots()
    scales = scale_of(across.values), scale_of(up.values)
    distinct = [np.unique(scale.positions[~np.isnan(scale.positions)]) for scale in scales]
    filled = len(np.unique(np.stack([scale.positions for scale in scales]), axis=1).T)
    cells = len(distinct[0]) * len(distinct[1])
    if max(map(len, distinct)) > _GRID and filled < _FILLED * cells:
        line = _draw_dots(axes, scales, measured, metric, lower_is_better)
        mark_axis(axes, scales[0], across.name)
        mark_axis(axes, scales[1], up.name, vertical=True)
    else:
        line = _draw_cells(axes, (across, up), measured, metric, lower_is_better)
    figure.suptitle(plain(title), color=INK, fontsize=11)
    axes.set_title(line, fontsize=9, color=INK)
    return figure


def _draw_cells(
    axes: "Axes", pair: tuple[Swept, Swept], values: NDArray[np.float64], metric: str, lower_is_better: bool
) -> str:
    """Draw the heat map and return the line above it."""
    keys = [_cells_of(swept) for swept in pair]
    (columns, column_names), (rows, row_names) = keys
    shape = len(row_names), len(column_names)
    cell = rows * shape[1] + columns
    has = np.isfinite(values)
    count = np.bincount(cell[has], minlength=shape[0] * shape[1])
    with np.errstate(invalid="ignore"):  # a cell without a result is 0 / 0
        mean = (np.bincount(cell[has], values[has], shape[0] * shape[1]) / count).reshape(shape)
    axes.set_facecolor("#D9D9D9")
    colours = _colour_map(lower_is_better)
    image = axes.imshow(
        np.ma.masked_invalid(mean), cmap=colours, origin="lower", aspect="auto", norm=_norm(metric, mean)
    )
    _draw_bar(axes, image, f"mean {metric}")
    _name_axis(axes, pair[0].name, column_names, vertical=False)
    _name_axis(axes, pair[1].name, row_names, vertical=True)
    if mean.size <= CELLS_WITH_NUMBERS:
        _write_numbers(axes, mean, image)
    if not count.any():
        return "no run has a result"
    best = np.nanargmin(mean) if lower_is_better else np.nanargmax(mean)
    row, column = divmod(int(best), shape[1])
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=VALIDATION_COLOUR, linewidth=2.2)
    )
    where = f"{column_names[column]} and {row_names[row]}"
    runs = int(count[best])
    grey = "" if count.all() else "; grey: no result"
    lead = plain_number(mean[row, column])
    return f"best mean {lead} at {where} ({runs} run{'s' * (runs != 1)}){grey}"


def _cells_of(swept: Swept) -> tuple[NDArray[np.int64], list[str]]:
    """Return the index of each run's value among the distinct ones in their order, and these as text."""
    positions = scale_of(swept.values).positions
    _, first, codes = np.unique(positions, return_index=True, return_inverse=True)
    return codes.astype(np.int64), [shown(swept.values[run]) for run in first]


def _name_axis(axes: "Axes", name: str, names: list[str], *, vertical: bool) -> None:
    step = -(-len(names) // 24)
    ticks = range(0, len(names), step)
    labels = [names[tick] for tick in ticks]
    if vertical:
        axes.set_yticks(ticks, labels)
        axes.set_ylabel(plain(name), color=INK, fontsize=9)
    else:
        slanted = sum(map(len, labels)) > 55
        axes.set_xticks(ticks, labels, rotation=40 if slanted else 0, ha="right" if slanted else "center")
        axes.set_xlabel(plain(name), color=INK, fontsize=9)
    axes.tick_params(length=0, labelsize=9, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write_numbers(axes: "Axes", mean: NDArray[np.float64], image: Any) -> None:
    """Write the mean into each cell, dark on bright and bright on dark."""
    small = 9 if mean.shape[1] <= 8 else 7
    for row, column in zip(*np.nonzero(np.isfinite(mean)), strict=True):
        red, green, blue, _ = image.cmap(image.norm(mean[row, column]))
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
        text = f"{mean[row, column]:.3g}"
        axes.text(column, row, text, ha="center", va="center", fontsize=small, color=PAPER if dark else INK)


def _draw_dots(
    axes: "Axes",
    scales: tuple[Scale, Scale],
    values: NDArray[np.float64],
    metric: str,
    lower_is_better: bool,
) -> str:
    """Draw a dot for each run and return the line above them."""
    tidy(axes)
    has = np.isfinite(values)
    # The best is drawn last: of equal values the first run, as runs come best first.
    runs = np.flatnonzero(has)[::-1]
    order = runs[np.argsort(-values[runs] if lower_is_better else values[runs], kind="stable")]
    x, y = (scale.positions for scale in scales)
    axes.scatter(x[~has], y[~has], s=22, marker="x", color=PALE_INK, linewidths=1.0)
    if not order.size:
        return "no run has a result"
    dots = axes.scatter(
        x[order], y[order], c=values[order], s=26, linewidths=0,
        cmap=_colour_map(lower_is_better), norm=_norm(metric, values[order]),
    )  # fmt: skip
    _draw_bar(axes, dots, metric)
    best = order[-1]
    ring = {"facecolors": "none", "edgecolors": VALIDATION_COLOUR, "linewidths": 1.8}
    axes.scatter(x[best], y[best], s=90, **ring)  # type: ignore[arg-type]
    crosses = "" if has.all() else "; crosses: no result"
    return f"each dot is a run; ring: the best, {plain_number(values[best])}{crosses}"


def _colour_map(lower_is_better: bool) -> str:
    return "viridis_r" if lower_is_better else "viridis"


def _norm(metric: str, values: NDArray[np.float64]) -> Any:
    from matplotlib.colors import LogNorm, Normalize

    finite = values[np.isfinite(values)]
    if not finite.size:
        return Normalize(0, 1)
    ends = float(finite.min()), float(finite.max())
    return LogNorm(*ends) if is_spread(metric, finite) else Normalize(*ends)


def _draw_bar(axes: "Axes", image: Any, name: str) -> None:
    bar = axes.get_figure().colorbar(image, ax=axes, pad=0.02, aspect=28)  # type: ignore[union-attr]
    bar.set_label(plain(name), fontsize=9, color=INK)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


@SWEEP_PICTURES.register
class HeatMap(SweepPicture):
    """The mean of the metric for each pair of values of two parameters."""

    name: ClassVar[str] = "heat_map"
    place: ClassVar[int] = 20

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether two parameters vary."""
        return len(sweep.parameters) == 2

    def text(self, sweep: SweepContents) -> str:
        """Name the metric and the parameters."""
        across, up = sweep.parameters
        return f"{sweep.metric} over {across.name} and {up.name}"

    def draw(self, sweep: SweepContents, title: str) -> "Figure":
        """Draw the first parameter across and the second one up."""
        rule: dict[str, Any] = {"metric": sweep.metric, "lower_is_better": sweep.lower_is_better}
        across, up = sweep.parameters
        return draw_heat_map(across, up, sweep.values, **rule, title=title)
