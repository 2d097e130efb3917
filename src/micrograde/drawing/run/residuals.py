"""Residuals against the predicted numbers, and against the columns that matter most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.diagnostics.column_axis import ColumnAxis, column_axis
from micrograde.diagnostics.residual_patterns import LEAST_ROWS, ResidualPattern, residual_pattern
from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, Ticks, label_room, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.scored_numbers import (
    PART_COLOURS,
    ScoredNumbers,
    draw_part_key,
    scored_numbers,
    shown_targets,
    some_places,
)
from micrograde.drawing.style import INK, PALE_INK
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted

_TARGETS, _COLUMNS, _COLUMNS_OF_SEVERAL = 3, 3, 2  # the most that are drawn
_MOST_LEVELS = 8
_WIDTH, _HEIGHT = 330.0, 220.0
_BETWEEN, _RIGHT, _BELOW, _ABOVE = 26.0, 24.0, 56.0, 10.0
_LEAST_WIDTH = 640.0
_SPREAD = 0.18  # of the rows of a level, on either side
_DATES_APART = 0.3  # of the width
_INTERVAL = 1.96


@dataclass(frozen=True)
class ResidualPanel:
    """What a panel shows: the residuals of a number against something.

    Attributes
    ----------
    target
        Which number it is.
    against
        The name of what they are drawn against.
    axes
        Where the rows of each part are, by the part's name in the records.
    pattern
        That of the part that is tested; None if it has too few rows.
    """

    target: int
    against: str
    axes: Mapping[str, ColumnAxis]
    pattern: ResidualPattern | None


def draw_residuals(
    parts: Mapping[str, ScoredNumbers],
    panels: Sequence[ResidualPanel],
    tested: ScoredNumbers,
    *,
    columns: int,
    title: str,
) -> Svg:
    """Draw the panels, ``columns`` in a row, with all rows and the mean residuals of the part ``tested``."""
    ranges = {
        target: padded_range(np.concatenate([each.residuals[:, target] for each in parts.values()]))
        for target in {panel.target for panel in panels}
    }
    left = max(label_room(round_ticks(*each)) for each in ranges.values()) + 12
    columns = min(columns, len(panels))
    width = max(columns * (left + _WIDTH) + (columns - 1) * _BETWEEN + _RIGHT, _LEAST_WIDTH)
    point = _the_point(tested, panels)
    above = heading(title, point, width)
    top = above.height + 22
    height = _ABOVE + _HEIGHT + _BELOW
    canvas = Canvas(width, top + -(-len(panels) // columns) * height)
    above.draw(canvas)
    draw_part_key(canvas, above.height + 4, parts)
    if any(panel.pattern for panel in panels):
        note = f"black: means of the {tested.part} part, with 95 % intervals"
        canvas.text(width - _RIGHT, above.height + 8, note, anchor="end", size=11, colour=PALE_INK)
    for number, each in enumerate(panels):
        row, column = divmod(number, columns)
        corner = (column * (left + _WIDTH + _BETWEEN) + left, top + row * height + _ABOVE)
        _draw_panel(canvas, corner, each, parts, ranges[each.target])
    return canvas.finish(f"residuals: {title}; {point}")


def _draw_panel(
    canvas: Canvas,
    corner: tuple[float, float],
    shown: ResidualPanel,
    parts: Mapping[str, ScoredNumbers],
    y_range: tuple[float, float],
) -> None:
    name = next(iter(parts.values())).target_names[shown.target]
    levels = next(iter(shown.axes.values())).levels
    ticks: Ticks
    if levels:
        x_range = (-0.5, len(levels) - 0.5)
        room = _WIDTH / len(levels) - 4
        ticks = [(float(number), fitted(level, 12, room)) for number, level in enumerate(levels)]
    else:
        x_range = padded_range(np.concatenate([axis.positions for axis in shown.axes.values()]))
        dates = [each for axis in shown.axes.values() for each in axis.ticks]
        ticks = _apart(dates, x_range) if dates else round_ticks(*x_range, about=4)
    panel = Panel(canvas, *corner, _WIDTH, _HEIGHT, x_range, y_range)
    label = fitted(f"true − predicted {name}", 12, _HEIGHT)
    panel.draw_axes(fitted(shown.against, 12, _WIDTH), label, x_ticks=ticks)
    for part, scored in reversed(list(parts.items())):
        places = some_places(len(scored))
        positions = shown.axes[part].positions[places]
        residuals = scored.residuals[places, shown.target]
        if levels:
            positions = positions + np.random.default_rng(0).uniform(-_SPREAD, _SPREAD, len(positions))
        known = np.isfinite(positions)
        points = np.stack(panel.at(positions[known], residuals[known]), axis=1)
        canvas.dots(points, PART_COLOURS[scored.part], diameter=3)
    canvas.line(panel.at(x_range[0], 0.0), panel.at(x_range[1], 0.0), PALE_INK, dashed=True)
    if shown.pattern is not None:
        _draw_means(panel, shown.pattern, joined=not levels)


def _apart(dates: Sequence[tuple[float, str]], x_range: tuple[float, float]) -> Ticks:
    """Return some of these dates that are within the range, so far apart that they can be read."""
    low, high = x_range
    ticks: list[tuple[float, str]] = []
    for position, text in sorted(set(dates)):
        if low <= position <= high and (not ticks or position - ticks[-1][0] > _DATES_APART * (high - low)):
            ticks.append((position, text))
    return ticks


def _draw_means(panel: Panel, pattern: ResidualPattern, *, joined: bool) -> None:
    means = pattern.means + pattern.overall
    if joined:
        panel.draw_curve(pattern.centres, means, INK, "mean residuals")
    for centre, mean, error in zip(pattern.centres, means, _INTERVAL * pattern.errors, strict=True):
        x, low = panel.at(float(centre), float(mean - error))
        _, high = panel.at(float(centre), float(mean + error))
        panel.canvas.line((x, low), (x, high), INK, width=2)
        panel.canvas.dot(*panel.at(float(centre), float(mean)), INK)


def _the_point(scored: ScoredNumbers, panels: Sequence[ResidualPanel]) -> str:
    """Return whether there is a pattern that chance would hardly make, and where most clearly."""
    tested = [(panel.pattern, panel) for panel in panels if panel.pattern is not None]
    if not tested:
        return f"{scored.words()}: too few to tell a pattern of residuals from chance"
    pattern, panel = min(tested, key=lambda each: each[0].chance)
    groups = "groups of about equally many rows"
    if not pattern.is_one_of(len(tested)):
        said = "their mean residuals are in no group what chance would not make"
        return f"{scored.words()}, in {groups}: {said}"
    means = pattern.means + pattern.overall
    name = quoted(scored.target_names[panel.target])
    return (
        f"{scored.words()}: the mean residual of {name} depends on {quoted(panel.against)}, more than chance "
        f"would make it; in {groups} it is between "
        f"{plain_number(means.min(), 3)} and {plain_number(means.max(), 3)}"
    )


def residual_panels(
    run: RunContents, parts: Mapping[str, ScoredNumbers], tested: str
) -> tuple[list[ResidualPanel], int]:
    """Return the panels of a run, and how many stand in a row.

    Of one number those against the predicted number and three columns; of several, a row for each.
    """
    first = parts[tested]
    targets = shown_targets(first, _TARGETS)
    one = len(targets) == 1
    samples = {"train": run.training, "val": run.validation, "test": run.test}
    columns: dict[str, dict[str, ColumnAxis]] = {}
    found = run.importances
    for column, place in zip(found.columns, found.features, strict=True) if found else ():
        axes = {}
        for part, scored in parts.items():
            of_part = samples[part]
            axis = of_part and column_axis(run.preprocessing, of_part.features[scored.places], place)
            if axis and len(axis.levels) <= _MOST_LEVELS:
                axes[part] = axis
        if len(axes) == len(parts) and np.isfinite(axes[tested].positions).any():
            columns[column] = axes
        if len(columns) == (_COLUMNS if one else _COLUMNS_OF_SEVERAL):
            break
    panels = []
    for target in targets:
        predicted = {part: ColumnAxis(scored.predicted[:, target]) for part, scored in parts.items()}
        of_target = {f"predicted {first.target_names[target]}": predicted, **columns}
        for against, axes in of_target.items():
            pattern = _pattern(axes[tested].positions, first.residuals[:, target])
            panels.append(ResidualPanel(target, against, axes, pattern))
    return panels, 2 if one else 1 + len(columns)


def _pattern(positions: NDArray[np.float64], residuals: NDArray[np.float64]) -> ResidualPattern | None:
    known = np.isfinite(positions)
    return residual_pattern(positions[known], residuals[known])


@PICTURES.register
class Residuals(RunPicture):
    """What is left, true less predicted, against the predicted numbers and the columns that matter most."""

    name: ClassVar[str] = "residuals"
    task: ClassVar[str | None] = "regression"
    files: ClassVar[tuple[str, ...]] = ("figures/residuals.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the rows of all parts."""
        parts = run.once(scored_numbers)
        if not parts:
            return None
        # The part that pictures show first, unless it has too few rows and another has not.
        tested = next(
            (part for part, scored in parts.items() if len(scored) >= LEAST_ROWS), next(iter(parts))
        )
        panels, columns = residual_panels(run, parts, tested)
        return draw_residuals(parts, panels, parts[tested], columns=columns, title=run.title)
