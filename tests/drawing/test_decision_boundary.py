import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from tests.drawing.reading import drawn, images, outside, says, texts
from tests.narrowing import not_none

from micrograde.drawing import ClassRegions, animate_decision_boundary, draw_decision_boundary
from micrograde.drawing.palettes import NOT_FINITE, class_colours

GRID = 21


def halves(classes=2, sure=1.0):
    """Left of zero the first class, right of it the second; (G, G, C)."""
    found = np.full((GRID, GRID, classes), (1 - sure) / (classes - 1))
    found[:, : GRID // 2, 0] = found[:, GRID // 2 :, 1] = sure
    return found


def arguments(epochs=1, classes=2, probabilities=None, **changes):
    random = np.random.default_rng(0)
    return {
        "epochs": list(range(epochs)),
        "probabilities": np.stack([halves(classes) if probabilities is None else probabilities] * epochs),
        "accuracies": np.linspace(0.5, 0.9, epochs),
        "points": random.uniform(-1, 1, (30, 2)),
        "labels": random.integers(0, classes, 30),
        "x_range": (-1.0, 1.0),
        "y_range": (-1.0, 1.0),
        "title": "a run",
        **changes,
    }


def draw(class_names=None, **changes):
    given = arguments(**changes)
    names = class_names or [f"class {number}" for number in range(given["probabilities"].shape[-1])]
    return drawn_boundary(given, names)


def drawn_boundary(given, names):
    title = given.pop("title")
    regions = ClassRegions(**given)
    return draw_decision_boundary(regions, class_names=names, feature_names=("x1", "x2"), title=title)


def animated(given):
    return animate_decision_boundary(
        ClassRegions(**{name: each for name, each in given.items() if name != "title"}), title=given["title"]
    )


def frames(gif, folder):
    gif.save(folder / "a.gif")
    with Image.open(folder / "a.gif") as image:
        return image.info, [
            (np.asarray(each.convert("RGB")), each.info["duration"]) for each in ImageSequence.Iterator(image)
        ]


def test_a_region_has_the_colour_of_its_class_and_is_paler_where_the_network_is_less_sure():
    blue, orange = class_colours(2).astype(float)
    pixels = {sure: images(draw(probabilities=halves(sure=sure))) for sure in (0.6, 0.8, 1.0)}
    strength = []
    for found in pixels.values():
        (region,) = found.values()
        left, right = 255.0 - region[100, 20], 255.0 - region[100, -20]
        np.testing.assert_allclose(left / left.max(), (255 - blue) / (255 - blue).max(), atol=0.05)
        np.testing.assert_allclose(right / right.max(), (255 - orange) / (255 - orange).max(), atol=0.05)
        strength.append(left.max())
    assert strength == sorted(strength)
    assert strength[0] < 0.4 * strength[2]


def test_the_first_row_of_the_grid_is_at_the_bottom():
    lower = halves()
    lower[: GRID // 2] = [1, 0]
    lower[GRID // 2 :] = [0, 1]
    (region,) = images(draw(probabilities=lower)).values()
    blue, orange = class_colours(2)
    assert np.argmin(region[-20, 100]) == np.argmin(blue)
    assert np.argmin(region[20, 100]) == np.argmin(orange)


def test_panels_tell_epoch_and_accuracy_and_the_heading_the_last_and_the_best():
    picture = draw(epochs=3, accuracies=[0.5, 0.975, 0.9])
    assert {"before training: 50.0% right", "epoch 1: 97.5% right", "epoch 2: 90.0% right"} <= set(
        texts(picture)
    )
    assert says(
        picture,
        "after epoch 2, 90.0% of the training points are in the region of their class; "
        "the most was 97.5%, at epoch 1",
    )
    assert {"class 0", "class 1", "x1", "x2", "a run"} <= set(texts(picture))


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=40, unique=True))
def test_of_many_epochs_six_are_shown_in_order_with_the_first_and_the_last(epochs):
    epochs = [0, *sorted(epochs)]
    changes = arguments(epochs=len(epochs), probabilities=np.full((2, 2, 2), 0.5)) | {"epochs": epochs}
    picture = drawn_boundary(changes, ["a", "b"])
    found = [label.removeprefix("class regions, ") for label in images(picture)]
    shown = [0 if name == "before training" else int(name.removeprefix("epoch ")) for name in found]
    assert len(shown) == min(len(epochs), 6)
    assert shown == sorted(set(shown) & set(epochs))
    assert (shown[0], shown[-1]) == (epochs[0], epochs[-1])


def test_where_a_network_gives_no_number_the_plane_is_grey():
    probabilities = halves()
    probabilities[:, :5] = np.nan
    (region,) = images(draw(probabilities=probabilities)).values()
    assert region[100, 10].tolist() == [int(NOT_FINITE[1:3], 16)] * 3


def test_an_animation_has_a_frame_an_epoch_rests_on_the_last_and_begins_anew(tmp_path):
    turning = np.stack([halves(), halves()[:, ::-1], halves()])
    gif = animated(arguments(epochs=3, probabilities=None) | {"probabilities": turning})
    info, found = frames(gif, tmp_path)
    assert info["loop"] == 0  # for ever
    assert len(found) == 3
    assert found[-1][1] > 5 * found[0][1] == 5 * found[1][1]
    (first, _), (second, _), (third, _) = found
    assert first.shape == (360, 320, 3)
    assert np.argmin(first[200, 5]) == np.argmin(third[200, 5]) != np.argmin(second[200, 5])
    # The epochs, above, differ in each.
    assert len({frame[:40].tobytes() for frame, _ in found}) == 3
    assert gif._repr_mimebundle_() == {"image/gif": (tmp_path / "a.gif").read_bytes()}


def test_an_animation_has_thirty_frames_at_most_and_shows_the_points(tmp_path):
    changes = arguments(epochs=50, points=np.array([[0.5, -0.5], [7.0, 0.0]]), labels=np.array([1, 0]))
    _, found = frames(animated(changes), tmp_path)
    assert len(found) == 30
    pixels = found[0][0]
    orange, blue = class_colours(2)[1], class_colours(2)[0]
    assert pixels[40 + 239, 239].tolist() == orange.tolist()
    assert not (pixels == blue).all(axis=-1).any()  # that point is outside
    assert animated(changes).content == animated(changes).content


@given(st.integers(2, 40), st.text(max_size=200), st.integers(1, 7))
@settings(max_examples=20)
def test_any_names_and_any_number_of_classes_and_epochs_fit(classes, name, epochs):
    probabilities = np.random.default_rng(classes).dirichlet([1] * classes, (GRID, GRID))
    changes = {"epochs": epochs, "classes": classes, "probabilities": probabilities, "title": name}
    picture = draw(class_names=[name] * classes, **changes)
    assert outside(picture) == []
    assert not_none(drawn(picture, "title")[0].text).startswith("decision boundary: ")
    gif = animated(arguments(**changes))
    assert gif.content.startswith(b"GIF89a")


@pytest.mark.parametrize("labels", [[0, 7], [6, 13]])
def test_where_colours_come_again_the_points_are_squares(labels):
    picture = draw(classes=14, probabilities=np.full((3, 3, 14), 1 / 14), labels=np.repeat(labels, 15))
    ends = {path.get("stroke-linecap") for path in drawn(picture, "path") if path.get("stroke-width") == "4"}
    assert ends == {"round", "square"}
