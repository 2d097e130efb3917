"""Draw the computational graph of a ``Variable``; each node shows its value and gradient."""

from typing import TYPE_CHECKING

import numpy as np

from micrograde.autograd import Variable, nodes
from micrograde.autograd.values import Value
from micrograde.drawing.graph.boxes import Box, BoxGraph, Edge

if TYPE_CHECKING:
    import graphviz

LIMIT = 400
"""The number of nodes drawn by default; a larger graph cannot be read."""

READABLE = 60
"""The most parameters of a network whose graph of every weight can be read; the notebook's 3-5-2 has 46."""

_OPERATION, _PARAMETER, _CONSTANT = "#DCEBF7", "#FBF3D0", "#F2F2F2"


def draw_graph(variable: Variable, *, limit: int = LIMIT) -> "graphviz.Digraph":
    """Draw the graph from left to right, inputs first, as in the notebook.

    Each node is a box with its operation (or its name), its value and its gradient; an array shows its
    shape, mean and norm. Parameters are yellow, constants grey, operations blue.

    Parameters
    ----------
    limit
        The most nodes to draw. A larger graph is drawn from the output backwards up to this limit, and a
        dashed node says how many are left out.
    """
    return box_graph(variable, limit=limit).digraph()


def draw_svg(variable: Variable) -> str:
    """Return the graph as SVG text, for Jupyter."""
    return box_graph(variable).svg()


def box_graph(variable: Variable, *, limit: int = LIMIT) -> BoxGraph:
    """Return what `draw_graph` draws."""
    reached = list(nodes(variable))
    drawn = reached[:limit]
    names = {id(node): f"n{number}" for number, node in enumerate(drawn)}
    boxes = [_box(names[id(node)], node) for node in drawn]
    left_out = len(reached) - len(drawn)
    if left_out:
        text = f"{left_out} more nodes are left out\nof {len(reached)} in all; limit={limit}"
        boxes.append(Box("rest", (text,), (), "shape=box style=dashed"))
    edges = []
    for node in drawn:
        for operand in node._prev:
            if id(operand) in names:
                edges.append(Edge(names[id(operand)], names[id(node)]))
            elif left_out:
                edges.append(Edge("rest", names[id(node)], "style=dashed"))
    return BoxGraph(tuple(boxes), tuple(edges))


def _colour(node: Variable) -> str:
    if node._op:
        return _OPERATION
    return _PARAMETER if node.requires_grad else _CONSTANT


def _box(name: str, node: Variable) -> Box:
    title = " ".join(part for part in (node._op, node.name) if part)
    title = title or ("parameter" if node.requires_grad else "constant")
    gradient = (f"grad={_shown(node.grad)}",) if node.requires_grad else ()
    return Box(name, (title,), (_shown(node.value), *gradient), f'fillcolor="{_colour(node)}"')


def _shown(value: Value) -> str:
    """Return a number with four decimals, or the shape, mean and norm of an array."""
    if np.ndim(value) == 0:
        return f"{float(value):.4f}"
    shape = " × ".join(map(str, np.shape(value)))
    return f"{shape}, mean {np.mean(value):.4g}, norm {np.linalg.norm(value):.4g}"
