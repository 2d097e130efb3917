"""The axes that pictures of a sweep share: of a metric, upwards, and of a parameter, below a panel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.palettes import VIRIDIS, shade
from micrograde.drawing.panel import Panel, Ticks, drawable, log_ticks, padded_range, round_ticks
from micrograde.drawing.style import INK, PALE_INK, is_spread
from micrograde.drawing.svg import Canvas
from micrograde.drawing.sweep.swept import Scale
from micrograde.drawing.text import fitted, text_width

TICK = 12
"""The font size of labels."""

BAR = 14
"""The width of a bar of colours."""

_LABEL = 110  # pixels of a slanted label
_SLANT = 0.72  # what of a slanted label's length is its height
_BETWEEN = 10  # pixels between labels beside each other
_SLANTED_APART = 17  # pixels between slanted labels


@dataclass(frozen=True)
class MetricAxis:
    """The axis of a metric: from where to where, by its logarithm or not.

    Attributes
    ----------
    ends
        Heights at the ends, with a margin beside the values.
    ticks
        Heights with their labels; none if there are no values.
    """

    logarithmic: bool
    ends: tuple[float, float]
    ticks: Ticks

    def heights(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where values are on the axis; NaN for those that cannot be drawn."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.log10(values) if self.logarithmic else np.asarray(values, float)
        return np.where(drawable(found), found, np.nan)


def metric_axis(
    metric: str,
    values: NDArray[np.float64],
    *,
    more: NDArray[np.float64] | None = None,
    foot: float = 0.0,
) -> MetricAxis:
    """Return the axis of a metric, logarithmic if ``is_spread`` says so of its values.

    Parameters
    ----------
    more
        What else is drawn at it, such as the ends of error bars.
    foot
        The share of the axis that is kept free below the values.
    """
    finite = values[drawable(values)]
    logarithmic = is_spread(metric, finite)
    drawn = finite if more is None else np.concatenate([finite, more])
    plain = MetricAxis(logarithmic, (0.0, 1.0), ())
    if not finite.size:
        return plain
    low, high = padded_range(plain.heights(drawn))
    low -= foot / (1 - foot) * (high / 2 - low / 2) * 2 if foot else 0.0
    ticks = log_ticks(low, high) if logarithmic else round_ticks(low, high)
    return MetricAxis(logarithmic, (low, high), ticks)


@dataclass(frozen=True)
class Labels:
    """The labels of a parameter's axis below a panel.

    Attributes
    ----------
    ticks
        Positions, with texts that do not overlap.
    depth
        How many pixels below the panel the labels and the parameter's name take.
    """

    ticks: Ticks
    slanted: bool
    depth: float


def labels_below(scale: Scale, width: float) -> Labels:
    """Return the labels of a scale that fit below a panel of this width.

    Where not all have room beside each other, those of numbers are thinned out; those of categories are
    slanted and, if that is not enough, thinned out as well.
    """
    low, high = scale.limits
    places = width * (scale.ticks - low) / (high - low)
    ticks = list(zip(scale.ticks.tolist(), scale.labels, strict=True))
    widths = [text_width(text, TICK) for text in scale.labels]
    kept = _fitting(places, widths)
    slanted = scale.kind == "category" and len(kept) < len(ticks)
    if not slanted:
        return Labels([ticks[tick] for tick in kept], False, 46)
    ticks = [(place, fitted(text, TICK, _LABEL)) for place, text in ticks]
    apart = width / (high - low) * (ticks[1][0] - ticks[0][0])
    ticks = ticks[:: max(1, int(np.ceil(_SLANTED_APART / apart)))]
    return Labels(ticks, True, 38 + _SLANT * max(text_width(text, TICK) for _, text in ticks))


def draw_below(panel: Panel, labels: Labels, name: str) -> None:
    """Draw the line, ticks and labels below a panel, and the parameter's name under them."""
    canvas, bottom = panel.canvas, panel.top + panel.height
    canvas.line((panel.left, bottom), (panel.left + panel.width, bottom), PALE_INK)
    for place, text in labels.ticks:
        x, _ = panel.at(place, panel.y_range[0])
        canvas.line((x, bottom), (x, bottom + 4), PALE_INK)
        if labels.slanted:
            canvas.text(x + 4, bottom + 15, text, anchor="end", turn=-45)
        else:
            canvas.text(x, bottom + 18, text)
    name = fitted(name, TICK, panel.width)
    canvas.text(panel.left + panel.width / 2, bottom + labels.depth - 8, name, colour=INK)


def _fitting(places: NDArray[np.float64], widths: list[float]) -> list[int]:
    """Return the labels that do not reach the one before that is written."""
    kept: list[int] = []
    for tick, place in enumerate(places.tolist()):
        if not kept or place - places[kept[-1]] >= (widths[kept[-1]] + widths[tick]) / 2 + _BETWEEN:
            kept.append(tick)
    return kept


def draw_bar(
    canvas: Canvas,
    place: tuple[float, float, float],
    ends: tuple[float, float],
    ticks: Ticks,
    name: str,
    *,
    palette: tuple[str, ...] = VIRIDIS,
) -> None:
    """Draw a bar of colours with its labels to the right, and beside them its name, turned.

    Parameters
    ----------
    place
        The left edge, the top and the height, in pixels.
    ends
        The values at the foot and at the top.
    """
    left, top, height = place
    colours = shade(palette, np.linspace(0, 1, 64))[:, np.newaxis]
    canvas.image(left, top, BAR, height, colours[::-1], name, smooth=True)
    panel = Panel(canvas, left, top, BAR, height, (0.0, 1.0), ends)
    widest = 0.0
    above = np.inf
    for value, text in ticks:
        _, y = panel.at(0.0, value)
        if above - y < TICK + 2:  # it would stand in the label below
            continue
        canvas.line((left + BAR, y), (left + BAR + 4, y), PALE_INK)
        canvas.text(left + BAR + 8, y + 4, text, anchor="start")
        widest, above = max(widest, text_width(text, TICK)), y
    x = left + BAR + 8 + widest + 16
    canvas.text(x, top + height / 2, fitted(name, TICK, height), turn=-90)


def bar_room(ticks: Ticks) -> float:
    """Return how many pixels a bar takes with its labels and its name."""
    return BAR + 8 + max((text_width(text, TICK) for _, text in ticks), default=0.0) + 16 + TICK
