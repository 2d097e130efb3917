import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from tests.drawing.reading import images, outside, says, texts

from micrograde.drawing import draw_weight_images
from micrograde.drawing.palettes import DIVERGING, NOT_FINITE, shade


def test_each_unit_has_its_image_on_one_scale_centred_on_zero():
    weights = np.zeros((2, 2, 3))
    weights[0] = [[4, 0, -4], [2, -2, 0]]
    weights[1] = [[1, 0, 0], [0, 0, 0]]
    picture = draw_weight_images(weights, title="a run")
    found = images(picture)
    for unit in (0, 1):
        expected = shade(DIVERGING, 0.5 + weights[unit] / 8)
        np.testing.assert_array_equal(found[f"unit {unit + 1}"], expected)
    assert {"−4", "0", "4", "weight", "a run"} <= set(texts(picture))


def test_the_largest_come_first_and_of_many_only_those():
    norms = np.random.default_rng(0).permutation(100) + 1.0
    picture = draw_weight_images(norms[:, None, None] * np.full((1, 1, 1), 1.0), title="")
    units = [label for label in images(picture) if label.startswith("unit ")]
    assert units == [f"unit {unit + 1}" for unit in np.argsort(-norms)[:64]]
    first, last = int(np.argmax(norms)) + 1, int(np.argsort(-norms)[63]) + 1
    point = (
        f"the 64 largest of 100 hidden units, by their norm: from 100 (unit {first}) down to 37 (unit {last})"
    )
    assert says(picture, point)
    few = draw_weight_images(norms[:64, None, None], title="")
    assert says(few, "all 64 hidden units")
    assert says(draw_weight_images(norms[:1, None, None], title=""), f"their norm is {norms[0]:.3g}")


def test_what_is_not_finite_is_grey_and_does_not_spoil_the_scale():
    weights = np.array([[[1.0, np.nan]], [[-2.0, np.inf]]])
    found = images(draw_weight_images(weights, title="diverged"))
    grey = [int(NOT_FINITE[1:3], 16)] * 3
    assert found["unit 1"][0, 1].tolist() == found["unit 2"][0, 1].tolist() == grey
    np.testing.assert_array_equal(found["unit 2"][0, 0], shade(DIVERGING, [0.0])[0])


@given(
    arrays(
        np.float64, array_shapes(min_dims=3, max_dims=3, max_side=70), elements=st.floats(), fill=st.just(0.5)
    ),
    st.text(max_size=150),
)
@settings(max_examples=30)
def test_any_weights_and_titles_make_a_picture(weights, title):
    picture = draw_weight_images(weights, title=title)
    assert outside(picture) == []
    assert len(images(picture)) == min(len(weights), 64) + 1
