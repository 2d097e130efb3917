import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.drawing.reading import curves, images, outside, says, texts
from tests.drawing.test_palettes import lightness

from micrograde.drawing import draw_loss_surface
from micrograde.drawing.palettes import NOT_FINITE


def bowl(size=11):
    """A loss from 0.1 at the centre of [-1, 1]² upwards."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, size)] * 2)
    return 0.1 + x**2 + y**2


def draw(losses, *, path=((1, 1), (0.5, 0.5), (0, 0)), epochs=(0, 5, 10), title="a run", **changes):
    fields = {"explained": (0.75, 0.2), **changes}
    return draw_loss_surface(
        losses, (-1.0, 1.0), (-1.0, 1.0), np.array(path, float), list(epochs), title=title, **fields
    )


def test_the_heading_tells_the_range_and_what_the_plane_holds():
    picture = draw(bowl())
    assert says(
        picture, "the loss around the path goes from 0.1 to 2.1; this plane holds 95% of the path's variance"
    )
    assert {"start", "epoch 5", "end, epoch 10", "log loss", "a run"} <= set(texts(picture))
    assert {"along the first direction (75% of the path's variance)", "along the second (20%)"} <= set(
        texts(picture)
    )
    assert "loss" in texts(draw(bowl() + 10))  # not spread: no logarithm


def test_the_path_runs_from_its_start_to_its_end_across_the_panel():
    (points,) = curves(draw(bowl()))["the path of the training"]
    steps = np.diff(points, axis=0)
    np.testing.assert_allclose(steps[0], steps[1], atol=0.11)
    assert steps[0, 0] < 0 < steps[0, 1]  # to the left and downwards


def test_a_higher_loss_is_darker_and_the_first_row_is_at_the_bottom():
    slope = np.repeat(np.linspace(1, 2, 11)[:, None], 11, axis=1)
    light = lightness(images(draw(slope))["loss"])[:, 100]
    assert light[-1] > light[light.size // 2] > light[0]
    steps = light[np.r_[True, np.diff(light) != 0]]
    assert 14 <= len(steps) <= 3 * 14  # colours, and the lines between them


def test_what_is_not_finite_is_grey_and_leaves_the_rest_as_it_is():
    losses = bowl()
    losses[:4, :4] = np.inf
    found = images(draw(losses))["loss"]
    assert found[-5, 5].tolist() == [int(NOT_FINITE[1:3], 16)] * 3
    assert found[5, -5].tolist() == images(draw(bowl()))["loss"][5, -5].tolist()
    assert says(draw(np.full((5, 5), np.nan)), "no loss around the path is finite")


def test_epochs_that_would_overlap_are_not_written():
    path = np.linspace(0, 0.01, 50)[:, None] * [1, 1]
    said = [
        text
        for text in texts(draw(bowl(), path=path, epochs=range(50)))
        if "epoch" in text or text == "start"
    ]
    assert said == ["end, epoch 49"]


@given(
    arrays(np.float64, (5, 5), elements=st.floats()),
    arrays(np.float64, (4, 2), elements=st.floats(-1, 1)),
    st.text(max_size=150),
)
@settings(max_examples=50)
def test_any_losses_and_titles_make_a_picture(losses, path, title):
    picture = draw(losses, path=path, epochs=[0, 10, 2000, 30000], title=title)
    assert outside(picture) == []


@pytest.mark.parametrize("ranges", [((0.0, 1e-6), (0.0, 1e3)), ((-1e5, 1e5), (3.0, 3.1))])
def test_axes_of_very_different_length_fit(ranges):
    path = np.array(ranges).T
    x_range, y_range = ranges
    picture = draw_loss_surface(bowl(), x_range, y_range, path, [0, 1], explained=(1.0, 0.0), title="a run")
    assert outside(picture) == []
