"""What is shown while runs train: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from micrograde.analysis.ranking import Standing, standing
from micrograde.core.printable import printable
from micrograde.core.terminal import cells, cut, moves_cursor, say, spelled, terminal_width
from micrograde.core.working import beside_bar

_LINES = 10  # about as many lines a run, where there is no terminal to draw a bar on
_BAR = 40  # columns at most
_SECONDS = 10.0  # between two lines of many runs
_SHOWN = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
_SHOWN_BESIDE_BAR = ("train/loss", "val/accuracy")


class Show(Protocol):
    """Shows how far everything is, from 0 to 1, and a text, or where it does not fit the first that does."""

    def __call__(self, share: float, text: str, *shorter: str) -> None:
        """Show it."""


class Watch(Protocol):
    """Is told of what happens to runs; ``place`` is where a run stands in the list that was given."""

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """The run has these metrics after the epoch."""

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """The run has ended, with these as its last metrics."""


def print_line(text: str) -> None:
    """Print it if that can be: neither a reader who has gone nor a signal meanwhile may end a run."""
    with suppress(OSError, ValueError, RuntimeError):
        say(text, flush=True)


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
            values = [f"{key} {metrics[key]:.4f}" for key in _SHOWN_BESIDE_BAR if key in metrics]
            texts = ["  ".join([f"{epoch}/{self.num_epochs}", *part]) for part in (values, values[-1:], [])]
            self.show(epoch / self.num_epochs, *texts)
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
    seeds
        Of each run, by its place; among equals the lower one is the better run.
    before, failed, best
        How many of the same sweep were done before, how many of these had failed, and the best of them.
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
    best: Standing | None = None
    failed: int = 0
    seeds: Sequence[int] = ()
    done: int = 0
    killed: int = 0
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
        self.done += status != "KILLED"
        self.killed += status == "KILLED"
        self.failed += status == "FAILED"
        seed = self.seeds[place] if self.seeds else 0
        found = standing(metrics, self.metric, seed, self.names[place]) if status == "FINISHED" else None
        candidates = [each for each in (found, self.best) if each]
        self.best = min(candidates, key=lambda each: each.key(ascending=self.ascending), default=None)
        if self.verbose:
            self.say(f"{status.lower():<9} {self.names[place]}  {self._values(metrics)}".rstrip())
        self._show_now_and_then()

    def line(self) -> str:
        """``done 37/100  running 63  failed 1  best val/accuracy 0.9833 (seed=3)  12 s left``."""
        return self.lines()[0]

    def lines(self) -> list[str]:
        """The same, and shorter ones for a terminal that has no room for it."""
        total = self.before + len(self.names)
        done, running = f"done {self.before + self.done}/{total}", f"running {len(self.running)}"
        failed, best, whose, left = f"failed {self.failed}", "", "", ""
        killed = f"killed {self.killed}" if self.killed else ""
        if self.best:
            best = f"best {self.metric} {self.best.value:.4f}"
            whose = f"{best} ({self.best.name})"
        if self._ended < len(self.names) and self._share() > 0:
            elapsed = time.monotonic() - self._start
            left = f"{_duration(elapsed * (1 - self._share()) / self._share())} left"
        shorter = ((done, running, failed, killed, whose, left), (done, running, failed, killed, best, left))
        failed = failed if self.failed else ""
        shortest = ((done, failed, killed, best, left), (done, failed, killed, left), (done, failed, killed))
        return ["  ".join(filter(None, parts)) for parts in (*shorter, *shortest, (done,))]

    def _values(self, metrics: Mapping[str, float]) -> str:
        shown = dict.fromkeys((self.metric, *_SHOWN))
        return "  ".join(f"{name} {metrics[name]:.4f}" for name in shown if name in metrics)

    def _share(self) -> float:
        """How much is done; a run's end, with its files and pictures, is worth about its epochs."""
        epochs = self._epochs / max(1, sum(self.num_epochs))
        return (min(1.0, epochs) + self._ended / max(1, len(self.names))) / 2

    @property
    def _ended(self) -> int:
        return self.done + self.killed

    def _show_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._shown >= (0.1 if self.on_terminal else _SECONDS):
            self._shown = now
            self.show(self._share(), *(self.lines() if self.on_terminal else [self.line()]))


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
    best: Standing | None = None,
    failed: int = 0,
    seeds: Sequence[int] = (),
) -> Iterator[RunsWatch]:
    """Progress through many runs, for as long as the context lasts; ends with the line as it then is."""
    with _shown(title) as (show, on_terminal):
        watch = RunsWatch(
            names,
            num_epochs,
            metric,
            ascending,
            show,
            on_terminal,
            before,
            verbose,
            best=best,
            failed=failed,
            seeds=seeds,
        )
        yield watch
        show(watch._share(), *watch.lines())


@contextmanager
def _shown(title: str) -> Iterator[tuple[Show, bool]]:
    """How to show progress, and whether that is on a terminal, where lines do not stay."""
    stream = sys.stderr
    if not moves_cursor(stream):
        yield (lambda share, text, *shorter: print_line(text)), False  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    # A name such as [bold] is no markup.
    texts = [
        TextColumn(text, markup=False, table_column=Column(no_wrap=True, overflow="crop"))
        for text in ("{task.description}", "{task.fields[text]}")
    ]
    console, line = Console(stderr=True), BarColumn(0)
    with Progress(texts[0], line, texts[1], console=console) as bar:
        task = bar.add_task("", total=1.0, text="")

        def show(share: float, text: str, *shorter: str) -> None:
            console.width = width = terminal_width(stream) or console.width
            line.bar_width = min(max(width // 8, 5), _BAR)
            name = cut(spelled(printable(title), stream), width // 5, spelled("…", stream))
            spelt = [spelled(printable(each), stream) for each in (text, *shorter)]
            room = width - line.bar_width - 2
            fitting = next((each for each in spelt if cells(each) <= room - cells(name)), None)
            if fitting is None:  # how far it is matters more than what it is
                name, fitting = "", spelt[-1] if cells(spelt[-1]) <= room else ""
            bar.update(task, completed=share, description=name, text=fitting)

        show(0.0, "")
        with beside_bar(lambda text: show(bar.tasks[0].completed, text)):
            yield show, True


def _duration(seconds: float) -> str:
    """``8 s``, ``3 min``, ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
