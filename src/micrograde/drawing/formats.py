"""PNG and PDF, made of the SVG as which the pictures of a run are drawn, by the library of an extra."""

import re
from pathlib import Path

from micrograde.core.picture_formats import PictureFormat, in_format
from micrograde.drawing.svg import FONT

_SCALE = 2  # pixels of a PNG for each of the SVG's
_FONTS_OF_GRAPHS = re.compile('font-family="Helvetica,sans-Serif"')  # graphviz's, which names none there is
_POINT = re.compile(r"(M-?[\d.]+ -?[\d.]+)h0(?=[M\"])")


def convert(svg: Path, wanted: PictureFormat) -> None:
    """Replace an SVG file by one in another format; the SVG stays where that is ``auto`` or ``svg``.

    Raises
    ------
    ValueError
        If the file is no SVG that can be drawn.
    """
    if wanted in ("auto", "svg"):
        return
    (svg.parent / in_format(svg.name, wanted)).write_bytes(converted(svg.read_text(encoding="utf-8"), wanted))
    svg.unlink()


def converted(text: str, wanted: PictureFormat) -> bytes:
    """Return the text of an SVG as a PDF, in which text is text and lines are lines, or as a PNG.

    Raises
    ------
    ValueError
        If it is no SVG that can be drawn.
    """
    import vl_convert

    text = _FONTS_OF_GRAPHS.sub(f'font-family="{FONT}"', text)
    # A line without a length has round ends, which are a dot, in SVG but not in what the library writes.
    text = _POINT.sub(r"\1h.01", text)
    try:
        found: bytes = vl_convert.svg_to_pdf(text) if wanted == "pdf" else vl_convert.svg_to_png(text, _SCALE)
    except RuntimeError as error:  # its further lines tell where in the library that was
        raise ValueError(f"no SVG that can be drawn: {str(error).partition(chr(10))[0]}") from None
    return found
