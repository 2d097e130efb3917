"""What mattered in a sweep: the shares of a metric's variance, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel
from micrograde.drawing.style import INK, PALETTE, TRAIN_COLOUR
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted, text_width

_BARS = 12  # the most that are drawn
_WIDTH, _MARGIN, _NAMES = 760, 24, 320
_LINE, _BAR, _BELOW = 24, 14, 52
_SIZE = 12  # font size
_COLOURS = {"key": TRAIN_COLOUR, "pair": PALETTE[4], "repeat": PALETTE[1], "rest": "#BDBDBD"}
_MEANINGS = {
    "key": "a key by itself",
    "pair": "two keys together, beyond each by itself",
    "repeat": "a seed, split or fold",
    "rest": "all else",
}


@dataclass(frozen=True)
class Bar:
    """A share from 0 to 1, and what it is of."""

    of: str
    share: float
    kind: Literal["key", "pair", "repeat", "rest"]


def draw_shares(bars: Sequence[Bar], *, metric: str, runs: int, fitted_forest: bool) -> Svg:
    """Draw a bar for each share, in the order given; small ones beyond twelve are left out, and said."""
    drawn = _the_most(bars)
    names = [fitted(each.of, _SIZE, _NAMES) for each in drawn]
    point = _the_point(bars, runs, fitted_forest)
    if len(drawn) < len(bars):
        point += f"; {len(bars) - len(drawn)} smaller shares are not drawn"
    above = heading(f"What mattered for {metric}", point, _WIDTH, left=_MARGIN)
    kinds = [kind for kind in _COLOURS if any(each.kind == kind for each in drawn)]
    top, height = above.height + 26, float(_LINE * len(names))
    canvas = Canvas(_WIDTH, top + height + _BELOW)
    above.draw(canvas)
    x = float(_MARGIN)
    for kind in kinds:
        canvas.rectangle(x, top - 20, 10, 10, _COLOURS[kind])
        canvas.text(x + 14, top - 11, _MEANINGS[kind], size=_SIZE, anchor="start")
        x += 32 + text_width(_MEANINGS[kind], _SIZE)
    left = _MARGIN + max((text_width(name, _SIZE) for name in names), default=0.0) + 8
    width = _WIDTH - left - _MARGIN - text_width("100 %", _SIZE)
    panel = Panel(canvas, left, top, width, height, (0.0, 100.0), (float(max(len(names), 1)), 0.0))
    ticks = [(float(value), f"{value} %") for value in range(0, 101, 20)]
    panel.draw_axes("share of the variance between runs", "", x_ticks=ticks, y_ticks=())
    for row, (name, each) in enumerate(zip(names, drawn, strict=True)):
        end, middle = panel.at(100 * min(max(each.share, 0.0), 1.0), row + 0.5)
        canvas.text(left - 8, middle + 4, name, anchor="end", size=_SIZE)
        canvas.rectangle(left, middle - _BAR / 2, end - left, _BAR, _COLOURS[each.kind])
        canvas.text(end + 5, middle + 4, percent(each.share), anchor="start", size=_SIZE, colour=INK)
    return canvas.finish(f"what mattered for {metric}: {point}")


def percent(share: float) -> str:
    """Return a share as text: ``71 %``, ``< 1 %``, ``0 %``."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def _the_most(bars: Sequence[Bar]) -> list[Bar]:
    """Return the greatest shares in the order given, the rest always among them."""
    places = sorted(range(len(bars)), key=lambda place: (bars[place].kind != "rest", -bars[place].share))
    kept = set(places[:_BARS])
    return [each for place, each in enumerate(bars) if place in kept]


def _the_point(bars: Sequence[Bar], runs: int, fitted_forest: bool) -> str:
    of = f"of {runs:,} runs"
    if not any(each.share for each in bars):
        return f"nothing: all {of[3:]} have the same value"
    first = max(bars, key=lambda each: each.share)
    how = (
        "estimated by a fitted forest, as combinations are missing"
        if fitted_forest
        else "exact on the full grid"
    )
    if first.kind == "rest":
        said = f"no key, no pair and no seed has as much of the variance as all else, {percent(first.share)}"
    else:
        said = f"{first.of} has {percent(first.share)} of the variance"
    return f"{said} {of}; {how}"
