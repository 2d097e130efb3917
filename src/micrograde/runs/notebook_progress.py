"""Progress in a notebook: one output, updated in place, with a bar and learning curves."""

import base64
import math
import time
from collections.abc import Callable, Mapping
from html import escape
from itertools import islice
from typing import TypeVar

from micrograde.analysis.ranking import loss_beside
from micrograde.core.notebook import CellOutput, this_cell
from micrograde.metrics import name_in_history, ranking_metrics
from micrograde.runs.progress_lines import progress_line

SECONDS = 0.25  # between two updates, at least
SHARE = 0.01  # of the time, at most, that updates may take
_CURVES = tuple(name for part in ("train", "val") for name in (f"{part}/loss", *ranking_metrics(part)))
_MOST_CURVES = 50  # runs of a sweep whose curves are drawn

_shown_last: "NotebookOutput | None" = None


class NotebookOutput:
    """An output of a cell; names in it are escaped, and pictures are images, not parts of the page.

    Attributes
    ----------
    draw
        Draws the curves, as SVG; empty if there are none yet.
    cell
        The number of the cell.
    """

    def __init__(self, title: str, draw: Callable[[], str] = lambda: "") -> None:
        self.title, self.draw, self.cell = title, draw, this_cell()
        self.share, self.text = 0.0, ""
        self._output = CellOutput()
        self._due = 0.0

    def show(self, share: float, text: str, *shorter: str) -> None:  # noqa: ARG002
        """Show the share that is done and a line, unless the last update was a moment ago."""
        self.share, self.text = share, text
        if self.is_due():
            self.update()

    def is_due(self) -> bool:
        """Return whether it is time for an update."""
        return time.monotonic() >= self._due

    def update(self) -> None:
        """Show what is known now."""
        start = time.monotonic()
        html = (
            f'<div class="micrograde-progress"><b>{escape(self.title)}</b> '
            f'<progress max="1" value="{self.share:.4f}" style="vertical-align: middle"></progress> '
            f'<span style="font-family: monospace; white-space: pre-wrap">{escape(self.text)}</span>'
        )
        if picture := self.draw():
            source = base64.b64encode(picture.encode()).decode()
            style = "max-width: min(100%, 860px); display: block"
            html += f'<img alt="learning curves" src="data:image/svg+xml;base64,{source}" style="{style}">'
        self._output.show(f"{self.title}  {self.text}", f"{html}</div>")
        end = time.monotonic()
        self._due = end + max(SECONDS, (end - start) / SHARE)

    def end(self) -> None:
        """Show the last state, whenever the last update was; nothing if there is none."""
        global _shown_last
        if self.text:
            self.update()
            _shown_last = self


def leave_curves_to(name: str) -> None:
    """Show no curves of a run or sweep of this name any more beside its progress in this cell.

    What Jupyter shows of the run itself has them.
    """
    global _shown_last
    if _shown_last and (_shown_last.title, _shown_last.cell) == (name, this_cell()):
        _shown_last.draw = lambda: ""
        _shown_last.update()
        _shown_last = None


Key = TypeVar("Key")


def _append(histories: dict[Key, list[float]], key: Key, epoch: int, value: float) -> None:
    if key not in histories:
        histories[key] = [math.nan] * (epoch - 1)  # of a run that was resumed the curves begin later
    histories[key].append(value)


class NotebookEpochs:
    """Shows the epochs of one run."""

    def __init__(self, name: str, num_epochs: int) -> None:
        self.num_epochs, self.output = num_epochs, NotebookOutput(name, self._draw)
        self.history: dict[str, list[float]] = {}
        self._last: tuple[int, Mapping[str, float]] | None = None

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Keep the losses and the metrics that runs are ranked by, and show them now and then."""
        for name in _CURVES:
            if name in metrics:
                _append(self.history, name, epoch, metrics[name])
        self._last = epoch, metrics
        if self.output.is_due():
            self._take_line()
            self.output.update()

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Put how the run ended first in the line."""
        self._take_line()
        self.output.text = "  ".join(filter(None, (status, self.output.text)))

    def _take_line(self) -> None:
        if self._last:
            epoch, metrics = self._last
            self.output.share = epoch / self.num_epochs
            self.output.text = progress_line("epoch", epoch, self.num_epochs, metrics)

    def _draw(self) -> str:
        from micrograde.drawing import draw_learning_curves

        return draw_learning_curves(self.history, title="").text if self.history else ""


class NotebookCurves:
    """Keeps the metric of a sweep's runs by epoch, and draws those that began first, and the best."""

    def __init__(self, metric: str) -> None:
        self.metric = name_in_history(metric)
        self.histories: dict[int, list[float]] = {}

    def take(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Keep the value of a run; of the loss if the metric is not measured after each epoch."""
        if not self.histories and self.metric not in metrics:
            self.metric = loss_beside(self.metric, metrics) or self.metric
        if self.metric in metrics:
            _append(self.histories, place, epoch, metrics[self.metric])

    def draw(self, best: int | None) -> str:
        """Return the picture as SVG; ``best`` is the place of the run that stands out."""
        from micrograde.drawing import draw_live_curves

        if not self.histories:
            return ""
        shown = dict(islice(self.histories.items(), _MOST_CURVES))
        if best in self.histories:
            shown[best] = shown.pop(best, self.histories[best])  # drawn last
        title = "" if len(shown) == len(self.histories) else f"{len(shown)} of {len(self.histories)} runs"
        return draw_live_curves(list(shown.values()), self.metric, title=title, best=best in shown).text
