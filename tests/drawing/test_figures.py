import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.drawing import draw_confusion_matrix, draw_learning_curves, save_figure

HISTORY = {
    "train/loss": [1.0, 0.5, 0.25],
    "val/loss": [0.9, 0.4, 0.6],
    "train/accuracy": [0.3, 0.8, 0.9],
    "val/accuracy": [0.4, 0.95, 0.85],
}


def texts(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_curves_show_both_parts_and_say_where_the_best_epoch_is():
    figure = draw_learning_curves(HISTORY, title="a run")
    loss, accuracy = figure.axes
    assert "a run" in texts(figure)
    assert loss.get_title() == "lowest validation loss 0.4, epoch 2"
    assert accuracy.get_title() == "highest validation accuracy 0.95, epoch 2"
    for axes, metric in ((loss, "loss"), (accuracy, "accuracy")):
        lines = {line.get_label(): line for line in axes.get_lines()}
        np.testing.assert_array_equal(lines["training"].get_ydata(), HISTORY[f"train/{metric}"])
        np.testing.assert_array_equal(lines["validation"].get_ydata(), HISTORY[f"val/{metric}"])
        np.testing.assert_array_equal(lines["training"].get_xdata(), [1, 2, 3])


def test_curves_of_a_single_epoch_and_of_a_diverged_run(tmp_path):
    one = draw_learning_curves({"train/loss": [0.5], "train/accuracy": [0.5]}, title="one")
    assert one.axes[0].get_lines()[0].get_marker() == "o"
    assert one.axes[0].get_title() == "lowest training loss 0.5, epoch 1"
    diverged = draw_learning_curves({"train/loss": [np.inf, np.nan], "train/accuracy": [0.1, 0.1]}, title="d")
    assert diverged.axes[0].get_title() == "no finite loss"
    save_figure(diverged, tmp_path / "diverged.png")


@given(st.integers(2, 25), st.integers(0, 99))
@settings(max_examples=8)
def test_every_count_stands_in_its_cell_and_the_worst_mistake_in_the_title(classes, seed):
    counts = np.random.default_rng(seed).integers(1, 99, (classes, classes))
    counts[1, 0] = 1000
    names = [f"class {number}" for number in range(classes)]
    figure = draw_confusion_matrix(counts, class_names=names, title="run")
    (axes,) = figure.axes
    cells = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts}
    expected = {(r, c): str(counts[r, c]) for r in range(classes) for c in range(classes)}
    assert cells == (expected if classes <= 20 else {})
    assert axes.get_title() == (
        f"run\n{np.trace(counts)} of {counts.sum()} right; most often class 1 taken for class 0 (1000)"
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"counts \(2, 3\) and 2 class names do not fit"):
        draw_confusion_matrix(np.zeros((2, 3), int), class_names=["a", "b"], title="")


def test_files_are_png_small_and_the_same_each_time(tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(draw_learning_curves(HISTORY, title="a run"), tmp_path / name)
    content = (tmp_path / "a.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 100_000
    assert content == (tmp_path / "b.png").read_bytes()


def test_the_users_matplotlib_settings_stay():
    import matplotlib

    matplotlib.get_backend()  # looks for one now, and keeps it among the settings
    before = matplotlib.rcParams.copy()
    draw_learning_curves(HISTORY, title="")
    draw_confusion_matrix(np.eye(2, dtype=int), class_names=["a", "b"], title="")
    assert dict(matplotlib.rcParams) == dict(before)
