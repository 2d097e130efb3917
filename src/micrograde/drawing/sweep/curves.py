"""Learning curves of all runs of a sweep in one picture, coloured by a parameter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.style import (
    INK,
    PALE_INK,
    PALETTE,
    TRAIN_COLOUR,
    VALIDATION_COLOUR,
    new_figure,
    plain,
    scale_metric,
    tidy,
)
from micrograde.drawing.sweep import SWEEP_PICTURES, Curves, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.swept import Scale, scale_of
from micrograde.metrics import KEPT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = 300
"""The most runs that are drawn; of more, a sample, and the quantiles of all."""

_NAMED = 8  # up to so many different values are listed in a legend


def draw_sweep_curves(
    panels: Sequence[Curves], *, title: str, colour_by: Swept | None = None, best: int | None = None
) -> "Figure":
    """Draw a panel for each metric, with a thin line for each run.

    Of more than ``LINES`` runs a sample is drawn, with the quantiles of all.

    Parameters
    ----------
    colour_by
        The parameter by whose value lines are coloured.
    best
        The number of the run whose line is drawn last and thick.
    """
    runs = len(panels[0].values) if panels else 0
    figure = new_figure(max(5.4, 4.6 * len(panels)), 3.7)
    scale = scale_of(colour_by.values) if colour_by and runs else None
    colours = _colours(scale, runs)
    for axes, curves in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_panel(axes, curves, colours, best)
    if scale and colour_by:
        _draw_key(figure, scale, colour_by.name)
    what = f"{runs:,} run{'s' * (runs != 1)}"
    if runs > LINES:
        what = f"{LINES} of {runs:,} runs; of all: median, middle half (dotted), nine tenths (dashed)"
    thick = "; thick: the best" if best is not None and runs > 1 else ""
    figure.suptitle(f"{plain(title)}\n{what}{thick}", color=INK, fontsize=11)
    return figure


def _draw_panel(axes: "Axes", curves: Curves, colours: NDArray[Any], best: int | None) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.ticker import MaxNLocator

    tidy(axes)
    steps, values = curves.steps.astype(float), np.where(np.isinf(curves.values), np.nan, curves.values)
    runs = len(values)
    sample = np.arange(runs)
    if runs > LINES:
        sample = np.linspace(0, runs - 1, LINES).astype(int)
        _draw_quantiles(axes, steps, values)
    if len(steps) > 1:
        lines = np.stack([np.broadcast_to(steps, values[sample].shape), values[sample]], axis=2)
        look = {"linewidths": 1.1 if len(sample) <= 30 else 0.6, "alpha": 0.7 if runs <= LINES else 0.35}
        axes.add_collection(LineCollection(list(lines), colors=colours[sample], **look))
        axes.autoscale_view()
    elif len(steps):
        axes.scatter(np.repeat(steps, len(sample)), values[sample, 0], s=14, color=colours[sample])
    if best is not None and len(steps):
        mark = "o" if len(steps) == 1 else None
        axes.plot(steps, values[best], color=VALIDATION_COLOUR, linewidth=2.0, marker=mark, zorder=3)
    if not np.isfinite(values).any():
        axes.text(0.5, 0.5, "no value", transform=axes.transAxes, ha="center", color=PALE_INK)
    scale_metric(axes, curves.metric, values)
    axes.set_title(plain(curves.metric), fontsize=10, color=INK)
    axes.set_xlabel("epoch", color=INK, fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(steps) == 1:
        axes.set_xticks(steps)


def _draw_quantiles(axes: "Axes", steps: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    """Draw the median and the limits of the middle half and of the middle nine tenths of all runs."""
    there = np.isfinite(values).any(axis=0)
    if not there.any():
        return
    low, quarter, middle, three_quarters, high = np.nanquantile(
        values[:, there], (0.05, 0.25, 0.5, 0.75, 0.95), axis=0
    )
    for edge, style in ((low, "--"), (quarter, ":"), (middle, "-"), (three_quarters, ":"), (high, "--")):
        axes.plot(steps[there], edge, color=INK, linewidth=1.3, linestyle=style, zorder=2.5)


def _colours(scale: Scale | None, runs: int) -> NDArray[Any]:
    """Return the runs' colours (N, 4): blue without a parameter, a palette for categories, else viridis."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgba_array

    if scale is None or not len(scale.positions):
        return np.tile(to_rgba_array(TRAIN_COLOUR), (runs, 1))
    if _is_palette(scale):
        palette = to_rgba_array(PALETTE)
        return np.asarray(palette[scale.positions.astype(int)])
    colours: NDArray[Any] = colormaps["viridis"](0.92 * _shares(scale, scale.positions))
    colours[np.isnan(scale.positions)] = to_rgba_array(PALE_INK)[0]
    return colours


def _shares(scale: Scale, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale positions to the range 0 to 1 between the outermost runs."""
    low, high = np.nanmin(scale.positions), np.nanmax(scale.positions)
    return np.asarray((positions - low) / ((high - low) or 1.0))


def _is_palette(scale: Scale) -> bool:
    return scale.kind == "category" and int(scale.positions.max(initial=0)) < len(PALETTE)


def _draw_key(figure: "Figure", scale: Scale, name: str) -> None:
    """Draw what the colours mean: a legend for few values, a colour bar for many."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    distinct = np.unique(scale.positions[~np.isnan(scale.positions)])
    if len(distinct) <= _NAMED and len(distinct) == len(scale.ticks):
        if _is_palette(scale):
            colours: Sequence[Any] = PALETTE[: len(distinct)]
        else:
            colours = list(colormaps["viridis"](0.92 * _shares(scale, scale.ticks)))
        handles = [Line2D([], [], color=colour, linewidth=2) for colour in colours[: len(distinct)]]
        figure.legend(
            handles, scale.labels, title=plain(name), loc="outside right center",
            frameon=False, fontsize=8, title_fontsize=8,
        )  # fmt: skip
        return
    norm = Normalize(float(distinct.min()), float(distinct.max()) + 0.087 * float(np.ptp(distinct)))
    bar = figure.colorbar(ScalarMappable(norm, "viridis"), ax=figure.axes, pad=0.02, aspect=30)
    bar.ax.set_ylim(float(distinct.min()), float(distinct.max()))
    bar.set_ticks(list(scale.ticks), labels=list(scale.labels))
    bar.ax.tick_params(labelsize=8)
    bar.set_label(plain(name), fontsize=8, color=INK)


@SWEEP_PICTURES.register
class LearningCurves(SweepPicture):
    """The learning curves of all runs, coloured by the first parameter."""

    name: ClassVar[str] = "learning_curves"
    place: ClassVar[int] = 40

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether any run has completed an epoch."""
        return any(each.steps.size for each in sweep.curves)

    def text(self, sweep: SweepContents) -> str:
        """Name the curves, and what the best run is chosen by, which need not be the end of its curve."""
        if sweep.best is None or not sweep.metric.startswith(KEPT):
            return "Learning curves"
        return f"Learning curves; the best run is that of {sweep.metric}, at the epoch that it keeps"

    def draw(self, sweep: SweepContents, title: str) -> "Figure":
        """Draw a panel for each metric that was measured more than once, or once if none was."""
        panels = [each for each in sweep.curves if each.steps.size > 1]
        return draw_sweep_curves(
            panels or [each for each in sweep.curves if each.steps.size],
            title=title,
            colour_by=sweep.parameters[0] if sweep.parameters else None,
            best=sweep.best,
        )
