"""The decision boundary as an animation: the regions change as the network learns."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.palettes import CLASSES, class_colours
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.run.class_regions import ClassRegions, class_regions, region_palette, region_places
from micrograde.drawing.run.decision_boundary import evenly
from micrograde.drawing.text import fitted

if TYPE_CHECKING:
    from PIL import Image

FRAMES = 30
"""The most epochs that are shown."""

SIDE, STRIP = 320, 40  # pixels: the plane's side, and the height of the strip of text above it
_SHADES = 12  # of each class's colour: with more the file gets large
_GREYS = 16  # from ink to paper
_FRAME, _LAST = 120, 2000  # milliseconds that a frame is shown, and the last frame
_POINTS = 250  # at most; of more points only every second, third... is drawn
_RADIUS, _RIM = 2, 1
_NO_DOT = 255


@dataclass(frozen=True)
class Gif:
    """An animation as the bytes of a GIF file; Jupyter displays it."""

    content: bytes

    def _repr_mimebundle_(self, **_: object) -> dict[str, bytes]:
        return {"image/gif": self.content}

    def save(self, path: Path) -> None:
        """Write the file; equal animations give equal bytes."""
        path.write_bytes(self.content)


def animate_decision_boundary(regions: ClassRegions, *, title: str) -> Gif:
    """Draw a frame for each epoch, or for thirty evenly spaced epochs; the animation loops for ever."""
    from PIL import Image

    # Shades of the regions, colours of the points, and greys for the text; a GIF has 256 colours at most.
    greys = np.linspace(34, 255, _GREYS).astype(np.uint8)[:, None].repeat(3, axis=1)
    colours = np.concatenate([region_palette(_SHADES), class_colours(len(CLASSES)), greys])
    paper = len(colours) - 1
    first_class, ink = paper + 1 - _GREYS - len(CLASSES), paper + 1 - _GREYS
    dots = _dots(regions, first_class, paper)
    frames = []
    for index in evenly(len(regions.epochs), FRAMES):
        pixels = np.empty((STRIP + SIDE, SIDE), np.uint8)
        text = f"epoch {regions.epochs[index]}: {regions.accuracies[index]:.1%} right"
        pixels[:STRIP] = ink + lettering(title, text) // (256 // _GREYS)
        plane = region_places(regions.probabilities[index], SIDE, _SHADES)[::-1]
        pixels[STRIP:] = np.where(dots == _NO_DOT, plane, dots)
        frame = Image.fromarray(pixels)
        frame.putpalette(colours.tobytes())
        frames.append(frame)
    return animated(frames)


def animated(frames: "Sequence[Image.Image]") -> Gif:
    """Return frames as an animation that loops for ever, the last one shown longest."""
    content = io.BytesIO()
    durations = [_FRAME] * (len(frames) - 1) + [_LAST]
    # Whole frames: storing only the differences, as Pillow does it, takes longer and makes the file larger.
    frames[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=0,
        optimize=False,
    )
    return Gif(content.getvalue())


def lettering(title: str, text: str) -> NDArray[np.uint8]:
    """Return the strip of text above the plane as grey values, black on white."""
    from PIL import Image, ImageDraw, ImageFont

    strip = Image.new("L", (SIDE, STRIP), 255)
    draw = ImageDraw.Draw(strip)
    draw.text((6, 3), fitted(title, 11, SIDE - 20), fill=0, font=ImageFont.load_default(11))
    draw.text((6, 18), text, fill=0, font=ImageFont.load_default(14))
    return np.asarray(strip)


def _dots(regions: ClassRegions, first_class: int, paper: int) -> NDArray[np.uint8]:
    """Return the plane's pixels, as palette indices, with the points drawn; ``_NO_DOT`` elsewhere."""
    from PIL import Image, ImageDraw

    inside, labels = regions.some_points(_POINTS)
    low, high = np.array([regions.x_range, regions.y_range]).T
    across, up = np.rint((inside - low) / (high - low) * (SIDE - 1)).T
    picture = Image.new("L", (SIDE, SIDE), _NO_DOT)
    draw = ImageDraw.Draw(picture)
    for x, y, label in zip(across.tolist(), (SIDE - 1 - up).tolist(), labels.tolist(), strict=True):
        for radius, colour in ((_RADIUS + _RIM, paper), (_RADIUS, first_class + label % len(CLASSES))):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return np.asarray(picture)


@PICTURES.register
class DecisionBoundaryAnimation(RunPicture):
    """For data with two features: the regions of the classes, as an animation over the epochs."""

    name: ClassVar[str] = "decision_boundary_animation"
    task: ClassVar[str | None] = "classification"
    files: ClassVar[tuple[str, ...]] = ("figures/decision_boundary.gif",)

    def draw(self, run: RunContents) -> Gif | None:
        """Draw a frame for each of some epochs."""
        regions = run.once(class_regions)
        return animate_decision_boundary(regions, title=run.title) if regions else None
