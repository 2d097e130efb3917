import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawing.reading import images, outside, says, texts
from tests.drawing.scored import random_logits, scored_run

from micrograde.drawing.run.greatest_losses import GreatestLosses
from micrograde.drawing.run.scored_rows import share_text

COLUMNS = ["row", "part", "true class", "predicted", "probability", "loss"]


def table(picture):
    """The rows of the table, as texts."""
    said = texts(picture)
    start = said.index("row")
    assert said[start : start + 6] == COLUMNS
    cells = said[start + 6 :]
    return [cells[place : place + 6] for place in range(0, len(cells), 6)]


@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_rows_with_the_greatest_losses_of_all_parts_are_listed(classes, rows, seed):
    random = np.random.default_rng(seed)
    parts = {}
    for place, part in enumerate(("val", "test", "train")):
        labels = random.integers(0, classes, rows)
        parts[part] = random_logits(labels, classes, seed=seed + 100 * place, decimals=3), labels
    picture = GreatestLosses().draw(scored_run(parts, "abcde"[:classes]))
    expected = []
    for place, (part, word) in enumerate((("train", "training"), ("val", "validation"), ("test", "test"))):
        logits, labels = parts[part]
        shares = np.exp(logits.astype(float))
        shares /= shares.sum(axis=1, keepdims=True)
        number = 100 * list(parts).index(part) + 1
        for row, label in enumerate(labels):
            found, loss = shares[row].argmax(), -np.log(shares[row, label])
            cells = [str(number + row), word, "abcde"[label], "abcde"[found], share_text(shares[row, found])]
            expected.append((-loss, place, [*cells, f"{loss:.4g}"]))
    expected.sort(key=lambda each: each[0])
    assert table(picture) == [cells for _, _, cells in expected[:10]]
    assert outside(picture) == []
    wrong = sum(cells[2] != cells[3] for _, _, cells in expected[:10])
    assert says(picture, f"{wrong} predicted wrong")
    if 3 * rows > 10:
        losses = [-loss for loss, *_ in expected]
        assert says(
            picture, f"the 10 rows with the greatest loss, of {3 * rows} ({rows} training, {rows} valida"
        )
        assert says(picture, f": {share_text(sum(losses[:10]) / sum(losses))} of the sum of all losses;")
    else:
        assert says(picture, f"all {3 * rows} rows (")


def test_equal_losses_are_in_the_order_of_the_source_and_counted():
    labels = np.arange(30) % 3
    run = scored_run({"test": (np.zeros((30, 3)), labels)}, "abc")
    picture = GreatestLosses().draw(run)
    assert [row[0] for row in table(picture)] == [str(number) for number in range(1, 11)]
    assert says(
        picture,
        "of 30 (30 test): 0.33 of the sum of all losses; 6 predicted wrong; 20 more have the loss of the last",
    )


def test_rows_of_no_class_are_left_out_and_infinite_losses_come_first():
    logits = np.array([[3.0, 0], [np.nan, 1], [1e308, -1e308], [0, np.inf], [0, 1]])
    picture = GreatestLosses().draw(
        scored_run({"val": (logits, np.array([0, 1, 1, 1, 1]))}, ["<b>&", "漢字" * 30])
    )
    first, *others = table(picture)
    assert first[:2] == ["3", "validation"]
    assert first[3:] == ["<b>&", "1", "inf"]
    assert [row[0] for row in others] == ["5", "1"]
    assert says(picture, "all 3 rows (3 validation), by the loss; 1 predicted wrong; 2 of no class left out")
    assert outside(picture) == []
    lost = scored_run({"val": (np.full((2, 2), np.nan), np.array([0, 1]))}, "ab")
    assert GreatestLosses().draw(lost) is None


def test_of_images_the_images_stand_beside_in_their_own_units():
    pixels = np.arange(4 * 6, dtype=float).reshape(4, 6)  # of 2 by 3 pixels, as the network sees them
    labels = np.zeros(4, int)
    logits = np.array([[0, 4.0], [0, 1], [0, 3], [0, 2]])
    picture = GreatestLosses().draw(scored_run({"test": (logits, labels, pixels)}, "ab", image_shape=(2, 3)))
    found = images(picture)
    assert list(found) == ["row 1", "row 3", "row 4", "row 2"]
    shades = np.stack([found[f"row {number}"][..., 0] for number in (1, 2, 3, 4)])
    np.testing.assert_allclose(shades, np.linspace(255, 0x22, 24).reshape(4, 2, 3), atol=1)
    assert len(table(picture)) == 4


def test_huge_pixels_and_one_row_make_a_picture():
    pixels = np.array([[1e308, -1e308, np.nan, 5e-324]])
    run = scored_run({"train": (np.zeros((1, 2)), np.array([1]), pixels)}, "ab", image_shape=(1, 4))
    picture = GreatestLosses().draw(run)
    assert says(picture, "the only row (1 training), by the loss; 1 predicted wrong")
    assert images(picture)["row 1"].shape == (1, 4, 3)


def test_nothing_of_a_rows_cells_is_in_the_picture():
    cells = np.array([[123456.75, 987654.25], [123456.75, 987654.25]])
    run = scored_run({"test": (np.zeros((2, 2)), np.array([0, 1]), cells)}, ["no", "yes"])
    picture = GreatestLosses().draw(run)
    assert set(texts(picture)) == {
        "a run", "all 2 rows (2 test), by the loss; 1 predicted wrong", *COLUMNS, "1", "2", "test", "no", "yes",
        "0.50", "0.6931",
    }  # fmt: skip
