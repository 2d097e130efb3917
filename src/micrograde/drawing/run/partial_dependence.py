"""Partial dependence: how probabilities, or predicted numbers, follow the most important columns."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from micrograde.core.plain_numbers import plain_number
from micrograde.data.messages import quoted
from micrograde.diagnostics import PartialDependence, partial_dependence, values_to_try
from micrograde.drawing.heading import heading
from micrograde.drawing.panel import Panel, label_room, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import PALE_INK, PALETTE
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted, text_width
from micrograde.tasks.regression import Regression

_COLUMNS, _CLASSES = 3, 5  # the most that are drawn
_WIDTH, _HEIGHT, _LEFT, _BETWEEN, _RIGHT = 264, 220, 64, 44, 24
_KEY = 20
_LABEL = 96  # pixels of a level's name
_TARGETS = 3  # the most numbers that are drawn, a row of panels for each
_BETWEEN_ROWS = 14
_HUGE = 1e300
_DODGE = 5  # the most pixels between the dots of two classes
_ROOM = 0.12  # right of the values, for what is missing, as a share of their range


def draw_partial_dependence(
    found: Sequence[PartialDependence], *, class_names: Sequence[str], classes: Sequence[int], title: str
) -> Svg:
    """Draw a panel for each column, in it a curve for each of the ``classes``, which are numbers of names."""
    width = max(_LEFT + len(found) * (_WIDTH + _BETWEEN) - _BETWEEN + _RIGHT, 560)
    point = _the_point(found, class_names, classes)
    above = heading(title, point, width)
    top = above.height + _KEY + 14
    longest = max((text_width(text, 12) for each in found for text in _slanted(each)), default=0.0)
    below = 54 + 0.72 * min(longest, _LABEL)
    canvas = Canvas(width, top + _HEIGHT + below)
    above.draw(canvas)
    _draw_key(canvas, above.height + 8, width, class_names, classes)
    for number, each in enumerate(found):
        corner = (_LEFT + number * (_WIDTH + _BETWEEN), top)
        label = "mean probability" if number == 0 else ""
        _draw_panel(
            canvas, corner, each, classes, class_names, y_range=(-0.02, 1.02), label=label, below=below
        )
    return canvas.finish(f"partial dependence: {title}, {point}")


def draw_dependence_of_numbers(
    found: Sequence[PartialDependence], *, target_names: Sequence[str], title: str
) -> Svg:
    """Draw a row of panels for each number that is predicted, three at most, with a panel for each column."""
    targets = range(min(len(target_names), _TARGETS))
    ranges = [_range_of(found, target) for target in targets]
    left = max(label_room(round_ticks(*each)) for each in ranges) + 8
    width = max(left + len(found) * (_WIDTH + _BETWEEN) - _BETWEEN + _RIGHT, 560)
    point = _the_point_of_numbers(found, target_names)
    above = heading(title, point, width)
    longest = max((text_width(text, 12) for each in found for text in _slanted(each)), default=0.0)
    below = 54 + 0.72 * min(longest, _LABEL)
    top = above.height + 14
    canvas = Canvas(width, top + len(targets) * (_HEIGHT + below + _BETWEEN_ROWS) - _BETWEEN_ROWS)
    above.draw(canvas)
    for row, target in enumerate(targets):
        for number, each in enumerate(found):
            corner = (left + number * (_WIDTH + _BETWEEN), top + row * (_HEIGHT + below + _BETWEEN_ROWS))
            label = fitted(f"mean predicted {target_names[target]}", 12, _HEIGHT) if number == 0 else ""
            _draw_panel(
                canvas, corner, each, [target], target_names, y_range=ranges[target], label=label, below=below
            )
    return canvas.finish(f"partial dependence: {title}, {point}")


def _range_of(found: Sequence[PartialDependence], target: int) -> tuple[float, float]:
    """Return the range of the means of a number, which all of its panels share."""
    means = [each.means[:, target] for each in found]
    missing = [each.if_missing[target : target + 1] for each in found if each.if_missing is not None]
    return padded_range(np.concatenate([*means, *missing]))


def _draw_panel(
    canvas: Canvas,
    corner: tuple[float, float],
    found: PartialDependence,
    classes: Sequence[int],
    class_names: Sequence[str],
    *,
    y_range: tuple[float, float],
    label: str,
    below: float,
) -> None:
    positions, values = found.values.positions, found.values
    low, high = float(positions[0]), float(positions[-1])
    margin = 0.5 if values.are_levels else 0.03 * (high - low)
    # Where a missing value is drawn.
    aside = high + (1 if values.are_levels else margin + _ROOM * (high - low))
    x_range = (low - margin, aside + margin if found.if_missing is not None else high + margin)
    panel = Panel(canvas, *corner, _WIDTH, _HEIGHT, x_range, y_range)
    ticks = list(values.ticks) if values.ticks else round_ticks(low, high, about=4)
    slanted = bool(_slanted(found))
    panel.draw_axes("", label, x_ticks=() if slanted else ticks)
    if slanted:
        for position, text in ticks:
            x, y = panel.at(position, panel.y_range[0])
            canvas.text(x + 4, y + 16, fitted(text, 12, _LABEL), anchor="end", turn=-45)
    under = panel.top + panel.height + (below - 12 if slanted else 40)
    canvas.text(panel.left + panel.width / 2, under, _named(found))
    if found.if_missing is not None:
        x, y = panel.at(aside, panel.y_range[0])
        canvas.text(x, y + 18, "missing")
    apart = panel.width / (x_range[1] - x_range[0]) if values.are_levels else panel.width
    dodge = min(_DODGE, 0.7 * apart / len(classes))
    for number, which in enumerate(classes):
        colour = PALETTE[number]
        curve = found.means[:, which]
        if not values.are_levels:
            panel.draw_curve(positions, curve, colour, f"{class_names[which]}: {found.column}")
        dots = list(zip(positions, curve, strict=True)) if values.are_levels else []
        if found.if_missing is not None:
            dots.append((aside, found.if_missing[which]))
        beside = dodge * (number - (len(classes) - 1) / 2)
        for position, mean in dots:
            if abs(mean) < _HUGE:
                x, y = panel.at(float(position), float(mean))
                canvas.dot(x + beside, y, colour)


def _slanted(found: PartialDependence) -> list[str]:
    """Return the labels of levels that must be slanted, because they would not fit beside each other."""
    if not found.values.are_levels:
        return []
    texts = [text for _, text in found.values.ticks]
    places = len(texts) + (found.if_missing is not None)
    return texts if max(text_width(text, 12) for text in texts) > 0.9 * _WIDTH / places else []


def _named(found: PartialDependence) -> str:
    """Return the column's name, shortened; of many levels also how many are drawn."""
    drawn, there = len(found.values.positions), found.values.of_levels
    more = "" if drawn >= there else f" ({drawn} of {there})"
    return fitted(found.column, 12, _WIDTH - text_width(more, 12)) + more


def _draw_key(
    canvas: Canvas, top: float, width: float, class_names: Sequence[str], classes: Sequence[int]
) -> None:
    beside = 190 if len(classes) < len(class_names) else 0
    x, room = float(_LEFT), (width - _LEFT - _RIGHT - beside) / len(classes)
    for number, which in enumerate(classes):
        text = fitted(class_names[which], 12, room - 30)
        canvas.dot(x + 4, top + 2, PALETTE[number])
        canvas.text(x + 14, top + 6, text, anchor="start")
        x += text_width(text, 12) + 30
    if len(classes) < len(class_names):
        more = f"the most frequent {len(classes)} of {len(class_names)} classes"
        canvas.text(width - _RIGHT, top + 6, more, anchor="end", colour=PALE_INK)


def _the_point(found: Sequence[PartialDependence], class_names: Sequence[str], classes: Sequence[int]) -> str:
    """Return a sentence: which column moves the mean probability of which class most."""
    ranges = [np.ptp(np.nan_to_num(each.means[:, classes]), axis=0) for each in found]
    number = int(np.argmax([each.max() for each in ranges]))
    which = classes[int(np.argmax(ranges[number]))]
    curve = found[number].means[:, which]
    return (
        f"if all rows had one value of {quoted(found[number].column)}, the mean probability of "
        f"{quoted(class_names[which])} would be between {np.nanmin(curve):.2f} and {np.nanmax(curve):.2f}, "
        "depending on the value"
    )


def _the_point_of_numbers(found: Sequence[PartialDependence], target_names: Sequence[str]) -> str:
    """Return a sentence: which column moves the mean of the first number most."""
    if not any((np.abs(each.means[:, 0]) < _HUGE).any() for each in found):
        return f"the mean predicted {quoted(target_names[0])} is finite at no value"
    curves = [np.where(np.abs(each.means[:, 0]) < _HUGE, each.means[:, 0], np.nan) for each in found]
    ranges = [
        np.nanmax(curve) / 2 - np.nanmin(curve) / 2 if np.isfinite(curve).any() else 0.0 for curve in curves
    ]
    number = int(np.argmax(ranges))
    more = f"; the first {_TARGETS} of {len(target_names)} numbers" if len(target_names) > _TARGETS else ""
    return (
        f"if all rows had one value of {quoted(found[number].column)}, the mean predicted "
        f"{quoted(target_names[0])} would be between {plain_number(np.nanmin(curves[number]))} and "
        f"{plain_number(np.nanmax(curves[number]))}, depending on the value{more}"
    )


@PICTURES.register
class PartialDependences(RunPicture):
    """The mean probability of each class, or mean number, if all rows had one value of a column."""

    name: ClassVar[str] = "partial_dependence"
    files: ClassVar[tuple[str, ...]] = ("figures/partial_dependence.svg",)

    def applies(self, run: RunContents) -> bool:
        """Return whether it is known which columns are important."""
        return run.importances is not None

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the first columns that can be set to other values."""
        if run.importances is None:
            return None
        task, names = run.task, run.dataset.class_names
        samples = run.training if run.importances.part == "train" else run.validation or run.training
        places = [place for _, place in run.preprocessing.columns()]
        found: list[PartialDependence] = []
        for column, place in zip(run.importances.columns, run.importances.features, strict=True):
            values = values_to_try(run.preprocessing, run.training, places.index(place))
            if values is not None:
                found.append(partial_dependence(run.model, samples, place, values, task=task, column=column))
            if len(found) == _COLUMNS:
                break
        if not found:
            return None
        if isinstance(task, Regression):
            return draw_dependence_of_numbers(found, target_names=task.target_names, title=run.title)
        if not names:
            return None
        counts = np.bincount(run.training.labels, minlength=len(names))
        classes = np.sort(np.argsort(-counts, kind="stable")[:_CLASSES]).tolist()
        return draw_partial_dependence(found, class_names=names, classes=classes, title=run.title)
