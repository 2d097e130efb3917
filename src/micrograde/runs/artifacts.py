"""The files a run leaves: its recipe, its model, its pictures, its log.

config/config.yaml           the composed config; config/overrides.yaml what was typed
model/*                      the network and its preprocessing; see models/trained_network.py
gradient_check.csv           hand-written gradients against autograd's, a line for each parameter
graph/network.{dot,svg}      the network; of a small one also graph/sample, number by number
walkthrough.html             forward and backward, step by step
figures/*                    learning curves and more; see pictures.py
checkpoints/                 what is needed to resume; see checkpoints.py
train.log                    the messages of the run, with times
"""

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from micrograde.autograd import Variable, nodes
from micrograde.config.schema import TrainConfig, to_container
from micrograde.core.redaction import redacted, without_password
from micrograde.drawing import LayerNode, Say
from micrograde.gradcheck import GradientEvidence
from micrograde.gradcheck.comparison import trace_first_sample, trace_replica
from micrograde.gradcheck.equations import Trace
from micrograde.nn import MLP
from micrograde.training import Samples

_LOG_SECONDS = 1.0
_PARAMETERS_DRAWN = 60  # the notebook's 3-5-2 has 46; beyond this a graph of every weight is not readable
_ROWS_WALKED = 8  # enough rows to see the sums over a batch, few enough to see single entries


def write_recipe(folder: Path, config: TrainConfig, overrides: Sequence[str]) -> None:
    """Write the run's config and overrides as YAML, in a form that ``parse_train_config`` accepts.

    Passwords are left out.
    """
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # in C where PyYAML has it: a third of the time
    folder = _made(folder / "config")
    for name, content in (("config", to_container(config)), ("overrides", list(overrides))):
        text = yaml.dump(redacted(content), Dumper=dumper, sort_keys=False, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_evidence(folder: Path, evidence: GradientEvidence) -> None:
    """Write a line per parameter: shape, norm of the gradient, relative error of the hand-written one."""
    lines = ["parameter,shape,gradient_norm,relative_error"]
    for each in evidence.parameters:
        shape = "x".join(map(str, each.shape))
        lines.append(f"{each.name},{shape},{each.norm!r},{each.relative_error!r}")
    (folder / "gradient_check.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_graphs(folder: Path, title: str, model: MLP, batch: Samples, say: Say | None = None) -> None:
    """Draw the trained network, evaluated on a batch of training data (N, D).

    For a network with few parameters, also draw the graph of the batch's first sample, number by number, in
    evaluation mode. ``say`` is called with a message for each graph that cannot be drawn and is left out.
    """
    from micrograde.drawing import draw_graph, draw_network, left_out, render_graph

    folder = _made(folder / "graph")
    # The graph of a diverged run shows its infinities.
    with np.errstate(all="ignore"), left_out("graph/network", say):
        trace = trace_replica(model, 0, batch.features, batch.targets)
        trace.loss.backward()
        graph = draw_network(_layer_nodes(model, trace), title=title)
        render_graph(graph, folder / "network", ("dot", "svg"))
    if model.layout.size <= _PARAMETERS_DRAWN:
        with np.errstate(all="ignore"), left_out("graph/sample", say):
            sample = trace_first_sample(model, 0, batch.features, batch.targets)
            sample.loss.backward()
            render_graph(draw_graph(sample.loss), folder / "sample", ("dot", "svg"))


def write_walkthrough(folder: Path, title: str, model: MLP, batch: Samples, say: Say | None = None) -> None:
    """Write a page that steps through the graph of the loss, forward and backward, on a batch (N, D).

    A network with few parameters is shown number by number, for the batch's first sample in evaluation mode;
    a larger one as arrays, for the batch's first rows. ``say`` is called with a message if the page cannot be
    drawn and is left out.
    """
    from micrograde.drawing import draw_walkthrough, left_out

    with np.errstate(all="ignore"), left_out("walkthrough.html", say):
        if model.layout.size <= _PARAMETERS_DRAWN:
            trace = trace_first_sample(model, 0, batch.features, batch.targets)
            mode = (
                f" (evaluation mode: {_norm(model)} takes its running statistics)"
                if model.statistics.size
                else ""
            )
            subtitle = f"The loss of the first sample of a training batch, number by number{mode}."
        else:
            rows = batch.first(_ROWS_WALKED)
            trace = trace_replica(model, 0, rows.features, rows.targets)
            subtitle = _name_for_reading(trace, rows, model)
        trace.loss.name = "loss"
        trace.loss.backward()
        page = draw_walkthrough(trace.loss, title=title, subtitle=subtitle)
        page.save(_made(folder) / "walkthrough.html")


def _norm(model: MLP) -> str:
    return model.normalization.label if model.normalization else ""


def _name_for_reading(trace: Trace, rows: Samples, model: MLP) -> str:
    """Name the layers' outputs and the targets in the graph; return a sentence that says what it shows."""
    for name, output in trace.outputs.items():
        output.name = name
    for node in nodes(trace.loss):
        if not node.requires_grad and node.shape == rows.targets.shape:
            node.name = "targets"
    depends = model.least_rows > 1  # what a row becomes depends on the others
    mode = f" (training mode: {_norm(model)} takes the mean and variance of these rows)" if depends else ""
    return f"The mean loss of the first {len(rows)} rows of a training batch{mode}."


def _layer_nodes(model: MLP, trace: Trace) -> list[LayerNode]:
    def node(name: str, kind: str, variable: Variable, parameters: int = 0) -> LayerNode:
        norms = (float(np.linalg.norm(variable.value)), float(np.linalg.norm(variable.grad)))
        return LayerNode(name, kind, variable.shape, parameters, *norms)

    return [
        node("input", "input", trace.input),
        *(
            node(
                name,
                model.layers[name].kind,
                output,
                sum(
                    np.size(each.value)
                    for key, each in trace.parameters.items()
                    if key.startswith(f"{name}.")
                ),
            )
            for name, output in trace.outputs.items()
        ),
        node("loss", "loss", trace.loss),
    ]


class RunLog:
    """``train.log``: the messages of a run, with times.

    The file is not kept open, because a sweep has thousands of runs. Lines are buffered and written at most
    once a second, and by ``write``; ``before`` is text to begin the file with.
    """

    def __init__(self, folder: Path | None, before: str = "") -> None:
        self._folder = folder
        self._lines: list[str] = [before] if before else []
        self._next = 0.0

    def add(self, text: str) -> None:
        """Add a line, with the time."""
        if self._folder is None:
            return
        self._lines.append(f"{datetime.now():%Y-%m-%d %H:%M:%S.%f} {without_password(text)}\n")
        if time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Write the lines that are buffered."""
        if self._lines and self._folder:
            with (self._folder / "train.log").open("a", encoding="utf-8") as log:
                log.writelines(self._lines)
            self._lines.clear()
            self._next = time.monotonic() + _LOG_SECONDS


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
