"""Progress of runs in training: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from micrograde.analysis.ranking import Standing, standing
from micrograde.core.notebook import in_notebook
from micrograde.core.printable import printable
from micrograde.core.terminal import cells, cut, moves_cursor, say, spelled, terminal_width
from micrograde.core.working import beside_bar
from micrograde.metrics import formatted, ranking_metrics
from micrograde.runs.notebook_progress import NotebookCurves, NotebookEpochs, NotebookOutput
from micrograde.runs.progress_lines import in_order, progress_line

_LINES = 10  # about this many lines a run, where there is no terminal to draw a bar on
_BAR = 40  # columns at most
_SECONDS = 10.0  # between two lines of many runs
_SHOWN_BESIDE_BAR = ("train/loss", *ranking_metrics("val"))


class Show(Protocol):
    """Shows the share that is done, from 0 to 1, and the first of some texts that fits, longest first."""

    def __call__(self, share: float, text: str, *shorter: str) -> None:
        """Show the share, and ``text`` or a shorter one."""


class Watch(Protocol):
    """Follows runs in training; ``place`` is a run's index in the list given to ``train_runs``."""

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Take note of a run's metrics after an epoch."""

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """Take note that a run has ended, and of its last metrics."""


def print_line(text: str) -> None:
    """Print a line, and ignore errors: neither a closed pipe nor a signal at that moment may end a run."""
    with suppress(OSError, ValueError, RuntimeError):
        say(text, flush=True)


# --- one run: its epochs ------------------------------------------------------------------------


@dataclass
class EpochWatch:
    """Shows the epochs of one run."""

    num_epochs: int
    show: Show
    on_terminal: bool

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG002
        """Show the epoch; where printed lines stay, only about ten of them."""
        if self.on_terminal:
            values = [
                f"{key} {formatted(key, metrics[key], '.4f')}" for key in _SHOWN_BESIDE_BAR if key in metrics
            ]
            texts = ["  ".join([f"{epoch}/{self.num_epochs}", *part]) for part in (values, values[-1:], [])]
            self.show(epoch / self.num_epochs, *texts)
        elif epoch == 1 or epoch % max(1, self.num_epochs // _LINES) == 0 or epoch == self.num_epochs:
            self.show(epoch / self.num_epochs, progress_line("epoch", epoch, self.num_epochs, metrics))

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """Show nothing: the caller prints the result."""


@contextmanager
def watch_epochs(name: str, num_epochs: int) -> Iterator[Watch]:
    """Show the progress of one run, by its epochs, for as long as the context lasts."""
    if in_notebook():
        in_cell = NotebookEpochs(name, num_epochs)
        try:
            yield in_cell
        finally:
            in_cell.output.end()
        return
    with _shown(name) as (show, on_terminal):
        yield EpochWatch(num_epochs, show, on_terminal)


# --- many runs: how many are done, and the best -------------------------------------------------


@dataclass
class RunsWatch:
    """Shows in one line how many runs are done, running and failed, the best of them, and the time left.

    Attributes
    ----------
    names
        The name of each run, by its place.
    num_epochs
        The number of epochs that each trains at most, by its place; 0 if epochs are not followed.
    metric, ascending
        The metric that the best run so far is chosen by, and whether lower is better. While runs train,
        settings are not ranked: most would have the mean of a part of their seeds.
    seeds
        The seed of each run, by its place; among equals the run with the lower seed ranks first.
    before, failed, best
        How many runs of the same sweep were done before, how many of these failed, and the best of them.
    verbose
        Whether to print also how each run ended.
    curves
        Keeps the runs' curves, where they are drawn.
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
    curves: NotebookCurves | None = None
    best_place: int | None = None
    running: set[int] = field(default_factory=set)
    _ended_elsewhere: int = 0
    _epochs_elsewhere: int = 0
    _epochs: int = 0
    _start: float = field(default_factory=time.monotonic)
    _shown: float = field(default_factory=time.monotonic)

    def epoch_ended(self, place: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Count the epoch."""
        if self.curves:
            self.curves.take(place, epoch, metrics)
        self.running.add(place)
        self._epochs += 1
        self._show_now_and_then()

    def run_ended(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        """Count the run, and keep it if it is the best so far."""
        self.runs_ended([(place, status, metrics)])

    def runs_ended(self, ended: Iterable[tuple[int, str, Mapping[str, float]]]) -> None:
        """Count runs that have ended at the same time: place, status and last metrics of each."""
        for each in ended:
            self._count(*each)
        self._show_now_and_then()

    def _count(self, place: int, status: str, metrics: Mapping[str, float]) -> None:
        self.running.discard(place)
        self.done += status != "KILLED"
        self.killed += status == "KILLED"
        self.failed += status == "FAILED"
        seed = self.seeds[place] if self.seeds else 0
        found = standing(metrics, self.metric, seed, self.names[place]) if status == "FINISHED" else None
        candidates = [each for each in (found, self.best) if each]
        self.best = min(candidates, key=lambda each: each.key(ascending=self.ascending), default=None)
        if found and self.best is found:
            self.best_place = place
        if self.verbose:
            self.say(f"{status.lower():<9} {self.names[place]}  {self._values(metrics)}".rstrip())

    def began(self, places: Iterable[int]) -> None:
        """Count runs as running before their first epochs."""
        self.running.update(places)
        self._show_now_and_then()

    def follow(self, ended: int, epochs: int) -> None:
        """Take note of what is told from other processes.

        Parameters
        ----------
        ended
            How many runs have ended in jobs that have not answered yet; how is not known.
        epochs
            How many epochs all runs have trained.
        """
        self._ended_elsewhere, self._epochs_elsewhere = ended, epochs
        self._show_now_and_then()

    def line(self) -> str:
        """Return ``done 37/100  running 63  failed 1  best run val/accuracy 0.9833 (seed=3)  12 s left``."""
        return self.lines()[0]

    def lines(self) -> list[str]:
        """Return the same line, followed by shorter ones for terminals that are too narrow for it."""
        total = self.before + len(self.names)
        done = f"done {self.before + self.done + self._ended_elsewhere}/{total}"
        running = f"running {max(0, len(self.running) - self._ended_elsewhere)}"
        failed, best, whose, left = f"failed {self.failed}", "", "", ""
        killed = f"killed {self.killed}" if self.killed else ""
        if self.best:
            best = f"best run {self.metric} {formatted(self.metric, self.best.value, '.4f')}"
            whose = f"{best} ({self.best.name})"
        if self._ended < len(self.names) and self._share() > 0:
            elapsed = time.monotonic() - self._start
            left = f"{_duration(elapsed * (1 - self._share()) / self._share())} left"
        shorter = ((done, running, failed, killed, whose, left), (done, running, failed, killed, best, left))
        failed = failed if self.failed else ""
        shortest = ((done, failed, killed, best, left), (done, failed, killed, left), (done, failed, killed))
        return ["  ".join(filter(None, parts)) for parts in (*shorter, *shortest, (done,))]

    def _values(self, metrics: Mapping[str, float]) -> str:
        shown = [name for name in dict.fromkeys((self.metric, *in_order(metrics))) if name in metrics]
        return "  ".join(f"{name} {formatted(name, metrics[name], '.4f')}" for name in shown)

    def _share(self) -> float:
        """Return the share that is done; the end of a run, with its files, counts as much as its epochs."""
        if not any(self.num_epochs):
            return self._ended / max(1, len(self.names))
        epochs = (self._epochs + self._epochs_elsewhere) / max(1, sum(self.num_epochs))
        return (min(1.0, epochs) + self._ended / max(1, len(self.names))) / 2

    @property
    def _ended(self) -> int:
        return self.done + self.killed + self._ended_elsewhere

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
    """Show the progress of many runs for as long as the context lasts, and a last line at its end."""

    def watching(show: Show, curves: NotebookCurves | None, *, on_terminal: bool) -> RunsWatch:
        return RunsWatch(
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
            curves=curves,
        )

    if in_notebook():
        output, curves = NotebookOutput(title), NotebookCurves(metric)
        watch = watching(output.show, curves, on_terminal=True)
        output.draw = lambda: curves.draw(watch.best_place)
        try:
            yield watch
        finally:
            output.share, output.text = watch._share(), watch.line()
            output.end()
        return
    with _shown(title) as (show, on_terminal):
        watch = watching(show, None, on_terminal=on_terminal)
        yield watch
        show(watch._share(), *watch.lines())


@contextmanager
def _shown(title: str) -> Iterator[tuple[Show, bool]]:
    """Provide a function that shows progress, and whether it draws on a terminal, where lines do not stay."""
    stream = sys.stderr
    if not moves_cursor(stream):
        yield (lambda share, text, *shorter: print_line(text)), False  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    # Names are no markup: one may be [bold].
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
            if fitting is None:  # the progress matters more than the name
                name, fitting = "", spelt[-1] if cells(spelt[-1]) <= room else ""
            bar.update(task, completed=share, description=name, text=fitting)

        show(0.0, "")
        with beside_bar(lambda text: show(bar.tasks[0].completed, text)):
            yield show, True


def _duration(seconds: float) -> str:
    """Return a duration as ``8 s``, ``3 min`` or ``2 h 05 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
