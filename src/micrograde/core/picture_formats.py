"""The formats in which pictures are kept, and what names their files have then."""

import importlib.util
from typing import Literal

PictureFormat = Literal["auto", "svg", "png", "pdf"]
"""``auto`` is SVG for the pictures of a run and PNG for those of a sweep."""

EXTRA = "pictures"
"""The extra that installs what makes PNG and PDF of a run's SVG."""


def needs_extra(wanted: PictureFormat) -> bool:
    """Return whether a run's pictures can be had in this format only with an extra that is not installed."""
    return wanted in ("png", "pdf") and importlib.util.find_spec("vl_convert") is None


def in_format(name: str, wanted: PictureFormat) -> str:
    """Return the name of a run's file if its pictures are kept in this format.

    That of an SVG gets another suffix. Animations (GIF), pages (HTML) and sources of graphs (DOT) stay as
    they are in every format.
    """
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{wanted}" if dot and suffix == "svg" and wanted != "auto" else name
