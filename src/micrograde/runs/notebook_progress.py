"""Progress in a notebook: one output, updated in place, with a bar and, of one run, learning curves."""

import base64
import sys
import time
from collections.abc import Mapping
from html import escape
from typing import Any

from micrograde.runs.progress_lines import progress_line

SECONDS = 0.25  # between two updates


def in_notebook() -> bool:
    """Return whether output goes to a front end of Jupyter, which shows HTML and updates it."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


class NotebookOutput:
    """An output of a cell; names in it are escaped, and pictures are images, not parts of the page."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.share, self.text = 0.0, ""
        self._handle: Any = None
        self._shown = 0.0

    def show(self, share: float, text: str, *shorter: str) -> None:  # noqa: ARG002
        """Show the share that is done and a line, unless the last update was a moment ago."""
        self.share, self.text = share, text
        if self.is_due():
            self.update()

    def is_due(self) -> bool:
        """Return whether it is time for an update."""
        return time.monotonic() - self._shown >= SECONDS

    def update(self, picture: str = "") -> None:
        """Show what is known now, with a picture (SVG) below."""
        from IPython.display import display

        line = f"{self.title}  {self.text}"
        html = (
            f'<div class="micrograde-progress"><b>{escape(self.title)}</b> '
            f'<progress max="1" value="{self.share:.4f}" style="vertical-align: middle"></progress> '
            f'<span style="font-family: monospace">{escape(self.text)}</span>'
        )
        if picture:
            source = base64.b64encode(picture.encode()).decode()
            style = "max-width: min(100%, 860px); display: block"
            html += f'<img alt="learning curves" src="data:image/svg+xml;base64,{source}" style="{style}">'
        bundle = {"text/plain": line, "text/html": f"{html}</div>"}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)
        self._shown = time.monotonic()


class NotebookEpochs:
    """Shows the epochs of one run; at the end, when the run itself is shown, the curves are left to it."""

    def __init__(self, name: str, num_epochs: int) -> None:
        self.num_epochs, self.output = num_epochs, NotebookOutput(name)
        self.history: dict[str, list[float]] = {}

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Keep the losses and accuracies, and show them now and then."""
        for name in ("train/loss", "train/accuracy", "val/loss", "val/accuracy"):
            if name in metrics:
                self.history.setdefault(name, []).append(metrics[name])
        output = self.output
        output.share, output.text = (
            epoch / self.num_epochs,
            progress_line("epoch", epoch, self.num_epochs, metrics),
        )
        if output.is_due():
            from micrograde.drawing import draw_learning_curves

            output.update(draw_learning_curves(self.history, title="").text)

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Show how the run ended."""
        self.output.text = f"{status}  {self.output.text}"
        self.output.update()
