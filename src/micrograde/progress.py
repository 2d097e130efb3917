"""What a run shows while it trains: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

_LINES = 10  # about as many lines a run, where there is no terminal to draw a bar on
_SHOWN = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
_SHOWN_BESIDE_BAR = ("train/loss", "val/accuracy")


class Progress(Protocol):
    """Is told of each epoch, or of each run where there are many."""

    def __call__(self, done: int, metrics: Mapping[str, float]) -> None:
        """Show that so many are done, with the metrics of the last."""


def progress_line(unit: str, done: int, total: int, metrics: Mapping[str, float]) -> str:
    """``epoch  3/50  train/loss 0.1234  ...``."""
    width = len(str(total))
    values = "  ".join(f"{name} {metrics[name]:.4f}" for name in _SHOWN if name in metrics)
    return f"{unit} {done:{width}d}/{total}  {values}"


@contextmanager
def show_progress(name: str, unit: str, total: int) -> Iterator[Progress]:
    """Progress through so many epochs or runs, for as long as the context lasts."""
    if sys.stderr.isatty():
        with _bar(name, total) as progress:
            yield progress
    else:
        yield _lines(unit, total)


def _lines(unit: str, total: int) -> Progress:
    every = max(1, total // _LINES)

    def progress(done: int, metrics: Mapping[str, float]) -> None:
        if done == 1 or done % every == 0 or done == total:
            print(progress_line(unit, done, total, metrics), flush=True)

    return progress


@contextmanager
def _bar(name: str, total: int) -> Iterator[Progress]:
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
        task = bar.add_task(name, total=total, values="", markup=False)

        def progress(done: int, metrics: Mapping[str, float]) -> None:
            values = "  ".join(f"{key} {metrics[key]:.4f}" for key in _SHOWN_BESIDE_BAR if key in metrics)
            bar.update(task, completed=done, values=values)

        yield progress
