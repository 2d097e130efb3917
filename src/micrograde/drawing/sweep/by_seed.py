"""A metric against the seed, if nothing else varies."""

from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, label_room
from micrograde.drawing.style import TRAIN_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.axes import TICK, draw_below, labels_below, metric_axis
from micrograde.drawing.sweep.dots import FOOT, draw_dots, draw_ring, key_of_dots
from micrograde.drawing.sweep.swept import scale_of
from micrograde.drawing.text import fitted
from micrograde.metrics import formatted

_WIDTH, _HEIGHT, _ABOVE, _RIGHT = 560, 240, 30, 24


def draw_metric_by_seed(
    seeds: Swept, values: ArrayLike, *, metric: str, title: str, best: int | None = None
) -> Svg:
    """Draw a dot for each run against its seed, the mean of all, and a band of one standard deviation."""
    measured = np.asarray(values, float)
    scale = scale_of(seeds.values)
    finite = measured[np.isfinite(measured)]
    count = finite.size
    with np.errstate(over="ignore", invalid="ignore"):  # such a mean is not drawn
        mean = float(np.mean(finite)) if count else np.nan
        std = float(np.std(finite, ddof=1)) if count > 1 else np.nan
    ends = np.array([mean - std, mean + std])
    axis = metric_axis(metric, measured, more=ends, foot=FOOT if count < len(measured) else 0.0)
    labels = labels_below(scale, _WIDTH)
    left = max(60.0, label_room(axis.ticks) + 8)
    key = key_of_dots(measured, best)
    key += ", line and band: mean and standard deviation" if count > 1 else ""
    above = heading(title, key, left + _WIDTH + _RIGHT)
    canvas = Canvas(left + _WIDTH + _RIGHT, above.height + _ABOVE + _HEIGHT + labels.depth + 4)
    above.draw(canvas)
    panel = Panel(canvas, left, above.height + _ABOVE, _WIDTH, _HEIGHT, scale.limits, axis.ends)
    middle, low, high = axis.heights(np.array([mean, *ends])).tolist()
    right = left + _WIDTH
    if np.isfinite(high):
        low = low if np.isfinite(low) else axis.ends[0]  # no logarithm: the band goes on below the axis
        (_, top), (_, bottom) = panel.at(0.0, high), panel.at(0.0, low)
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        canvas.area(corners, TRAIN_COLOUR, "mean ± standard deviation", opacity=0.12)
    panel.draw_axes("", fitted(metric, TICK, _HEIGHT), x_ticks=(), y_ticks=axis.ticks)
    if np.isfinite(middle):
        _, y = panel.at(0.0, middle)
        canvas.curve([[(left, y), (right, y)]], TRAIN_COLOUR, "mean", width=1.5)
    draw_below(panel, labels, seeds.name)
    heights = axis.heights(measured)
    draw_dots(panel, scale, heights)
    draw_ring(panel, scale, heights, best)
    spread = f" ± {formatted(metric, std, '.4f')}" if count > 1 else ""
    text = f"mean {formatted(metric, mean, '.4f')}{spread} over {count} runs" if count > 1 else ""
    line = text or (formatted(metric, mean, ".4f") if count else "no run has a result")
    canvas.text(left + _WIDTH / 2, panel.top - 10, line, size=13)
    return canvas.finish(f"{title}; {key}")


@SWEEP_PICTURES.register
class BySeed(SweepPicture):
    """The metric of each seed, with the mean and standard deviation of all, if nothing else varies."""

    name: ClassVar[str] = "by_seed"
    place: ClassVar[int] = 10

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether the seed varies and nothing else does."""
        return sweep.seeds is not None and not sweep.parameters

    def text(self, sweep: SweepContents) -> str:
        """Name the metric."""
        assert sweep.seeds is not None
        name = sweep.seeds.name
        return f"{sweep.metric} over {'the seeds' if name == 'seed' else name}"

    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Draw a dot for each seed."""
        assert sweep.seeds is not None
        return draw_metric_by_seed(
            sweep.seeds, sweep.values, metric=sweep.metric, title=title, best=sweep.best
        )
