"""Histograms over time: the distribution of each layer's activations and gradients, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.heading import heading
from micrograde.drawing.palettes import SEQUENTIAL, shade
from micrograde.drawing.panel import Panel, log_ticks, padded_range, round_ticks
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.style import INK
from micrograde.drawing.svg import Canvas, Svg
from micrograde.drawing.text import fitted, power_of_ten

_COLUMNS = 7  # of panels, at most
_PANEL_WIDTH, _PANEL_HEIGHT = 190.0, 140.0
_LEFT, _BETWEEN, _RIGHT = 66.0, 64.0, 24.0
_ABOVE, _BELOW = 38.0, 56.0  # of a panel: above it its name and a note, below it the axis
_BINS = 48
_NARROWEST = 640.0  # least width of the picture, so that the heading and the key have room
_TAILS = 0.0005  # the share of the values that may lie outside a panel, at each end
_HUGE = 1e300


def draw_histograms(
    epochs: Sequence[int],
    activations: Mapping[str, NDArray[np.floating]],
    gradients: Mapping[str, NDArray[np.floating]],
    *,
    title: str,
) -> Svg:
    """Draw a panel for each layer: epochs along x, values along y, the share of the values as colour.

    Parameters
    ----------
    epochs
        E epochs in ascending order; 0 is before the first step.
    activations
        By layer, (E, n): values at each of these epochs.
    gradients
        By layer, (E, n): entries of the gradient. They are shown as log10 of their absolute value. Entries
        that are zero, or negligible because of rounding, are not drawn; a note says what share they are.

    Raises
    ------
    ValueError
        If an array does not have E rows.
    """
    for name, values in {**activations, **gradients}.items():
        if len(values) != len(epochs):
            raise ValueError(f"{name}: has {len(values)} rows for {len(epochs)} epochs")
    sizes = {name: _sizes(values) for name, values in gradients.items()}
    values_of = {name: np.asarray(values, float) for name, values in activations.items()}
    most = max(len(values_of), len(sizes), 1)
    columns = -(-most // -(-most // _COLUMNS))  # rows of as nearly the same length as possible
    width = max(_LEFT + columns * _PANEL_WIDTH + (columns - 1) * _BETWEEN + _RIGHT, _NARROWEST)
    above = heading(title, _the_point(epochs, values_of, sizes), width)
    key_height, row_height = 26.0, _ABOVE + _PANEL_HEIGHT + _BELOW
    rows = -(-len(values_of) // columns) + -(-len(sizes) // columns)
    canvas = Canvas(width, above.height + key_height + rows * row_height)
    above.draw(canvas)
    _draw_key(canvas, 20, above.height - 2)
    top = above.height + key_height
    common = _spread(np.concatenate([each.ravel() for each in sizes.values()])) if sizes else (0.0, 1.0)
    places = (
        (_LEFT + column * (_PANEL_WIDTH + _BETWEEN), top + row * row_height + _ABOVE)
        for row in range(rows)
        for column in range(columns)
    )
    for kind, label in ((values_of, "activation"), (sizes, "|gradient|")):
        for name, values in kind.items():
            left, panel_top = next(places)
            y_range = _spread(values) if kind is values_of else common
            size = (_PANEL_WIDTH, _PANEL_HEIGHT)
            panel = Panel(canvas, left, panel_top, *size, _time_range(epochs), y_range)
            _draw_panel(panel, epochs, values, name, label)
        for _ in range(-len(kind) % columns):  # the gradients begin on a new row
            next(places)
    return canvas.finish(f"histograms of activations and gradients: {title}")


def _sizes(gradient: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return log10 of absolute values; -inf for zero and for entries within rounding of the epoch's largest.

    Where a sum cancels, as that over a constant pixel does before batch norm, only rounding errors are left,
    twenty orders of magnitude below everything else.
    """
    size = np.abs(np.asarray(gradient, float))
    finite = np.where(np.isfinite(size), size, 0)
    rounding = np.finfo(gradient.dtype).eps * finite.max(axis=1, initial=0, keepdims=True)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(np.where(size < rounding, 0, size)))


def _draw_panel(
    panel: Panel, epochs: Sequence[int], values: NDArray[np.floating], name: str, label: str
) -> None:
    shares = _histogram(np.where(values == 0, np.nan, values), panel.y_range)
    most = float(shares.max(initial=0)) or 1.0
    # Each column of pixels shows the nearest epoch, as epochs need not be evenly spaced.
    times = np.linspace(*panel.x_range, 2 * int(panel.width) + 1)[1::2]
    middles = (np.array(epochs[1:]) + np.array(epochs[:-1])) / 2
    colours = shade(SEQUENTIAL, np.sqrt(shares / most))[np.searchsorted(middles, times)]
    panel.draw_image(colours.swapaxes(0, 1), f"{name} over the epochs")
    x_ticks = round_ticks(*panel.x_range, whole=True, about=4)
    y_ticks = (round_ticks if label == "activation" else log_ticks)(*panel.y_range, about=5)
    panel.draw_axes("epoch", label, x_ticks=x_ticks, y_ticks=y_ticks, grid=False)
    canvas = panel.canvas
    canvas.text(panel.left, panel.top - 22, fitted(name, 12, panel.width + 40), anchor="start")
    note = fitted(_at_the_end(values[-1], label), 11, panel.width + 40)
    canvas.text(panel.left, panel.top - 7, note, size=11, anchor="start", colour=INK)


def _at_the_end(values: NDArray[np.floating], label: str) -> str:
    """Return a note on the values of the last epoch; zero gradients are -inf here."""
    finite = values[_usable(values)].astype(float)
    if label == "activation":
        if not finite.size:
            return "at the end: no finite value"
        zeros = np.count_nonzero(values == 0) / values.size
        with np.errstate(over="ignore"):
            mean, spread = float(finite.mean()), float(finite.std())
        mean = mean if abs(mean) > 1e-3 * spread else 0.0  # after batch norm, the mean is a rounding error
        note = f"at the end {mean:.2g} ± {spread:.2g}"
    else:
        zeros = np.count_nonzero(np.isneginf(values)) / values.size
        if not finite.size:
            return "at the end: all zero" if zeros == 1 else "at the end: no finite value"
        note = f"at the end typically {power_of_ten(float(np.median(finite)))}"
    return note + (f", {zeros:.0%} zero" if zeros >= 0.005 else "")


def _the_point(
    epochs: Sequence[int],
    activations: Mapping[str, NDArray[np.floating]],
    sizes: Mapping[str, NDArray[np.floating]],
) -> str:
    """Return a sentence on the typical gradients of the first and last layers, and on the most zeros."""
    typical = {}
    for name, values in sizes.items():
        finite = values[-1][_usable(values[-1])] if len(values) else values
        if finite.size:
            typical[name] = float(np.median(finite))
    when = f"after epoch {epochs[-1]}" if len(epochs) else ""
    if not typical:
        return f"no gradient is finite and nonzero {when}"
    first, last = next(iter(typical)), list(typical)[-1]
    point = f"{when} a typical gradient is {power_of_ten(typical[first])} in {first}"
    if first != last:
        point += f" and {power_of_ten(typical[last])} in {last}"
    zeros = {name: float(np.mean(values[-1] == 0)) for name, values in activations.items()}
    most = max(zeros, key=lambda name: zeros[name], default="")
    if most and zeros[most] >= 0.1:
        point += f"; {zeros[most]:.0%} of the values of {most} are zero"
    return point


def _histogram(values: NDArray[np.floating], y_range: tuple[float, float]) -> NDArray[np.float64]:
    """Return the share (E, bins) of each row's values that lies in each bin."""
    low, high = y_range
    inside = _usable(values) & (values >= low) & (values < high)
    places = np.where(inside, (np.where(inside, values, low) - low) * (_BINS / (high - low)), 0).astype(int)
    flat = np.minimum(places, _BINS - 1) + _BINS * np.arange(len(values))[:, None]
    counts = np.bincount(flat[inside], minlength=len(values) * _BINS)
    shares: NDArray[np.float64] = counts.reshape(len(values), _BINS) / max(values.shape[1], 1)
    return shares


def _spread(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return a range that holds nearly all finite values, with a little margin."""
    finite = values[_usable(values)].astype(float)
    return padded_range(np.quantile(finite, (_TAILS, 1 - _TAILS)) if finite.size else finite)


def _time_range(epochs: Sequence[int]) -> tuple[float, float]:
    """Return the range from half a step before the first epoch to half a step after the last."""
    if len(epochs) < 2:
        middle = epochs[0] if epochs else 0
        return middle - 0.5, middle + 0.5
    return (3 * epochs[0] - epochs[1]) / 2, (3 * epochs[-1] - epochs[-2]) / 2


def _usable(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(values) < _HUGE)


def _draw_key(canvas: Canvas, left: float, top: float) -> None:
    ramp = shade(SEQUENTIAL, np.linspace(0, 1, 64))[None]
    canvas.text(left, top + 12, "no value", anchor="start")
    canvas.image(left + 54, top + 2, 120, 12, ramp, "from no value to most of the values", smooth=True)
    text = "most values of a panel (square-root scale; zeros are left out)"
    canvas.text(left + 182, top + 12, text, anchor="start")


@PICTURES.register
class Histograms(RunPicture):
    """Activations and gradients of each layer over time."""

    name: ClassVar[str] = "histograms"
    files: ClassVar[tuple[str, ...]] = ("figures/histograms.svg",)

    def draw(self, run: RunContents) -> Svg | None:
        """Draw the distributions for a batch along the trajectory."""
        from micrograde.diagnostics import distributions

        found = distributions(run.model, run.trajectory, run.learned or run.training, run.batch_size)
        if found is None:
            return None
        return draw_histograms(found.epochs, found.activations, found.gradients, title=run.title)
