"""Draw a network as the chain of its layers, from the input to the loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from micrograde.drawing.graph.computational_graph import escape_record
from micrograde.drawing.graph.rendering import graph_attributes, node_attributes

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
    import graphviz

    key = "|y|: norm of the output, |dL/dy|: norm of its gradient"
    graph = graphviz.Digraph(
        graph_attr={**graph_attributes(), "label": f"{graphviz.escape(title)}\\n{key}", "labelloc": "t"},
        node_attr=node_attributes(),
        edge_attr={"arrowsize": "0.7"},
    )
    for node in nodes:
        graph.node(node.name, _label(node), fillcolor=_FILL[node.group])
    for before, after in pairwise(nodes):
        graph.edge(before.name, after.name)
    return graph


def _label(node: LayerNode) -> str:
    shape = " × ".join(map(str, node.shape)) or "number"
    rows = [node.kind if node.kind == node.name else f"{node.name}\\n{node.kind}", shape]
    if node.parameters:
        rows.append(f"{node.parameters:,} parameters")
    value = "loss" if node.kind == "loss" else "|y|"
    rows.append(f"{escape_record(value)} {node.activation_norm:.4g}")
    rows.append(f"{escape_record('|dL/dy|')} {node.gradient_norm:.4g}")
    return " | ".join(rows)  # in a graph from left to right a record's fields are stacked
