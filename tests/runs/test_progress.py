"""What is shown while runs train: counts that add up, the best as it is, no line wider than the terminal."""

import io
import math
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.narrowing import not_none

from micrograde.runs.progress import EpochWatch, RunsWatch, watch_epochs, watch_runs
from micrograde.runs.progress_lines import progress_line

STATUSES = ["FINISHED", "FAILED", "KILLED"]
METRIC = "val/accuracy"


def runs_watch(names, *, num_epochs=5, ascending=False, **changes):
    said: list[str] = []
    shown: list[tuple[object, ...]] = []
    watch = RunsWatch(
        names, [num_epochs] * len(names), METRIC, ascending, lambda *what: shown.append(what), False,
        say=said.append, **changes,
    )  # fmt: skip
    return watch, said, shown


@pytest.fixture
def clock(monkeypatch):
    """How many seconds the clock is ahead of the real one."""
    ahead, real = [0.0], time.monotonic
    monkeypatch.setattr("micrograde.runs.progress.time.monotonic", lambda: real() + ahead[0])
    return ahead


ends = st.lists(
    st.tuples(
        st.sampled_from(STATUSES),
        st.none() | st.floats(-10, 10) | st.just(math.nan),
        st.text("ab=0.1 [bold]é学\x1b", max_size=30),
    ),
    min_size=1,
    max_size=8,
)


@given(ends, st.booleans(), st.integers(0, 100), st.data())
def test_the_counts_add_up_and_the_best_is_that_of_the_finished(ends, ascending, before, data):
    names = [name for _, _, name in ends]
    watch, _, _ = runs_watch(names, ascending=ascending, before=before)
    order = data.draw(st.permutations(range(len(ends))))
    ended = order[: data.draw(st.integers(0, len(ends)))]
    for place in order:
        watch.epoch_ended(place, 1, {})
    for place in ended:
        status, value, _ = ends[place]
        watch.run_ended(place, status, {} if value is None else {METRIC: value})
    line = watch.line()
    total, failed = len(ends) + before, sum(ends[place][0] == "FAILED" for place in ended)
    killed = sum(ends[place][0] == "KILLED" for place in ended)
    done = before + len(ended) - killed  # what was stopped is not done
    assert line.startswith(f"done {done}/{total}  running {len(ends) - len(ended)}  failed {failed}")
    assert (f"  killed {killed}" in line) == bool(killed)
    values = [
        (ends[place][1], names[place])
        for place in ended
        if ends[place][0] == "FINISHED" and ends[place][1] is not None
    ]
    if not values:
        assert "best" not in line
    elif not any(math.isnan(value) for value, _ in values):
        wanted = (min if ascending else max)(value for value, _ in values)
        assert any(
            f"  best run {METRIC} {wanted:.4f} ({name})" in line for value, name in values if value == wanted
        )
    assert ("left" in line.rpartition(")")[2]) == (len(ended) < len(ends))


def test_the_best_is_the_same_whichever_run_ends_first():
    metrics = [0.5, 0.9, 0.9, 0.1]
    lines = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        watch, _, _ = runs_watch(["d", "c", "b", "a"])
        for place in order:
            watch.run_ended(place, "FINISHED", {METRIC: metrics[place]})
        lines.append(watch.line())
    assert lines == lines[:1] * 3
    assert lines[0].startswith("done 4/4  running 0  failed 0")
    assert f"best run {METRIC} 0.9000" in lines[0]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (8.4, "8 s"), (89, "89 s"), (90, "2 min"), (600, "10 min"), (3540, "59 min"),
     (3600, "1 h 00 min"), (7500, "2 h 05 min"), (360000, "100 h 00 min")],
)  # fmt: skip
def test_the_time_left_is_what_the_other_half_took(clock, seconds, shown):
    watch, _, _ = runs_watch(["a", "b"], num_epochs=2)
    clock[0] += seconds
    for epoch in (1, 2):
        watch.epoch_ended(0, epoch, {})
    watch.run_ended(0, "FINISHED", {})
    assert watch.line().endswith(f"  {shown} left")


def test_the_time_left_is_that_of_the_runs_that_are_left(clock):
    watch, _, _ = runs_watch(list("abcd"), num_epochs=1)
    clock[0] += 20
    watch.epoch_ended(0, 1, {})
    watch.run_ended(0, "FINISHED", {})
    assert watch.line().endswith("  60 s left")


def test_nothing_is_said_of_the_time_before_anything_is_known(clock):
    watch, _, _ = runs_watch(["a", "b"])
    clock[0] += 30
    assert "left" not in watch.line()
    assert "left" not in runs_watch([], before=3)[0].line()


def test_where_lines_stay_there_is_one_every_ten_seconds_and_never_less(clock):
    watch, said, shown = runs_watch(["a"], num_epochs=1000)
    for epoch in range(1, 301):
        clock[0] += 0.1
        watch.epoch_ended(0, epoch, {})
    assert len(shown) == 3
    shares = [share for share, _ in shown]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1
    assert said == []


def test_verbose_says_how_each_run_ended():
    watch, said, _ = runs_watch(["a", "b"], verbose=True)
    watch.run_ended(0, "FINISHED", {METRIC: 0.5, "train/loss": 0.25, "other": 1.0})
    watch.run_ended(1, "FAILED", {})
    assert said == [f"finished  a  {METRIC} 0.5000  train/loss 0.2500", "failed    b"]


# --- one run ----------------------------------------------------------------------------------------


@given(st.integers(1, 500))
def test_of_a_runs_epochs_the_first_and_the_last_are_shown_and_not_many_more(num_epochs):
    shown = []
    watch = EpochWatch(num_epochs, lambda *what: shown.append(what), on_terminal=False)
    for epoch in range(1, num_epochs + 1):
        watch.epoch_ended(0, epoch, {"train/loss": 0.5})
    epochs = [int(not_none(re.match(r"epoch +(\d+)/", text))[1]) for _, text in shown]
    assert epochs[0] == 1
    assert epochs[-1] == num_epochs
    assert min(num_epochs, 10) <= len(epochs) <= 21
    assert epochs == sorted(set(epochs))
    assert [share for share, _ in shown] == [epoch / num_epochs for epoch in epochs]
    assert len({len(text) for _, text in shown}) == 1  # so that columns stand below each other


def test_a_line_has_the_losses_and_accuracies_that_there_are():
    metrics = {"val/accuracy": 0.5, "train/loss": 1.25, "activation/layer1.std": 3.0}
    assert progress_line("epoch", 3, 50, metrics) == "epoch  3/50  train/loss 1.2500  val/accuracy 0.5000"


# --- on a terminal ----------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """What a terminal is sent."""

    def isatty(self):
        return True

    @property
    def rows(self):
        """Without colours and movements; what replaces a row is a row of its own."""
        text = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", self.getvalue())
        return [row for row in re.split(r"[\r\n]+", text) if row.strip()]


@pytest.fixture
def terminal(monkeypatch):
    """Makes stderr a terminal of that many columns."""

    def make(columns):
        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", str(columns))
        return terminal

    return make


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_a_row_fits_and_says_how_far_it_is(terminal, columns):
    on = terminal(columns)
    with watch_runs(["a"] * 1500, [50] * 1500, title="seed", metric=METRIC, ascending=False) as watch:
        watch.run_ended(0, "FINISHED", {METRIC: 0.5})
    with watch_epochs("seed=3", 50) as epochs:
        epochs.epoch_ended(0, 7, {"train/loss": 0.5, METRIC: 0.25})
    assert max(map(cell_len, on.rows)) <= columns
    assert any("done 1/1500" in row for row in on.rows)
    assert any("7/50  train/loss 0.5000" in row for row in on.rows)


def test_a_name_on_a_terminal_is_no_markup(terminal):
    on = terminal(120)
    with watch_epochs("[red]x[/red]", 2) as epochs:
        epochs.epoch_ended(0, 1, {})
    assert any("[red]x[/red]" in row for row in on.rows)


names = st.text(max_size=40) | st.sampled_from(["learning_rate=0.1 hidden_size=[64,32] " * 6, "学習" * 60])


@given(st.integers(60, 200), names, names, st.integers(1, 1500))
@settings(max_examples=30)
def test_no_row_is_wider_whatever_runs_are_called(columns, name, title, count):
    with pytest.MonkeyPatch.context() as patch:
        on = Terminal()
        patch.setattr("sys.stderr", on)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", str(columns))
        with watch_runs([name] * count, [5] * count, title=title, metric=METRIC, ascending=True) as watch:
            watch.run_ended(0, "FINISHED", {METRIC: 0.5})
        with watch_epochs(title, 50) as epochs:
            epochs.epoch_ended(0, 7, {"train/loss": 0.5, METRIC: 0.25})
    assert on.rows
    assert max(map(cell_len, on.rows)) <= columns


def test_elsewhere_lines_are_plain_and_the_last_one_says_how_it_is(capsys):
    with watch_runs(["a", "b"], [3, 3], title="t", metric=METRIC, ascending=False) as watch:
        watch.run_ended(1, "FINISHED", {METRIC: 0.5})
        watch.run_ended(0, "KILLED", {})
    (line,) = capsys.readouterr().out.splitlines()
    assert line == watch.line()
    assert line.startswith("done 1/2  running 0  failed 0  killed 1")


def test_what_other_processes_tell_counts_until_they_answer(clock):
    watch, _, _ = runs_watch(["a", "b", "c", "d"], num_epochs=10)
    watch.began(range(4))
    clock[0] = 30
    watch.follow(1, 20)
    assert (
        watch.line() == "done 1/4  running 3  failed 0  50 s left"
    )  # half the epochs, a quarter of the ends
    watch.runs_ended([(0, "FINISHED", {METRIC: 0.5}), (1, "FAILED", {})])
    watch.follow(0, 20)
    assert watch.line().startswith("done 2/4  running 2  failed 1  best run val/accuracy 0.5000 (a)")
