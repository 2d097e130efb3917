"""The graph of the loss of one row, number by number."""

from typing import ClassVar

from micrograde.drawing.graph.boxes import BoxGraph
from micrograde.drawing.graph.computational_graph import READABLE, box_graph
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.gradcheck.comparison import trace_first_sample


@PICTURES.register
class SampleGraph(RunPicture):
    """Of a small network, the graph of the first training row's loss, number by number."""

    name: ClassVar[str] = "sample_graph"
    files: ClassVar[tuple[str, ...]] = ("graph/sample.dot", "graph/sample.svg")
    light: ClassVar[bool] = True
    needs_epochs: ClassVar[bool] = False

    def applies(self, run: RunContents) -> bool:
        """Return whether the graph would be readable."""
        return run.model.layout.size <= READABLE

    def draw(self, run: RunContents) -> BoxGraph:
        """Draw the graph in evaluation mode."""
        sample = trace_first_sample(run.model, 0, run.batch.features, run.batch.targets)
        sample.loss.backward()
        return box_graph(sample.loss)
