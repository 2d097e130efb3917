"""Draw a network as the chain of its layers, from the input to the loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from micrograde.drawing.graph.boxes import Box, BoxGraph, Edge

if TYPE_CHECKING:
    import graphviz

LayerGroup = Literal["input", "linear", "normalization", "activation", "loss"]

_FILL: dict[LayerGroup, str] = {
    "input": "#F2F2F2",
    "linear": "#DCEBF7",
    "normalization": "#E8F3EC",
    "activation": "#FBF3D0",
    "loss": "#FBE6DA",
}


@dataclass(frozen=True)
class LayerNode:
    """A layer and what is written in its box.

    Attributes
    ----------
    kind
        What is written in its box: linear, batch norm, the name of an activation, ...
    shape
        The shape of its output for the batch, such as (32, 64).
    parameters
        The number of trainable parameters.
    activation_norm, gradient_norm
        Euclidean norms of its output and of the loss's gradient with respect to that output.
    group
        What the box's colour says.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    activation_norm: float
    gradient_norm: float
    group: LayerGroup = "activation"


def draw_network(nodes: Sequence[LayerNode], *, title: str) -> "graphviz.Digraph":
    """Draw the layers from left to right, each a box with its kind, shape, parameters and both norms."""
    return network_graph(nodes, title=title).digraph()


def network_graph(nodes: Sequence[LayerNode], *, title: str) -> BoxGraph:
    """Return what `draw_network` draws."""
    key = "|y|: norm of the output, |dL/dy|: norm of its gradient"
    edges = (Edge(before.name, after.name) for before, after in pairwise(nodes))
    return BoxGraph(tuple(map(_box, nodes)), tuple(edges), title=f"{title}\n{key}")


def _box(node: LayerNode) -> Box:
    words = [node.kind if node.kind == node.name else f"{node.name}\n{node.kind}"]
    words.append(" × ".join(map(str, node.shape)) or "number")
    if node.parameters:
        words.append(f"{node.parameters:,} parameters")
    value = "loss" if node.kind == "loss" else "|y|"
    measures = (f"{value} {node.activation_norm:.4g}", f"|dL/dy| {node.gradient_norm:.4g}")
    return Box(node.name, tuple(words), measures, f'fillcolor="{_FILL[node.group]}"')
