"""Pictures of what happened: matplotlib figures and DOT graphs; both libraries are imported when used."""

from micrograde.drawing.confusion import draw_confusion_matrix
from micrograde.drawing.curves import draw_learning_curves
from micrograde.drawing.graph import draw_graph, draw_svg
from micrograde.drawing.network import LayerNode, draw_network
from micrograde.drawing.rendering import render_graph
from micrograde.drawing.style import save_figure

__all__ = [
    "LayerNode",
    "draw_confusion_matrix",
    "draw_graph",
    "draw_learning_curves",
    "draw_network",
    "draw_svg",
    "render_graph",
    "save_figure",
]
