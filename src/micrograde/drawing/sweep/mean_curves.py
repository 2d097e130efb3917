"""Learning curves of settings: the mean over seeds, splits or folds, with a band for their spread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.natural_order import natural_key
from micrograde.drawing.palettes import CLASSES
from micrograde.drawing.panel import Panel
from micrograde.drawing.svg import Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, Curves, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.axes import MetricAxis, metric_axis
from micrograde.drawing.sweep.curves import framed_panels, measured_often, pieces_of
from micrograde.drawing.sweep.swept import shown
from micrograde.drawing.text import fitted
from micrograde.metrics import formatted

SETTINGS = len(CLASSES)
"""The most settings that are drawn, the best ones: as many as colours can tell apart."""

_KEY_LINE = 20
_ENOUGH = 0.5  # the share of a setting's runs that must have a value for a mean to be drawn


@dataclass(frozen=True)
class Setting:
    """A setting's name, its runs with a result, and the mean and deviation of the metric over these."""

    name: str
    runs: NDArray[np.intp]
    mean: float
    std: float


@dataclass(frozen=True)
class _Band:
    """The mean (E,) of a metric over a setting's runs, and the ends of its band."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def draw_mean_curves(
    panels: Sequence[Curves], settings: Sequence[Setting], *, metric: str, title: str
) -> Svg:
    """Draw a panel for each metric: of each setting the mean of its runs, and a band of one deviation.

    A curve goes on as long as half of the setting's runs do.

    Parameters
    ----------
    settings
        The best first; the first ``SETTINGS`` are drawn.
    metric
        That of the settings' means, which the key gives.
    """
    drawn = settings[:SETTINGS]
    bands = [[_band(each.values[setting.runs]) for setting in drawn] for each in panels]
    axes = [
        metric_axis(
            each.metric,
            np.concatenate([band.mean for band in found]),
            more=np.concatenate([end for band in found for end in (band.low, band.high)]),
        )
        for each, found in zip(panels, bands, strict=True)
    ]
    point = "line: mean, band: standard deviation, as long as half of a setting's runs go on"
    if len(settings) > len(drawn):
        point += f"; the best {len(drawn)} of {len(settings)} settings"
    room = _KEY_LINE * (len(drawn) + 0.5)
    canvas, places = framed_panels(panels, axes, title, point, above=room)
    for row, setting in enumerate(drawn):
        y = places[0].top - 30 - room + (row + 1) * _KEY_LINE
        canvas.line((20, y - 4), (46, y - 4), CLASSES[row], width=3)
        said = _said(setting, metric)
        name = fitted(setting.name, 13, canvas.width - 70 - 8 * len(said))
        canvas.text(54, y, f"{name} · {said}", size=13, anchor="start")
    for panel, axis, curves, found in zip(places, axes, panels, bands, strict=True):
        for band, setting, colour in zip(found, drawn, CLASSES, strict=False):
            _draw_band(
                panel, axis, curves.steps.astype(float), band, colour, f"{curves.metric}: {setting.name}"
            )
    return canvas.finish(f"{title}; {point}")


def _said(setting: Setting, metric: str) -> str:
    """Return the mean ± deviation of a setting and the number of its runs."""
    count = len(setting.runs)
    spread = "" if count < 2 else f" ± {formatted(metric, setting.std, '.4f')}"
    return f"{formatted(metric, setting.mean, '.4f')}{spread} ({count} run{'s' * (count != 1)})"


def _band(values: NDArray[np.float64]) -> _Band:
    """Return the band of a setting's runs (runs, E); NaN where too few of them have a value."""
    there = np.isfinite(values)
    count = there.sum(axis=0)
    ever = int(there.any(axis=1).sum())
    enough = count >= max(1.0, _ENOUGH * ever)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = np.where(enough, np.where(there, values, 0.0).sum(axis=0) / count, np.nan)
        squares = np.where(there, values - mean, 0.0) ** 2
        std = np.sqrt(squares.sum(axis=0) / np.maximum(count - 1, 1))
    return _Band(mean, mean - std, mean + std)


def _draw_band(
    panel: Panel, axis: MetricAxis, steps: NDArray[np.float64], band: _Band, colour: str, label: str
) -> None:
    middle, low, high = (axis.heights(each) for each in (band.mean, band.low, band.high))
    low = np.where(np.isnan(low) & ~np.isnan(high), axis.ends[0], low)  # no logarithm: down to the axis
    for upper, lower in zip(pieces_of(panel, steps, high), pieces_of(panel, steps, low), strict=True):
        if len(upper) > 1:
            panel.canvas.area([*upper, *reversed(lower)], colour, f"spread of {label}", opacity=0.16)
    panel.draw_curve(steps, middle, colour, label)


def settings_of(sweep: SweepContents) -> list[Setting]:
    """Return the settings that have a result, best mean first."""
    keys: dict[tuple[object, ...], list[int]] = {}
    for run, values in enumerate(zip(*(each.values for each in sweep.parameters), strict=True)):
        if np.isfinite(sweep.values[run]):
            keys.setdefault(tuple(natural_key(value) for value in values), []).append(run)
    found = [_setting(sweep.parameters, sweep.values, np.array(runs)) for runs in keys.values()]
    return sorted(found, key=lambda each: each.mean if sweep.lower_is_better else -each.mean)


def _setting(parameters: Sequence[Swept], values: NDArray[np.float64], runs: NDArray[np.intp]) -> Setting:
    measured = values[runs]
    std = float(measured.std(ddof=1)) if len(runs) > 1 else np.nan
    pairs = (f"{each.name.rpartition('.')[2]}={shown(each.values[int(runs[0])])}" for each in parameters)
    return Setting(" ".join(pairs), runs, float(measured.mean()), std)


@SWEEP_PICTURES.register
class MeanCurves(SweepPicture):
    """The mean learning curve of each setting over seeds, splits or folds, with a band for the spread."""

    name: ClassVar[str] = "mean_curves"
    place: ClassVar[int] = 35

    def applies(self, sweep: SweepContents) -> bool:
        """Return whether settings were repeated, and any run has a result and has completed an epoch."""
        repeated = sweep.seeds is not None and bool(sweep.parameters)
        return repeated and sweep.best is not None and any(each.steps.size for each in sweep.curves)

    def text(self, sweep: SweepContents) -> str:
        """Name what a mean is taken over."""
        assert sweep.seeds is not None
        what = {"seed": "seeds", "data.seed": "splits"}.get(sweep.seeds.name, "folds")
        return f"Mean learning curves over the {what}, best settings first"

    def draw(self, sweep: SweepContents, title: str) -> Svg:
        """Draw a panel for each metric."""
        return draw_mean_curves(
            measured_often(sweep.curves), settings_of(sweep), metric=sweep.metric, title=title
        )
