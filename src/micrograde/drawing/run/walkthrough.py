"""The walkthrough of a network: the graph of its loss, forward and backward, step by step."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from micrograde.autograd import nodes
from micrograde.drawing.graph.computational_graph import READABLE
from micrograde.drawing.run import PICTURES, RunContents, RunPicture
from micrograde.drawing.walkthrough.page import Page, draw_walkthrough
from micrograde.gradcheck.comparison import trace_first_sample, trace_replica
from micrograde.gradcheck.equations import Trace
from micrograde.nn import MLP

if TYPE_CHECKING:
    from micrograde.training import Samples

_ROWS_WALKED = 8  # enough rows to see the sums over a batch, few enough to see single entries


@PICTURES.register
class Walkthrough(RunPicture):
    """A page that steps through the graph of the loss, forward and backward."""

    name: ClassVar[str] = "walkthrough"
    files: ClassVar[tuple[str, ...]] = ("walkthrough.html",)
    needs_epochs: ClassVar[bool] = False

    def draw(self, run: RunContents) -> Page:
        """Draw the page for the first batch."""
        return walk_through_network(run.model, run.batch, title=run.title)


def walk_through_network(model: MLP, batch: "Samples", *, title: str) -> Page:
    """Return the page of a network, a stack of one, on a batch (N, D).

    A network with few parameters is shown number by number, for the batch's first sample in evaluation mode;
    a larger one as arrays, for the batch's first rows.
    """
    with np.errstate(all="ignore"):  # the page of a diverged run shows its infinities
        if model.layout.size <= READABLE:
            trace = trace_first_sample(model, 0, batch.features, batch.targets)
            mode = (
                f" (evaluation mode: {_norm(model)} takes its running statistics)"
                if model.statistics.size
                else ""
            )
            subtitle = f"The loss of the first sample of a training batch, number by number{mode}."
        else:
            rows = batch.first(_ROWS_WALKED)
            trace = trace_replica(model, 0, rows.features, rows.targets, rows.weights)
            subtitle = _name_for_reading(trace, rows, model)
        trace.loss.name = "loss"
        trace.loss.backward()
        return draw_walkthrough(trace.loss, title=title, subtitle=subtitle)


def _norm(model: MLP) -> str:
    return model.normalization.label if model.normalization else ""


def _name_for_reading(trace: Trace, rows: "Samples", model: MLP) -> str:
    """Name the layers' outputs and the targets in the graph; return a sentence that says what it shows."""
    for name, output in trace.outputs.items():
        output.name = name
    for node in nodes(trace.loss):
        if not node.requires_grad and node.shape == rows.targets.shape:
            node.name = "targets"
        elif not node.requires_grad and rows.weights is not None and node.shape == (len(rows), 1):
            node.name = "weights / rows"
    depends = model.least_rows > 1  # what a row becomes depends on the others
    mode = f" (training mode: {_norm(model)} takes the mean and variance of these rows)" if depends else ""
    kind = "mean" if rows.weights is None else "weighted mean"
    return f"The {kind} loss of the first {len(rows)} rows of a training batch{mode}."
