"""The layout of all parameters of a network, or of a stack of networks, in one buffer."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import prod

import numpy as np

from micrograde.nn.arrays import FloatArray, IntArray, Shape


class ArrayLayout:
    """The place of each named array in a flat buffer of length P.

    In a stack the buffer is (R, P) and every named view has a leading axis of R, so that an optimizer
    step, a gradient norm or a checkpoint of the whole stack is one operation on one array.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = dict(shapes)
        sizes = [prod(shape) for shape in self.shapes.values()]
        self.offsets: IntArray = np.array([0, *accumulate(sizes)][:-1], dtype=np.intp)
        self.size = sum(sizes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the buffer."""
        return tuple(self.shapes)

    def views(self, buffer: FloatArray) -> dict[str, FloatArray]:
        """Return each named array as a view into ``buffer`` of shape (P,) or (R, P)."""
        leading = buffer.shape[:-1]
        return {
            name: buffer[..., offset : offset + prod(shape)].reshape(*leading, *shape)
            for (name, shape), offset in zip(self.shapes.items(), self.offsets.tolist(), strict=True)
        }

    def stretch(self, layer: str, buffer: FloatArray) -> FloatArray:
        """Return the part of ``buffer`` that the arrays of one layer fill: a view (size,) or (R, size)."""
        return buffer[..., self.place(layer)]

    def place(self, layer: str) -> slice:
        """Return where the arrays of one layer lie in the buffer's last axis; an empty slice for none."""
        of_layer = [number for number, name in enumerate(self.names) if name.startswith(f"{layer}.")]
        if not of_layer:
            return slice(0)
        end = int(self.offsets[of_layer[-1]]) + prod(self.shapes[self.names[of_layer[-1]]])
        return slice(int(self.offsets[of_layer[0]]), end)


def prefixed(prefix: str, arrays: Mapping[str, FloatArray]) -> Iterator[tuple[str, FloatArray]]:
    """Prepend the layer's name to the arrays' names: ``weights`` becomes ``layer1.weights``."""
    return ((f"{prefix}.{name}", array) for name, array in arrays.items())
