import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawing.reading import curves, drawn, outside, says, texts
from tests.drawing.scored import random_logits, scored_run

from micrograde.drawing.run.calibration import Calibration
from micrograde.drawing.run.scored_rows import share_text


def drawn_for(confidence, right, **parts):
    """The picture of rows of three classes whose predicted class, the first, has this probability."""
    first = np.asarray(confidence, float)
    rest = (1 - first) / 2
    with np.errstate(divide="ignore"):
        logits = np.log(np.stack([first, rest, rest], axis=1)).clip(-1e4)
    labels = np.where(right, 0, 1)
    return Calibration().draw(scored_run({"val": (logits, labels), **parts}, "abc"))


def test_a_confidence_of_one_is_in_the_last_bin_and_one_at_an_edge_in_the_bin_below():
    assert says(drawn_for([0.95, 1, 1, 0.97], [1, 0, 1, 1]), "expected calibration error 0.23")
    logits = np.array([[0, 0, 0], [np.log(0.36 / 0.32), 0, 0]])  # 1/3, an edge, and 0.36
    picture = Calibration().draw(scored_run({"val": (logits, np.array([0, 1]))}, "abc"))
    assert says(picture, "expected calibration error 0.51")  # (2/3 + 0.36) / 2; in one bin it would be 0.15


def test_a_network_that_is_too_sure_is_said_to_be_and_where_most():
    picture = drawn_for([0.9] * 100 + [0.7] * 20, [1] * 74 + [0] * 26 + [1] * 14 + [0] * 6)
    assert says(
        picture,
        "validation part, 120 rows: probabilities are too sure: they say 0.87 on average, and 0.73 are right, "
        "above all where they say 0.90 and 0.74 are right; expected calibration error 0.13",
    )
    assert {"100", "20", "rows"} <= set(texts(picture))
    (points,) = curves(picture)["share that is right"]
    width, height, left, bottom = 620, 340 / 1.02, 76, points[:, 1].max() + 0.7 * 340 / 1.02
    np.testing.assert_allclose((points[:, 0] - left) / width, [0.7, 0.9], atol=1e-3)
    np.testing.assert_allclose((bottom - points[:, 1]) / height, [0.7, 0.74], atol=1e-3)
    assert len(drawn(picture, "circle")) == 2


def test_a_network_that_is_not_sure_enough_and_one_that_chance_explains():
    assert says(
        drawn_for([0.6] * 100, [1] * 90 + [0] * 10),
        "not sure enough: they say 0.60 on average, and 0.90 are right; exp",
    )
    by_chance = drawn_for([0.9] * 100, [1] * 86 + [0] * 14)
    assert says(
        by_chance, "probabilities say 0.90 on average, and 0.86 are right, a difference that chance can make"
    )
    equal = drawn_for([0.75] * 4, [1, 1, 1, 0])
    assert says(equal, "probabilities say 0.75 on average, and 0.75 are right; expected calibration error 0")
    assert says(
        drawn_for([0.9] * 3, [1] * 3), "0.90 on average, and all are right, a difference that chance can"
    )
    one = drawn_for([1.0], [0])
    assert says(
        one,
        "1 row: probabilities are too sure: they say 1 on average, and none is right; expected calibration error 1",
    )


@given(st.integers(2, 30), st.integers(1, 60), st.integers(0, 99), st.sampled_from([0.0, 1.0, 1e3, 1e300]))
@settings(max_examples=15, deadline=None)
def test_any_logits_make_a_picture_whose_counts_are_all_rows(classes, rows, seed, size):
    labels = np.random.default_rng(seed).integers(0, classes, rows)
    logits = random_logits(labels, classes, seed=seed).astype(np.float64) * size
    logits[0] = np.nan if rows > 1 else logits[0]
    picture = Calibration().draw(scored_run({"test": (logits, labels)}, [f"漢<{n}>" for n in range(classes)]))
    assert outside(picture) == []
    counts = [each.text or "" for each in drawn(picture, "text") if each.get("font-size") == "10"]
    counts.remove("rows")
    assert sum(map(int, counts)) == max(rows - 1, 1)


def test_there_is_no_picture_of_rows_that_have_no_class():
    assert drawn_for([np.nan] * 3, [1] * 3) is None


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0"),
        (1, "1"),
        (0.5, "0.50"),
        (0.9996, "0.9996"),
        (0.004, "0.004"),
        (1e-17, "0"),
        (1 - 1e-16, "1"),
        (0.996, "0.996"),
    ],
)
def test_a_share_reads_one_only_if_it_is(share, text):
    assert share_text(share) == text
