"""What is shown while runs train: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

_LINES = 10  # about as many lines a run, where there is no terminal to draw a bar on
_SECONDS = 10.0  # between two lines of many runs
_SHOWN = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
_SHOWN_BESIDE_BAR = ("train/loss", "val/accuracy")

Show = Callable[[float, str], None]
"""Shows how far everything is, from 0 to 1, and a text."""


class Watch(Protocol):
    """Is told of what happens to runs; ``place`` is where a run stands in the list that was given."""

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """The run has these metrics after the epoch."""

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """The run has ended, with these as its last metrics."""


def print_line(text: str) -> None:
    """Print it if that can be: neither a reader who has gone nor a signal meanwhile may end a run."""
    with suppress(OSError, ValueError, RuntimeError):
        print(text, flush=True)


def progress_line(unit: str, done: int, total: int, metrics: Mapping[str, float]) -> str:
    """``epoch  3/50  train/loss 0.1234  ...``."""
    width = len(str(total))
    values = "  ".join(f"{name} {metrics[name]:.4f}" for name in _SHOWN if name in metrics)
    return f"{unit} {done:{width}d}/{total}  {values}"


# --- one run: its epochs ------------------------------------------------------------------------


@dataclass
class EpochWatch:
    """Shows the epochs of one run."""

    num_epochs: int
    show: Show
    on_terminal: bool

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Show it, or every so many where lines stay."""
        if self.on_terminal:
            values = "  ".join(f"{key} {metrics[key]:.4f}" for key in _SHOWN_BESIDE_BAR if key in metrics)
            self.show(epoch / self.num_epochs, f"{epoch}/{self.num_epochs}  {values}")
        elif epoch == 1 or epoch % max(1, self.num_epochs // _LINES) == 0 or epoch == self.num_epochs:
            self.show(epoch / self.num_epochs, progress_line("epoch", epoch, self.num_epochs, metrics))

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """Whoever called for the run says what came of it."""


@contextmanager
def watch_epochs(name: str, num_epochs: int) -> Iterator[Watch]:
    """Progress through the epochs of one run, for as long as the context lasts."""
    with _shown(name) as (show, on_terminal):
        yield EpochWatch(num_epochs, show, on_terminal)


# --- many runs: how many are done, and the best -------------------------------------------------


@dataclass
class RunsWatch:
    """Shows in one line how many runs are done, running and failed, the best of them, and the time left.

    Attributes
    ----------
    names
        What each run is called, by its place.
    num_epochs
        How long each trains at most, by its place.
    metric, ascending
        What the best is chosen by, and whether low is good.
    before
        How many of the same sweep were done before.
    verbose
        Also say how each run ended.
    """

    names: Sequence[str]
    num_epochs: Sequence[int]
    metric: str
    ascending: bool
    show: Show
    on_terminal: bool
    before: int = 0
    verbose: bool = False
    say: Callable[[str], None] = print_line
    best: tuple[float, str] | None = None
    failed: int = 0
    done: int = 0
    running: set[int] = field(default_factory=set)
    _epochs: int = 0
    _start: float = field(default_factory=time.monotonic)
    _shown: float = field(default_factory=time.monotonic)

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Count it."""
        self.running.add(place)
        self._epochs += 1
        self._show_now_and_then()

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """Count it, and see whether it is the best."""
        self.running.discard(place)
        self.done += 1
        self.failed += status == "FAILED"
        value = metrics.get(self.metric)
        if status == "FINISHED" and value is not None:
            # Among equals the first by name, whichever happened to end first.
            candidates = [(value, self.names[place]), *([self.best] if self.best else [])]
            self.best = min(candidates, key=lambda each: (each[0] if self.ascending else -each[0], each[1]))
        if self.verbose:
            self.say(f"{status.lower():<9} {self.names[place]}  {self._values(metrics)}".rstrip())
        self._show_now_and_then()

    def line(self) -> str:
        """``done 37/100  running 63  failed 1  best val/accuracy 0.9833 (seed=3)  12 s left``."""
        total = self.before + len(self.names)
        parts = [f"done {self.before + self.done}/{total}", f"running {len(self.running)}"]
        parts.append(f"failed {self.failed}")
        if self.best:
            parts.append(f"best {self.metric} {self.best[0]:.4f} ({self.best[1]})")
        if self.done < len(self.names) and self._share() > 0:
            elapsed = time.monotonic() - self._start
            parts.append(f"{_duration(elapsed * (1 - self._share()) / self._share())} left")
        return "  ".join(parts)

    def _values(self, metrics: Mapping[str, float]) -> str:
        shown = dict.fromkeys((self.metric, *_SHOWN))
        return "  ".join(f"{name} {metrics[name]:.4f}" for name in shown if name in metrics)

    def _share(self) -> float:
        """How much is done; a run's end, with its files and pictures, is worth about its epochs."""
        epochs = self._epochs / max(1, sum(self.num_epochs))
        return (min(1.0, epochs) + self.done / max(1, len(self.names))) / 2

    def _show_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._shown >= (0.1 if self.on_terminal else _SECONDS):
            self._shown = now
            self.show(self._share(), self.line())


@contextmanager
def watch_runs(
    names: Sequence[str],
    num_epochs: Sequence[int],
    *,
    title: str,
    metric: str,
    ascending: bool,
    before: int = 0,
    verbose: bool = False,
) -> Iterator[RunsWatch]:
    """Progress through many runs, for as long as the context lasts; ends with the line as it then is."""
    with _shown(title) as (show, on_terminal):
        watch = RunsWatch(names, num_epochs, metric, ascending, show, on_terminal, before, verbose)
        yield watch
        show(watch._share(), watch.line())


@contextmanager
def _shown(title: str) -> Iterator[tuple[Show, bool]]:
    """How to show progress, and whether that is on a terminal, where lines do not stay."""
    if not sys.stderr.isatty():
        yield (lambda share, text: print_line(text)), False  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    # A name such as [bold] is no markup.
    texts = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[text]}"))
    columns = (next(texts), BarColumn(), next(texts))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=1.0, text="")
        yield (lambda share, text: bar.update(task, completed=share, text=text)), True


def _duration(seconds: float) -> str:
    """``8 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
