"""Pictures: of a run as SVG, of a sweep by matplotlib, of graphs by graphviz; both are imported when used."""

from micrograde.drawing.by_parameter import draw_metric_by_parameter, draw_metric_by_seed
from micrograde.drawing.confusion import draw_confusion_matrix
from micrograde.drawing.curves import draw_learning_curves
from micrograde.drawing.graph import draw_graph, draw_svg
from micrograde.drawing.heat_map import draw_heat_map
from micrograde.drawing.network import LayerNode, draw_network
from micrograde.drawing.parallel_coordinates import draw_parallel_coordinates
from micrograde.drawing.rendering import render_graph
from micrograde.drawing.style import save_figure
from micrograde.drawing.svg import Svg
from micrograde.drawing.sweep_curves import Curves, draw_sweep_curves
from micrograde.drawing.sweep_pictures import Picture, draw_sweep
from micrograde.drawing.swept import Swept

__all__ = [
    "Curves",
    "LayerNode",
    "Picture",
    "Svg",
    "Swept",
    "draw_confusion_matrix",
    "draw_graph",
    "draw_heat_map",
    "draw_learning_curves",
    "draw_metric_by_parameter",
    "draw_metric_by_seed",
    "draw_network",
    "draw_parallel_coordinates",
    "draw_svg",
    "draw_sweep",
    "draw_sweep_curves",
    "render_graph",
    "save_figure",
]
