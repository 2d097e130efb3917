"""Pictures: of a run and of a sweep as SVG, of graphs with graphviz.

Graphviz is imported when it is used. ``walkthrough`` plays a graph step by step, as one
HTML page.
"""

from micrograde.core.leaving_out import Say, left_out
from micrograde.drawing.formats import convert, converted
from micrograde.drawing.graph.computational_graph import draw_graph, draw_svg
from micrograde.drawing.graph.network import LayerNode, draw_network
from micrograde.drawing.graph.rendering import render_graph
from micrograde.drawing.run import PICTURES, Drawing, RunContents, RunPicture
from micrograde.drawing.run.boundary_animation import Gif, animate_decision_boundary
from micrograde.drawing.run.class_regions import ClassRegions
from micrograde.drawing.run.confusion import draw_confusion_matrix
from micrograde.drawing.run.decision_boundary import draw_decision_boundary
from micrograde.drawing.run.gradient_flow import draw_gradient_flow
from micrograde.drawing.run.histograms import draw_histograms
from micrograde.drawing.run.learning_curves import draw_learning_curves
from micrograde.drawing.run.loss_surface import draw_loss_surface
from micrograde.drawing.run.side_by_side import RunCurves, draw_run_curves
from micrograde.drawing.run.update_ratios import draw_update_ratios
from micrograde.drawing.run.walkthrough import walk_through_network
from micrograde.drawing.run.weight_images import draw_weight_images
from micrograde.drawing.svg import Svg
from micrograde.drawing.sweep import SWEEP_PICTURES, Curves, SweepContents, SweepPicture, Swept
from micrograde.drawing.sweep.by_parameter import draw_metric_by_parameter
from micrograde.drawing.sweep.by_seed import draw_metric_by_seed
from micrograde.drawing.sweep.curves import draw_sweep_curves
from micrograde.drawing.sweep.heat_map import draw_heat_map
from micrograde.drawing.sweep.importance import Bar, draw_shares
from micrograde.drawing.sweep.live_curves import draw_live_curves
from micrograde.drawing.sweep.parallel_coordinates import draw_parallel_coordinates
from micrograde.drawing.sweep.pictures import Picture, draw_sweep
from micrograde.drawing.walkthrough import Page, draw_walkthrough

__all__ = [
    "PICTURES",
    "SWEEP_PICTURES",
    "Bar",
    "ClassRegions",
    "Curves",
    "Drawing",
    "Gif",
    "LayerNode",
    "Page",
    "Picture",
    "RunContents",
    "RunCurves",
    "RunPicture",
    "Say",
    "Svg",
    "SweepContents",
    "SweepPicture",
    "Swept",
    "animate_decision_boundary",
    "convert",
    "converted",
    "draw_confusion_matrix",
    "draw_decision_boundary",
    "draw_gradient_flow",
    "draw_graph",
    "draw_heat_map",
    "draw_histograms",
    "draw_learning_curves",
    "draw_live_curves",
    "draw_loss_surface",
    "draw_metric_by_parameter",
    "draw_metric_by_seed",
    "draw_network",
    "draw_parallel_coordinates",
    "draw_run_curves",
    "draw_shares",
    "draw_svg",
    "draw_sweep",
    "draw_sweep_curves",
    "draw_update_ratios",
    "draw_walkthrough",
    "draw_weight_images",
    "left_out",
    "render_graph",
    "walk_through_network",
]
