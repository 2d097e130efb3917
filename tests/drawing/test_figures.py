import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.drawing.reading import curves, drawn, outside, texts
from tests.drawing.scored import scored_run
from tests.narrowing import not_none

from micrograde.drawing import draw_confusion_matrix, draw_learning_curves
from micrograde.drawing.panel import padded_range, round_ticks
from micrograde.drawing.run.confusion import ConfusionMatrix
from micrograde.drawing.text import text_width

HISTORY = {
    "train/loss": [1.0, 0.5, 0.25],
    "val/loss": [0.9, 0.4, 0.6],
    "train/accuracy": [0.3, 0.8, 0.9],
    "val/accuracy": [0.4, 0.95, 0.85],
}


def test_curves_show_both_parts_and_say_where_the_best_epoch_is():
    picture = draw_learning_curves(HISTORY, title="a run")
    said = texts(picture)
    assert {"a run", "● training", "● validation"} <= set(said)
    assert "lowest validation loss 0.4, epoch 2" in said
    assert "highest validation accuracy 0.95, epoch 2" in said
    found = curves(picture)
    assert set(found) == {"training loss", "validation loss", "training accuracy", "validation accuracy"}
    for metric in ("loss", "accuracy"):
        points = {part: np.array(found[f"{part} {metric}"][0]) for part in ("training", "validation")}
        values = np.array([*HISTORY[f"train/{metric}"], *HISTORY[f"val/{metric}"]])
        heights = np.concatenate([points["training"][:, 1], points["validation"][:, 1]])
        # Both parts are drawn to one scale, upwards: a straight line takes every value to its height.
        slope, offset = np.polyfit(values, heights, 1)
        assert slope < 0
        np.testing.assert_allclose(slope * values + offset, heights, atol=0.1)
        steps = np.diff(points["training"][:, 0])
        np.testing.assert_allclose(steps, steps[0], atol=0.11)


def test_curves_of_a_single_epoch_and_of_a_diverged_run():
    one = draw_learning_curves({"train/loss": [0.5], "train/accuracy": [0.5]}, title="one")
    assert "lowest training loss 0.5, epoch 1" in texts(one)
    assert len(drawn(one, "circle")) == 4  # in each panel the point, and the best's mark on it
    diverged = draw_learning_curves(
        {"train/loss": [np.inf, np.nan, np.inf], "train/accuracy": [0.1, 0.1, 0.2]}, title="d"
    )
    assert "no finite loss" in texts(diverged)
    gap = draw_learning_curves({"train/loss": [1, 2, np.nan, 3, 4], "train/accuracy": [0.1]}, title="g")
    assert [len(piece) for piece in curves(gap)["training loss"]] == [2, 2]


@given(st.lists(st.floats(), min_size=1, max_size=6), st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(max_examples=50)
def test_curves_of_any_numbers_stay_within_the_picture(losses, accuracies):
    picture = draw_learning_curves({"train/loss": losses, "val/accuracy": accuracies}, title="any")
    found = curves(picture)
    assert "validation accuracy" in found
    for pieces in found.values():
        for x, y in (point for piece in pieces for point in piece):
            assert 0 <= x <= 960
            assert 0 <= y <= 390


@given(st.floats(-1e300, 1e300), st.floats(0, 1e300), st.booleans())
@settings(max_examples=200)
def test_ticks_are_round_few_and_within_the_range(low, width, whole):
    low, high = padded_range([low, low + width])
    ticks = round_ticks(low, high, whole=whole)
    assert len(ticks) <= 7
    room = 1e-6 * (high - low) + 2 * np.spacing(max(abs(low), abs(high)))
    assert all(low - room <= value <= high + room for value, _ in ticks)
    if not whole:
        assert len(ticks) >= 2


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
@example(2251799813685243.0, 2251799813685244.0)  # whose floats are a quarter apart
@example(1.7976931348623147e308, 1.7976931348623151e308)
@settings(max_examples=200)
def test_any_range_has_a_tick_and_no_two_read_alike(low, high):
    low, high = sorted([low, high])
    ticks = round_ticks(low, high)
    assert 1 <= len(ticks) <= 7
    assert len({text for _, text in ticks}) == len(ticks)
    assert np.isfinite([value for value, _ in ticks]).all()


def test_ticks_of_large_numbers_close_to_each_other_are_told_apart():
    texts = [text for _, text in round_ticks(1e16, 1e16 + 8)]
    assert texts == [
        "1e16",
        "1.0000000000000002e16",
        "1.0000000000000004e16",
        "1.0000000000000006e16",
        "1.0000000000000008e16",
    ]
    assert round_ticks(1e16, 1e16) == [(1e16, "1e16")]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.998045, 0.998109, ["0.99806", "0.99808", "0.9981"]),
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.98, 50.9, ["10", "20", "30", "40", "50"]),
    ],
)
def test_ticks_read_well(low, high, expected):
    assert [text for _, text in round_ticks(low, high)] == expected


@given(st.integers(2, 25), st.integers(0, 99))
@settings(max_examples=8)
def test_every_count_stands_in_its_cell_and_the_worst_mistake_in_the_title(classes, seed):
    counts = np.random.default_rng(seed).integers(1, 99, (classes, classes))
    counts[1, 0] = 1000
    names = [f"class {number}" for number in range(classes)]
    picture = draw_confusion_matrix(counts, class_names=names, title="run")
    numbers = [each for each in drawn(picture, "text") if re.fullmatch(r"\d+", each.text or "")]
    rows = sorted({float(each.attrib["y"]) for each in numbers})
    columns = sorted({float(each.attrib["x"]) for each in numbers})
    cells = {
        (rows.index(float(each.attrib["y"])), columns.index(float(each.attrib["x"]))): each.text
        for each in numbers
    }
    expected = {(r, c): str(counts[r, c]) for r in range(classes) for c in range(classes)}
    assert cells == (expected if classes <= 20 else {})
    right, total = np.trace(counts), counts.sum()
    assert f"{right} of {total} right; most often class 1 taken for class 0 (1000)" in texts(picture)
    assert "run" in texts(picture)


def test_below_each_count_is_its_share_of_the_true_class():
    counts = np.array([[12, 1, 0], [0, 7, 0], [1, 1, 1999]])
    picture = draw_confusion_matrix(counts, class_names="abc", title="run", of_no_class=2, part="test")
    shares = [each.text for each in drawn(picture, "text") if each.get("font-size") == "10"]
    assert shares == ["0.92", "0.08", "1.00", "<0.01", "<0.01", ">0.99"]
    assert "test part: 2018 of 2023 right, 2 of no class; most often a taken for b (1)" in texts(picture)
    assert "below each count: its share of the true class" in texts(picture)
    many = draw_confusion_matrix(np.eye(21, dtype=int), class_names=[*map(str, range(21))], title="run")
    assert set(texts(many)) == {"run", "21 of 21 right", "true", "predicted"}


@pytest.mark.parametrize("classes", [2, 20])
def test_counts_and_shares_do_not_touch(classes):
    counts = np.full((classes, classes), 10_000_000)
    counts[0, 0] = 1
    picture = draw_confusion_matrix(counts, class_names=["漢字" * 20] * classes, title="run")
    assert outside(picture) == []
    cells = [each for each in drawn(picture, "rect") if each.get("width") == each.get("height")][1:]
    numbers = [each for each in drawn(picture, "text") if re.fullmatch(r"\d+|[<>]?0\.\d\d", each.text or "")]
    side = float(cells[0].attrib["width"])
    assert len(cells) == classes**2
    assert len(numbers) == 2 * classes**2
    assert max(text_width(each.text or "", float(each.attrib["font-size"])) for each in numbers) < side
    heights = sorted({float(each.attrib["y"]) for each in numbers})
    assert min(np.diff(heights)) >= 12


def test_without_a_test_part_the_confusion_is_of_the_validation_part():
    logits = np.array([[1, 0], [1, 0], [0, 1], [np.nan, 0]])
    run = scored_run({"val": (logits, np.array([0, 1, 1, 1]))}, ["no", "yes"])
    picture = not_none(ConfusionMatrix().draw(run))
    assert "validation part: 2 of 4 right, 1 of no class; most often yes taken for no (1)" in texts(picture)
    assert (
        ConfusionMatrix().draw(scored_run({"train": (logits, np.array([0, 1, 1, 1]))}, ["no", "yes"])) is None
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"counts \(2, 3\) and 2 class names do not fit"):
        draw_confusion_matrix(np.zeros((2, 3), int), class_names=["a", "b"], title="")


@given(st.text(max_size=20))
def test_any_name_makes_a_file_that_is_xml(name):
    picture = draw_confusion_matrix(np.eye(2, dtype=int), class_names=[name, "<b>&"], title=name)
    assert "<b>&" in texts(picture)


def test_files_are_small_and_the_same_each_time(tmp_path):
    for name in ("a.svg", "b.svg"):
        draw_learning_curves(HISTORY, title="a run").save(tmp_path / name)
    content = (tmp_path / "a.svg").read_bytes()
    assert len(content) < 10_000
    assert content == (tmp_path / "b.svg").read_bytes()
    assert draw_learning_curves(HISTORY, title="a run")._repr_svg_().encode() == content
