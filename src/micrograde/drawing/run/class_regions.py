"""The plane coloured by the class that a network predicts at each point; paler where it is less certain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from micrograde.drawing.palettes import CLASSES, NOT_FINITE, class_colours, shade
from micrograde.drawing.run import RunContents

_RESOLUTION = 1e-9  # least distance of a picture's edges from the data, as a share of a feature's size
_STRONGEST = 0.55  # share of the class's colour where the network is certain, so that points stand out


@dataclass(frozen=True)
class ClassRegions:
    """The classes that a network predicts in the plane at K epochs, and the points that it is trained on.

    Attributes
    ----------
    epochs
        K epochs; 0 is before the first step.
    probabilities
        (K, G, G, C): probability of each class at the points of a grid; the second axis is y, the third x.
        The outermost grid points are the ends of the ranges.
    accuracies
        K fractions: the accuracy on the training part.
    points, labels
        (N, 2) and (N,).
    x_range, y_range
        Ranges of the plane, in the units of the points.
    """

    epochs: Sequence[int]
    probabilities: NDArray[np.floating]
    accuracies: Sequence[float]
    points: NDArray[np.floating]
    labels: NDArray[np.integer]
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def some_points(self, most: int) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
        """Return the points inside the ranges and their labels.

        If there are more than ``most`` points, only every second, third... is taken.
        """
        every = -(-len(self.points) // most)
        points, labels = np.asarray(self.points)[::every], np.asarray(self.labels)[::every]
        low, high = np.array([self.x_range, self.y_range]).T
        kept = ((points >= low) & (points <= high)).all(axis=1)
        return points[kept], labels[kept]


def region_palette(shades: int) -> NDArray[np.uint8]:
    """Return the palette of the regions: ``len(CLASSES) * shades + 1`` colours, (..., 3).

    Each class has ``shades`` colours, from undecided to certain; the last colour is for NaN.
    """
    shares = np.linspace(0, _STRONGEST, shades)[None, :, None]
    mixed = 255 + shares * (class_colours(len(CLASSES))[:, None].astype(float) - 255)
    unknown = shade([NOT_FINITE] * 2, [0.0])
    return np.concatenate([np.rint(mixed).reshape(-1, 3), unknown]).astype(np.uint8)


def region_places(probabilities: NDArray[np.floating], side: int, shades: int) -> NDArray[np.uint8]:
    """Return class probabilities on a grid (G, G, C) as indices into ``region_palette``, (side, side).

    Probabilities are interpolated between grid points. ``shades`` is at most 36: then an index fits a byte.
    """
    size, classes = len(probabilities), probabilities.shape[-1]
    known = np.isfinite(probabilities).all(axis=-1)
    # A byte is precise enough for so few shades, and bytes are enlarged ten times as fast as floats.
    coarse = np.rint(255 * np.where(known[..., None], probabilities, 0)).astype(np.uint8)
    largest = enlarged(coarse[..., 0], side)
    colour = np.zeros((side, side), np.uint8)
    for number in range(1, classes):
        share = enlarged(coarse[..., number], side)
        colour[share > largest] = number % len(CLASSES)
        np.maximum(largest, share, out=largest)
    # Where the network is undecided, the largest probability is 1 / C.
    sure = np.clip((np.arange(256) / 255 - 1 / classes) / (1 - 1 / classes), 0, 1)
    shade_of_byte = np.rint(sure * (shades - 1)).astype(np.uint8)
    places: NDArray[np.uint8] = shades * colour + shade_of_byte[largest]
    if not known.all():
        nearest = (np.arange(side) * size) // side
        places[~known[np.ix_(nearest, nearest)]] = len(CLASSES) * shades
    return places


def enlarged(share: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Enlarge a grid to (side, side), its outermost points at the picture's edges, not half a cell inside."""
    from PIL import Image

    size = len(share)
    image = Image.fromarray(np.ascontiguousarray(share))
    box = (0.5, 0.5, size - 0.5, size - 0.5)
    return np.array(image.resize((side, side), Image.Resampling.BILINEAR, box=box))


def class_regions(run: RunContents) -> ClassRegions | None:
    """Return the regions along a run's trajectory, in the original units of its data.

    None unless the data have two features.
    """
    from micrograde.diagnostics import decision_boundary

    preprocessing = run.preprocessing
    # A constant feature of 1e16 has no other numbers within 1 of it.
    room = _RESOLUTION * np.abs(preprocessing.means) / preprocessing.scales
    boundary = decision_boundary(run.model, run.trajectory, run.training, room, task=run.task)
    if boundary is None:
        return None
    points = run.training.features * preprocessing.scales + preprocessing.means
    x_range, y_range = (
        (low * scale + mean, high * scale + mean)
        for (low, high), scale, mean in zip(
            (boundary.x_range, boundary.y_range), preprocessing.scales, preprocessing.means, strict=True
        )
    )
    return ClassRegions(
        boundary.epochs, boundary.probabilities, boundary.accuracies.tolist(), points, run.training.labels,
        x_range, y_range,
    )  # fmt: skip
