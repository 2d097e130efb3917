"""What a run shows while it trains: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

_LINES = 10  # about as many lines a run, where there is no terminal to draw a bar on
_SHOWN = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
_SHOWN_BESIDE_BAR = ("train/loss", "val/accuracy")


class Progress(Protocol):
    """Is told of each epoch."""

    def __call__(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Show that ``epoch`` (from 1) is done, with its metrics."""


def epoch_line(epoch: int, num_epochs: int, metrics: Mapping[str, float]) -> str:
    """``epoch  3/50  train/loss 0.1234  ...``."""
    width = len(str(num_epochs))
    values = "  ".join(f"{name} {metrics[name]:.4f}" for name in _SHOWN if name in metrics)
    return f"epoch {epoch:{width}d}/{num_epochs}  {values}"


@contextmanager
def show_progress(name: str, num_epochs: int) -> Iterator[Progress]:
    """Progress of one run, for as long as the context lasts."""
    if sys.stderr.isatty():
        with _bar(name, num_epochs) as progress:
            yield progress
    else:
        yield _lines(num_epochs)


def _lines(num_epochs: int) -> Progress:
    every = max(1, num_epochs // _LINES)

    def progress(epoch: int, metrics: Mapping[str, float]) -> None:
        if epoch == 1 or epoch % every == 0 or epoch == num_epochs:
            print(epoch_line(epoch, num_epochs, metrics), flush=True)

    return progress


@contextmanager
def _bar(name: str, num_epochs: int) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[values]}"),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=num_epochs, values="", markup=False)

        def progress(epoch: int, metrics: Mapping[str, float]) -> None:
            values = "  ".join(f"{key} {metrics[key]:.4f}" for key in _SHOWN_BESIDE_BAR if key in metrics)
            bar.update(task, completed=epoch, values=values)

        yield progress
