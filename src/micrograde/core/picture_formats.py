"""The formats in which pictures are kept, and what names their files have then."""

import importlib.util
from typing import Literal

PictureFormat = Literal["auto", "svg", "png", "pdf"]
"""``auto`` is SVG."""

EXTRA = "pictures"
"""The extra that installs what makes PNG and PDF of SVG."""


def needs_extra(wanted: PictureFormat) -> bool:
    """Return whether pictures can be had in this format only with an extra that is not installed."""
    return wanted in ("png", "pdf") and importlib.util.find_spec("vl_convert") is None


def in_format(name: str, wanted: PictureFormat) -> str:
    """Return the name of a file of a run or a sweep if pictures are kept in this format.

    That of an SVG gets another suffix. Animations (GIF), pages (HTML) and sources of graphs (DOT) stay as
    they are in every format.
    """
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{wanted}" if dot and suffix == "svg" and wanted != "auto" else name
