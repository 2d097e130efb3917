"""Colours for quantities and for classes that people with any colour vision can tell apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from micrograde.drawing.style import TRAIN_COLOUR, VALIDATION_COLOUR

SEQUENTIAL = (
    "#FFFFFF", "#DEEBF7", "#C6DBEF", "#9ECAE1", "#6BAED6", "#4292C6", "#2171B5", "#08519C", "#08306B",
)  # fmt: skip
"""From zero (white, as the background) to the maximum: ColorBrewer's Blues (Harrower & Brewer 2003)."""

ORDERED = ("#440154", "#482878", "#3E4989", "#31688E", "#26828E", "#1F9E89", "#35B779", "#6ECE58")
"""For lines that have an order, from dark to bright: viridis (van der Walt & Smith 2015) without its yellow
end, which is hard to see on white."""

VIRIDIS = (*ORDERED, "#B5DE2B", "#FDE725")
"""From dark to bright, for quantities that fill areas: all of viridis."""

DIVERGING = (
    "#053061", "#2166AC", "#4393C3", "#92C5DE", "#D1E5F0", "#F7F7F7",
    "#FDDBC7", "#F4A582", "#D6604D", "#B2182B", "#67001F",
)  # fmt: skip
"""From negative through zero to positive: ColorBrewer's RdBu."""

CLASSES = (TRAIN_COLOUR, VALIDATION_COLOUR, "#009E73", "#E69F00", "#CC79A7", "#56B4E9", "#F0E442")
"""For classes: Okabe & Ito's palette."""

NOT_FINITE = "#9A9A9A"
"""Where a quantity is infinite or NaN."""


def shade(palette: Sequence[str], shares: ArrayLike) -> NDArray[np.uint8]:
    """Map shares (...) from 0 to 1 to colours (..., 3) along the palette; NaN and inf to ``NOT_FINITE``."""
    given = np.asarray(shares, float)
    finite = np.isfinite(given)
    stops = np.array([_rgb(colour) for colour in palette])
    places = np.where(finite, given, 0.0) * (len(stops) - 1)
    mixed = [np.interp(places, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    colours = np.stack(mixed, axis=-1)
    colours[~finite] = _rgb(NOT_FINITE)
    return np.asarray(np.rint(colours), np.uint8)


def shade_names(palette: Sequence[str], shares: ArrayLike) -> list[str]:
    """Map shares (N,) to colours as ``shade`` does; return texts such as ``#08306B``."""
    return [f"#{red:02X}{green:02X}{blue:02X}" for red, green, blue in shade(palette, shares).tolist()]


def class_colours(classes: int) -> NDArray[np.uint8]:
    """Return the colours (C, 3) of so many classes; they repeat after seven."""
    return np.array([_rgb(CLASSES[number % len(CLASSES)]) for number in range(classes)], np.uint8)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
