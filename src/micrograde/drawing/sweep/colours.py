"""The colours of runs by a parameter's value, and the key that says which is which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.palettes import ORDERED, shade_names
from micrograde.drawing.style import PALE_INK, PALETTE, TRAIN_COLOUR
from micrograde.drawing.svg import Canvas
from micrograde.drawing.sweep import Swept
from micrograde.drawing.sweep.axes import TICK, draw_bar
from micrograde.drawing.sweep.swept import Scale, scale_of
from micrograde.drawing.text import fitted

KEY = 170
"""The pixels that a key takes to the right of what it explains."""

_NAMED = 8  # up to so many different values are listed
_SHADES = 24  # of more numbers, so many are told apart
_LINE = 20


@dataclass(frozen=True)
class RunColours:
    """The colour of each run: of few categories a palette's, else from dark to bright; blue without any.

    Attributes
    ----------
    of_run
        (N,): the number of each run's colour.
    colours
        The colours by their numbers.
    """

    of_run: NDArray[np.int64]
    colours: tuple[str, ...]
    swept: Swept | None
    scale: Scale | None

    def draw_key(self, canvas: Canvas, left: float, top: float, height: float) -> None:
        """Draw what the colours mean: a list of few values, a bar for many; nothing without a parameter."""
        if self.swept is None or self.scale is None:
            return
        scale = self.scale
        distinct = np.unique(scale.positions[~np.isnan(scale.positions)])
        if len(distinct) > _NAMED or len(distinct) != len(scale.ticks):
            ends = (float(distinct.min()), float(distinct.max()))
            ticks = list(
                zip(scale.ticks.tolist(), (fitted(each, TICK, 96) for each in scale.labels), strict=True)
            )
            draw_bar(canvas, (left, top, height), ends, ticks, self.swept.name, palette=ORDERED)
            return
        canvas.text(left, top + 6, fitted(self.swept.name, TICK, KEY - 16), anchor="start")
        for row, (tick, label) in enumerate(zip(scale.ticks, scale.labels, strict=True), start=1):
            run = int(np.flatnonzero(scale.positions == tick)[0])
            y = top + row * _LINE
            canvas.line((left, y + 2), (left + 22, y + 2), self.colours[self.of_run[run]], width=3)
            canvas.text(left + 30, y + 6, fitted(label, TICK, KEY - 46), anchor="start")


def colours_by(swept: Swept | None, runs: int) -> RunColours:
    """Return the colours of so many runs by a parameter's value."""
    scale = scale_of(swept.values) if swept and runs else None
    if swept is None or scale is None:
        return RunColours(np.zeros(runs, np.int64), (TRAIN_COLOUR,), None, None)
    if scale.kind == "category" and int(scale.positions.max(initial=0)) < len(PALETTE):
        return RunColours(scale.positions.astype(np.int64), PALETTE, swept, scale)
    low, high = np.nanmin(scale.positions), np.nanmax(scale.positions)
    shares = (scale.positions - low) / ((high - low) or 1.0)
    numbers = np.where(np.isnan(shares), _SHADES, np.rint(np.nan_to_num(shares) * (_SHADES - 1)))
    colours = (*shade_names(ORDERED, np.linspace(0, 1, _SHADES)), PALE_INK)
    return RunColours(numbers.astype(np.int64), colours, swept, scale)
