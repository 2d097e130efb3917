"""Draw the computational graph of a ``Variable``; each node shows its value and gradient."""

from typing import TYPE_CHECKING

import numpy as np

from micrograde.autograd import Variable, nodes
from micrograde.autograd.values import Value
from micrograde.drawing.graph.rendering import graph_attributes, node_attributes, render_source

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
    import graphviz

    reached = list(nodes(variable))
    drawn = reached[:limit]
    names = {id(node): f"n{number}" for number, node in enumerate(drawn)}
    graph = graphviz.Digraph(graph_attr=graph_attributes(), node_attr=node_attributes())
    for node in drawn:
        graph.node(names[id(node)], _label(node), fillcolor=_colour(node))
    left_out = len(reached) - len(drawn)
    if left_out:
        text = f"{left_out} more nodes are left out\\nof {len(reached)} in all; limit={limit}"
        graph.node("rest", text, shape="box", style="dashed")
    for node in drawn:
        for operand in node._prev:
            if id(operand) in names:
                graph.edge(names[id(operand)], names[id(node)])
            elif left_out:
                graph.edge("rest", names[id(node)], style="dashed")
    return graph


def draw_svg(variable: Variable) -> str:
    """Return the graph as SVG text, for Jupyter."""
    return render_source(draw_graph(variable).source, "svg").decode()


def _colour(node: Variable) -> str:
    if node._op:
        return _OPERATION
    return _PARAMETER if node.requires_grad else _CONSTANT


def _label(node: Variable) -> str:
    """Return ``op | value | gradient``; in a graph from left to right these fields are stacked."""
    title = " ".join(part for part in (node._op, node.name) if part)
    fields = [title or ("parameter" if node.requires_grad else "constant"), _shown(node.value)]
    if node.requires_grad:
        fields.append(f"grad={_shown(node.grad)}")
    return " | ".join(escape_record(each) for each in fields)


def _shown(value: Value) -> str:
    """Return a number with four decimals, or the shape, mean and norm of an array."""
    if np.ndim(value) == 0:
        return f"{float(value):.4f}"
    shape = " × ".join(map(str, np.shape(value)))
    return f"{shape}, mean {np.mean(value):.4g}, norm {np.linalg.norm(value):.4g}"


def escape_record(text: str) -> str:
    """Escape the characters that are special in a record's label, and blank those that cannot be drawn."""
    drawable = (character if character.isprintable() else " " for character in text)
    return "".join(f"\\{character}" if character in "\\|{}<>" else character for character in drawable)
