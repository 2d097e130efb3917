"""The network's graph: its layers from the input to the loss, evaluated on a batch."""

from typing import ClassVar

import numpy as np

from micrograde.autograd import Variable
from micrograde.drawing.graph.boxes import BoxGraph
from micrograde.drawing.graph.network import LayerGroup, LayerNode, network_graph
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.gradcheck.comparison import trace_replica
from micrograde.gradcheck.equations import Trace
from micrograde.nn import MLP


@PICTURES.register
class NetworkGraph(RunPicture):
    """The network from input to loss, with each layer's shape, parameters and norms."""

    name: ClassVar[str] = "network_graph"
    files: ClassVar[tuple[str, ...]] = ("graph/network.dot", "graph/network.svg")
    light: ClassVar[bool] = True
    needs_epochs: ClassVar[bool] = False

    def draw(self, run: RunContents) -> BoxGraph:
        """Draw the trained network, evaluated on the first batch; that of a diverged run has infinities."""
        batch = run.batch
        trace = trace_replica(run.model, 0, batch.features, batch.targets, batch.weights)
        trace.loss.backward()
        return network_graph(_layer_nodes(run.model, trace), title=run.title)


def _layer_nodes(model: MLP, trace: Trace) -> list[LayerNode]:
    def node(name: str, kind: str, variable: Variable, group: LayerGroup, parameters: int = 0) -> LayerNode:
        norms = (float(np.linalg.norm(variable.value)), float(np.linalg.norm(variable.grad)))
        return LayerNode(name, kind, variable.shape, parameters, *norms, group=group)

    def size(name: str) -> int:
        of_layer = (each for key, each in trace.parameters.items() if key.startswith(f"{name}."))
        return sum(np.size(each.value) for each in of_layer)

    return [
        node("input", "input", trace.input, "input"),
        *(
            node(name, model.layers[name].kind, output, _group(model, name), size(name))
            for name, output in trace.outputs.items()
        ),
        node("loss", "loss", trace.loss, "loss"),
    ]


def _group(model: MLP, name: str) -> LayerGroup:
    if name in model.linear_layers:
        return "linear"
    if any(model.layers[name] is each for each in model.hidden_activations):
        return "activation"
    return "normalization"
