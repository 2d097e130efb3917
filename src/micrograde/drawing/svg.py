"""Pictures written directly as SVG, in a millisecond each, where a plotting library takes three hundred.

Every run of a sweep has its own pictures, and a sweep has hundreds of runs.
"""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.style import INK, PAPER

Anchor = Literal["start", "middle", "end"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"


@dataclass(frozen=True)
class Svg:
    """A picture as the text of an SVG file; Jupyter displays it."""

    text: str

    def _repr_svg_(self) -> str:
        return self.text

    def save(self, path: Path) -> None:
        """Write the file; equal pictures give equal bytes."""
        path.write_text(self.text, encoding="utf-8")


@dataclass
class Canvas:
    """An SVG picture under construction; coordinates are pixels from the upper left corner."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def rectangle(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """Draw a filled rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
        )

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str,
        *,
        width: float = 1,
        dashed: bool = False,
    ) -> None:
        """Draw a straight line."""
        (x1, y1), (x2, y2) = start, end
        look = f' stroke-width="{width:g}"' if width != 1 else ""
        look += ' stroke-dasharray="6 4"' if dashed else ""
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}"{look}/>')

    def curve(
        self,
        pieces: Sequence[Sequence[tuple[float, float]]],
        colour: str,
        label: str,
        *,
        width: float = 2,
        opacity: float = 1,
        dashes: str = "",
    ) -> None:
        """Draw a line through points, in pieces if it has gaps; ``label`` is for screen readers.

        ``dashes`` are the lengths of strokes and gaps, as in ``6 4``.
        """
        path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in piece) for piece in pieces)
        look = f' stroke-opacity="{opacity:g}"' if opacity != 1 else ""
        look += f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            f'stroke-linejoin="round"{look}><title>{_text(label)}</title></path>'
        )

    def area(
        self, points: Sequence[tuple[float, float]], colour: str, label: str, *, opacity: float = 1
    ) -> None:
        """Fill the polygon of these corners; ``label`` is for screen readers."""
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(
            f'<path d="M{path}Z" fill="{colour}" fill-opacity="{opacity:g}">'
            f"<title>{_text(label)}</title></path>"
        )

    def dots(
        self,
        points: NDArray[np.floating],
        colour: str,
        *,
        diameter: float,
        square: bool = False,
        rim: bool = True,
        opacity: float = 1,
    ) -> None:
        """Draw discs (or squares) at points (N, 2), with a pale rim or none: a few bytes a point."""
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points.tolist())
        end = "square" if square else "round"
        look = f' stroke-opacity="{opacity:g}"' if opacity != 1 else ""
        rims = ((PAPER, diameter + 1.6),) if rim else ()
        for stroke, width in (*rims, (colour, diameter)):
            self.parts.append(
                f'<path d="{path}" stroke="{stroke}" stroke-width="{width:g}" stroke-linecap="{end}"{look}/>'
            )

    def crosses(self, points: NDArray[np.floating], colour: str, *, size: float = 8) -> None:
        """Draw a cross of two slanted strokes at each of the points (N, 2)."""
        half = size / 2
        path = "".join(
            f"M{x - half:.1f} {y - half:.1f}l{size:g} {size:g}m0 -{size:g}l-{size:g} {size:g}"
            for x, y in points.tolist()
        )
        if path:
            self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')

    def ring(self, x: float, y: float, colour: str, *, radius: float = 7) -> None:
        """Draw a circle around a point."""
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="none" '
            f'stroke="{colour}" stroke-width="2"/>'
        )

    def frame(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw the outline of a rectangle."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="none" stroke="{colour}" stroke-width="2.5"/>'
        )

    def image(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        pixels: NDArray[np.uint8],
        label: str,
        *,
        palette: NDArray[np.uint8] | None = None,
        smooth: bool = False,
    ) -> None:
        """Draw an image stretched over a rectangle, with sharp pixels unless ``smooth``.

        ``pixels`` are colours (rows, columns, 3), the top row first, or, with a palette (at most 256, 3),
        indices into it (rows, columns). The image is a PNG within the file: a heat map of rectangles would be
        a hundred times as long.
        """
        from PIL import Image

        picture = Image.fromarray(np.ascontiguousarray(pixels))
        if palette is not None:
            picture.putpalette(palette.tobytes())
        png = io.BytesIO()
        picture.save(png, "PNG")
        look = "" if smooth else ' style="image-rendering:pixelated"'
        self.parts.append(
            f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'preserveAspectRatio="none"{look} '
            f'href="data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}">'
            f"<title>{_text(label)}</title></image>"
        )

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw a small disc with a pale rim."""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}" stroke="{PAPER}"/>')

    def text(
        self,
        x: float,
        y: float,
        content: str,
        *,
        size: float = 12,
        anchor: Anchor = "middle",
        colour: str = INK,
        turn: float = 0,
        halo: bool = False,
    ) -> None:
        """Write a line of text on the baseline ``y``, turned clockwise by ``turn`` degrees about its anchor.

        ``halo`` draws a pale rim around it, which keeps it readable on any background. Nothing is drawn of no
        text.
        """
        if not content:
            return
        turned = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' if turn else ""
        turned += f' stroke="{PAPER}" stroke-width="3" paint-order="stroke"' if halo else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}" '
            f'fill="{colour}"{turned}>{_text(content)}</text>'
        )

    def finish(self, title: str) -> Svg:
        """Return the picture on a white background; ``title`` is for screen readers."""
        width, height = f"{self.width:.0f}", f"{self.height:.0f}"
        return Svg(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="{FONT}" role="img">\n'
            f"<title>{_text(title)}</title>\n"
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def _text(content: str) -> str:
    """Escape text for XML and replace the characters that XML does not allow."""
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", content))
