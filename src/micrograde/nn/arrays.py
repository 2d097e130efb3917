"""Array types, and the conventions that all layers follow for axes and memory.

Axes are ``(replica, sample, feature)``, sizes R, N, D (inputs), H (hidden) and C (classes). Layers act
on the last two axes. In a layer made for R replicas every parameter has a leading axis of size R; a single
layer has no such axis, and its arrays have the notebook's shapes.

A layer writes its results into a *workspace*: arrays that are allocated when a batch shape is seen for
the first time and used again for every later batch of that shape. Arrays that ``forward`` and ``backward``
return are therefore overwritten by the next call with the same shape; copy those that you want to keep.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

ROWS_AT_A_TIME = 1024
"""The rows evaluated at once, the same for every stack: how a sum is cut decides how it is rounded."""
Shape = tuple[int, ...]

WorkspaceT = TypeVar("WorkspaceT")

_KEPT_SHAPES = 8  # enough for training batches, the last smaller one and the parts evaluated


class Workspaces(dict[Shape, WorkspaceT]):
    """One workspace for each batch shape; the layer's ``allocate(shape)`` checks the shape and makes it."""

    def __init__(self, allocate: Callable[[Shape], WorkspaceT]) -> None:
        super().__init__()
        self._allocate = allocate

    def __missing__(self, shape: Shape) -> WorkspaceT:
        if len(self) >= _KEPT_SHAPES:
            self.clear()
        workspace = self[shape] = self._allocate(shape)
        return workspace


def matrix_product(dtype: DTypeLike, *sizes: int) -> Callable[..., FloatArray]:
    """Return ``np.matmul`` for ``(N, D) @ (D, H)`` of these sizes, without false warnings from BLAS.

    OpenBLAS multiplies five columns of float32 by a vector, on a processor with AVX-512, in
    ``sgemv_kernel_t_5``, which sums five terms together with whatever lies beside them on the stack. The
    result is right, but if one of those is a signalling NaN, the processor sets its "invalid" flag and NumPy
    warns. (Of all sizes up to 19 and both dtypes, only these showed it.) Ignoring the flag hides nothing:
    finite numbers become NaN only by way of an infinity, and NumPy warns of that overflow. Only products of
    these sizes pay the microsecond that ignoring it takes.
    """
    by_vector = 1 in sizes and 5 in sizes and np.dtype(dtype) == np.float32
    return _unflagged_product if by_vector else np.matmul


@np.errstate(invalid="ignore")
def _unflagged_product(left: FloatArray, right: FloatArray, out: FloatArray | None = None) -> FloatArray:
    product: FloatArray = np.matmul(left, right, out=out)
    return product


def batch_shape(layer: str, shape: Shape, features: int, replicas: Shape) -> Shape:
    """Return the leading axes and rows ``(..., N)`` of a layer's output for a batch of ``shape``.

    Raises
    ------
    ValueError
        If the batch is not ``(N, features)`` or, in a stack, ``(R, N, features)``.
    """
    expected = f"(N, {features})" + (f" or ({replicas[0]}, N, {features})" if replicas else "")
    if len(shape) < 2 or shape[-1] != features or shape[:-2] not in ((), replicas):
        raise ValueError(f"{layer}: expected a batch of shape {expected}, got {shape}")
    if shape[-2] == 0:
        raise ValueError(f"{layer}: got a batch without rows, shape {shape}")
    return (*replicas, shape[-2])


def check_size(layer: str, **sizes: int) -> None:
    """Raise ``ValueError`` unless every size is an integer of at least 1."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(f"{layer}: {name} must be an integer of at least 1, got {size!r}")


def blocks_of_rows(rows: int) -> Iterator[slice]:
    """Cut so many rows into blocks of ``ROWS_AT_A_TIME``, and one of what is left."""
    for start in range(0, rows, ROWS_AT_A_TIME):
        yield slice(start, start + ROWS_AT_A_TIME)
