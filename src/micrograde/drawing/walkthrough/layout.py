"""The layout of nodes and edges: graphviz places boxes without text, which the page then draws itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from micrograde.drawing.graph.rendering import render_source
from micrograde.drawing.walkthrough.steps import Node, Walk

TITLE_SIGNS = 26
"""The most characters of a node's label that are drawn; the page shows the whole label on demand."""

_LEAST_CHARACTERS = 15  # the widest number with its word: ‖grad‖ 1.234e-5
_CHARACTER = 6.75  # the width of a character of the page's 11 pixel monospaced font, in points
_MARGIN, _LINE = 14.0, 15.0
_POINTS = 72.0  # in an inch, graphviz's unit
_RANKS_CROSSED = 4000  # at most by all edges together: graphviz takes 0.1 s for that, minutes for 200,000


@dataclass(frozen=True)
class Box:
    """A node's centre and size, in pixels from the upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Edge:
    """A line from an operand to the node that uses it; ``path`` is an SVG path of cubic curves."""

    operand: int
    node: int
    path: str


@dataclass(frozen=True)
class Layout:
    """The boxes and edges of a graph; width and height are in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def lay_out(graph: Walk) -> Layout:
    """Lay out the graph from left to right, inputs first.

    Raises
    ------
    RuntimeError
        If there is no renderer.
    """
    near, far = _edges(graph.nodes)
    plain = render_source(_source(graph.nodes, near), "plain").decode()
    width = height = 0.0
    boxes: dict[int, Box] = {}
    edges = []
    for line in plain.splitlines():
        kind, *fields = line.split(" ")
        if kind == "graph":
            width, height = float(fields[1]) * _POINTS, float(fields[2]) * _POINTS
        elif kind == "node":
            x, y, box_width, box_height = (float(field) * _POINTS for field in fields[1:5])
            boxes[int(fields[0])] = Box(x, height - y, box_width, box_height)
        elif kind == "edge":
            edges.append(Edge(int(fields[0]), int(fields[1]), _path(fields, height)))
    edges += [Edge(operand, node, _straight(boxes[operand], boxes[node])) for operand, node in far]
    return Layout(width, height, tuple(boxes[number] for number in range(len(boxes))), tuple(edges))


def _edges(drawn: Sequence[Node]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the edges that graphviz routes around the boxes, and the longest, which would take it too long.

    Each node keeps the edge to its nearest operand or user, so none is cut off. Graphviz puts an operation
    one rank after the last of its operands, and a leaf just before the first of its users.
    """
    edges = [(operand, number) for number, node in enumerate(drawn) for operand in node.operands]
    ranks = [0] * len(drawn)
    for operand, number in edges:
        ranks[number] = max(ranks[number], ranks[operand] + 1)
    for operand, number in sorted(edges, key=lambda edge: ranks[edge[1]], reverse=True):
        if not drawn[operand].operands:
            ranks[operand] = ranks[number] - 1  # the first user comes last
    crossed = 0
    near: list[tuple[int, int]] = []
    far: list[tuple[int, int]] = []
    for operand, number in sorted(edges, key=lambda edge: ranks[edge[1]] - ranks[edge[0]]):
        crossed += ranks[number] - ranks[operand]
        (near if crossed <= _RANKS_CROSSED else far).append((operand, number))
    return sorted(near, key=lambda edge: edge[1]), far


def _straight(start: Box, end: Box) -> str:
    """Return the path of a slightly bent line, which runs behind the boxes in between."""
    left, right = start.x + start.width / 2, end.x - end.width / 2
    bend = (right - left) / 4
    return (
        f"M{left:.1f} {start.y:.1f}C{left + bend:.1f} {start.y:.1f} "
        f"{right - bend:.1f} {end.y:.1f} {right:.1f} {end.y:.1f}"
    )


def _source(drawn: Sequence[Node], edges: Sequence[tuple[int, int]]) -> str:
    """Return the graph in DOT; it holds no names, so nothing needs to be escaped."""
    lines = [
        "digraph {",
        "rankdir=LR nodesep=0.14 ranksep=0.4",
        'node [shape=box fixedsize=true label=""] edge [arrowhead=none]',
    ]
    for number, node in enumerate(drawn):
        characters = min(max(len(node.label), _LEAST_CHARACTERS), TITLE_SIGNS)
        rows = 2 if node.gradient is None else 3
        size = (characters * _CHARACTER + _MARGIN) / _POINTS, (rows * _LINE + 9) / _POINTS
        lines.append(f"{number} [width={size[0]:.3f} height={size[1]:.3f}]")
    lines += [f"{operand} -> {node}" for operand, node in edges]
    return "\n".join([*lines, "}"])


def _path(fields: Sequence[str], height: float) -> str:
    count = int(fields[2])
    numbers = [float(field) * _POINTS for field in fields[3 : 3 + 2 * count]]
    points = [f"{x:.1f} {height - y:.1f}" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return f"M{points[0]}C{' '.join(points[1:])}"
