import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.drawing.reading import images, outside, says, texts

from micrograde.drawing import draw_histograms


def darkness(pixels):
    return 255.0 * 3 - pixels.astype(float).sum(axis=-1)


def test_the_values_of_each_epoch_stand_in_its_column_with_large_ones_on_top():
    epochs, levels = [0, 1, 2, 6], np.array([-1.0, 0.5, 2.0, 3.0])
    values = np.repeat(levels[:, None], 10, axis=1)
    picture = draw_histograms(epochs, {"activation1": values}, {}, title="a run")
    dark = darkness(images(picture)["activation1 over the epochs"])
    rows = dark.argmax(axis=0)
    assert (dark[rows, np.arange(dark.shape[1])] == dark.max()).all()
    shares = np.array([np.mean(rows == row) for row in dict.fromkeys(rows.tolist())])
    # From -0.5 to 8: half-way to the next epoch each column belongs to the epoch before.
    np.testing.assert_allclose(shares, np.array([1, 1, 2.5, 4]) / 8.5, atol=0.01)
    heights = [len(dark) - 1 - row for row in dict.fromkeys(rows.tolist())]
    slope, offset = np.polyfit(levels, heights, 1)
    assert slope > 0
    np.testing.assert_allclose(slope * levels + offset, heights, atol=0.6)


def test_gradients_are_shown_by_their_size_and_their_zeros_in_words():
    gradients = {
        "layer1": np.array([[1e-4, -1e-4, 1e-4, 0.0]]),
        "layer2": np.array([[1e-2, -1e-2, 1e-2, 1e-2]]),
    }
    activations = {"activation1": np.array([[0.0, 0.0, 1.0, 3.0]])}
    picture = draw_histograms([7], activations, gradients, title="a run")
    assert says(
        picture,
        "after epoch 7 a typical gradient is 1.0e-4 in layer1 and 0.01 in layer2; "
        "50% of the values of activation1 are zero",
    )
    assert "at the end typically 1.0e-4, 25% zero" in texts(picture)
    assert "at the end 1 ± 1.2, 50% zero" in texts(picture)
    first, second = (images(picture)[f"{name} over the epochs"] for name in gradients)
    # One scale for both layers: the smaller gradients stand lower.
    assert darkness(first)[:, 0].argmax() > darkness(second)[:, 0].argmax()


def test_what_is_only_rounding_counts_as_zero():
    gradient = np.array([[0.1, 1e-19, -0.2, 3e-19]])
    picture = draw_histograms([1], {}, {"layer1": gradient}, title="")
    assert "at the end typically 0.14, 50% zero" in texts(picture)
    single = draw_histograms([1], {}, {"layer1": np.array([[0.1, 1e-9]], np.float32)}, title="")
    assert "at the end typically 0.1, 50% zero" in texts(single)


def test_more_layers_than_fit_a_row_are_all_there():
    activations = {f"activation{number}": np.ones((2, 3)) * number for number in range(1, 13)}
    gradients = {f"layer{number}": np.ones((2, 3)) * number for number in range(1, 14)}
    picture = draw_histograms([0, 1], activations, gradients, title="deep")
    assert set(images(picture)) >= {f"{name} over the epochs" for name in [*activations, *gradients]}
    assert outside(picture) == []


def test_rows_that_are_no_epochs_are_refused():
    with pytest.raises(ValueError, match="layer1: has 2 rows for 3 epochs"):
        draw_histograms([0, 1, 2], {}, {"layer1": np.ones((2, 5))}, title="")


@given(
    st.integers(1, 3).flatmap(
        lambda rows: st.tuples(
            arrays(np.float64, (rows, 4), elements=st.floats()),
            arrays(np.float32, (rows, 3), elements=st.floats(width=32)),
        )
    ),
    st.text(max_size=150),
)
@settings(max_examples=50)
def test_any_numbers_and_names_make_a_picture(values, text):
    epochs = list(range(len(values[0])))
    picture = draw_histograms(epochs, {text: values[0]}, {text: values[1]}, title=text)
    assert outside(picture) == []
