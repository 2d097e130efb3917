"""Measure, shorten and break the texts of a picture, which SVG does not do."""

import math
from unicodedata import combining, east_asian_width

# Advance widths of Helvetica, which Arial and Liberation Sans share, in thousandths of the font's size:
# the characters of ASCII from the space to the tilde (Adobe's font metrics).
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_OTHER, _WIDE = 650, 1000  # of a character beyond ASCII, and of an East Asian wide one
_MORE = "…"


def text_width(text: str, size: float) -> float:
    """Return a line's width in pixels in a font of ``size`` pixels; characters beyond ASCII are estimated."""
    return size / 1000 * sum(map(_character_width, text))


def fitted(text: str, size: float, width: float) -> str:
    """Return the text on one line, shortened to at most ``width`` pixels."""
    line = " ".join(text.split())
    if text_width(line, size) <= width:
        return line
    room, kept = width - text_width(_MORE, size), 0
    for character in line:
        room -= size / 1000 * _character_width(character)
        if room < 0:
            break
        kept += 1
    return line[:kept].rstrip() + _MORE


def broken(text: str, size: float, width: float, *, lines: int) -> list[str]:
    """Break the text between words into at most ``lines`` lines of ``width`` pixels; cut what remains."""
    done: list[str] = []
    words = text.split()
    while words and len(done) < lines - 1:
        taken = 1
        while taken < len(words) and text_width(" ".join(words[: taken + 1]), size) <= width:
            taken += 1
        done.append(fitted(" ".join(words[:taken]), size, width))
        words = words[taken:]
    if words:
        done.append(fitted(" ".join(words), size, width))
    return done


def power_of_ten(logarithm: float) -> str:
    """Return the number with this decimal logarithm as text of two digits, even if no float can hold it."""
    exponent = math.floor(logarithm)
    if -3 <= exponent < 3:
        return f"{float(f'{10**logarithm:.2g}'):g}"
    digits = f"{10 ** (logarithm - exponent):.1f}"
    return f"{digits}e{exponent}" if digits != "10.0" else f"1.0e{exponent + 1}"


def _character_width(character: str) -> int:
    if " " <= character <= "~":
        return _WIDTHS[ord(character) - 32]
    if combining(character):
        return 0
    return _WIDE if east_asian_width(character) in "WF" else _OTHER
