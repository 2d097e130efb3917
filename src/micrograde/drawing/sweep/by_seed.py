"""A metric against the seed, if nothing else varies."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from micrograde.drawing.style import INK, TRAIN_COLOUR, new_figure, plain, scale_metric
from micrograde.drawing.sweep import SWEEP_PICTURES, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.dots import draw_dots, key_of_dots
from micrograde.drawing.sweep.swept import mark_axis, scale_of
from micrograde.metrics import formatted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_metric_by_seed(
    seeds: Swept, values: ArrayLike, *, metric: str, title: str, best: int | None = None
) -> "Figure":
    """Draw a dot for each run against its seed, the mean of all, and a band of one standard deviation."""
    measured = np.asarray(values, float)
    figure = new_figure(6, 3.4)
    axes = figure.subplots()
    scale = scale_of(seeds.values)
    draw_dots(axes, scale, measured, best)
    finite = measured[np.isfinite(measured)]
    if finite.size:
        mean, std = float(np.mean(finite)), float(np.std(finite, ddof=1)) if finite.size > 1 else np.nan
        axes.axhline(mean, color=TRAIN_COLOUR, linewidth=1.4)
        spread = ""
        if finite.size > 1:
            axes.axhspan(mean - std, mean + std, color=TRAIN_COLOUR, alpha=0.12, linewidth=0)
            spread = f" ± {formatted(metric, std, '.4f')}"
        middle = formatted(metric, mean, ".4f")
        text = f"mean {middle}{spread} over {finite.size} runs" if finite.size > 1 else middle
        axes.set_title(text, fontsize=10, color=INK)
    mark_axis(axes, scale, seeds.name)
    scale_metric(axes, metric, measured)
    axes.set_ylabel(plain(metric), color=INK, fontsize=9)
    figure.suptitle(f"{plain(title)}\n{key_of_dots(measured, best)}", color=INK, fontsize=11)
    return figure


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

    def draw(self, sweep: SweepContents, title: str) -> "Figure":
        """Draw a dot for each seed."""
        assert sweep.seeds is not None
        return draw_metric_by_seed(
            sweep.seeds, sweep.values, metric=sweep.metric, title=title, best=sweep.best
        )
