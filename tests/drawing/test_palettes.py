import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.drawing.palettes import (
    CLASSES,
    DIVERGING,
    NOT_FINITE,
    ORDERED,
    SEQUENTIAL,
    class_colours,
    shade,
)


def lightness(colours):
    """The luminance that a grey copy of a picture shows (Rec. 709, linear light)."""
    share = np.asarray(colours, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(("palette", "sign"), [(SEQUENTIAL, -1), (ORDERED, 1)])
def test_more_is_always_darker_or_always_brighter(palette, sign):
    assert (sign * np.diff(lightness(shade(palette, np.linspace(0, 1, 65)))) > 0).all()


def test_the_diverging_palette_is_palest_at_zero_and_as_dark_on_either_side():
    light = lightness(shade(DIVERGING, np.linspace(0, 1, 101)))
    assert light.argmax() == 50
    assert (np.diff(light[:51]) > 0).all()
    assert (np.diff(light[50:]) < 0).all()
    np.testing.assert_allclose(light, light[::-1], atol=0.12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_the_ends_are_the_palettes_and_what_is_no_number_is_grey(shares):
    found = shade(SEQUENTIAL, [0, 1, np.nan, np.inf, *shares])
    assert found[0].tolist() == [255, 255, 255]
    assert found[1].tolist() == [0x08, 0x30, 0x6B]
    assert found[2].tolist() == found[3].tolist() == [int(NOT_FINITE[1:3], 16)] * 3
    assert (found[4:] <= 255).all()


def test_classes_have_colours_of_their_own_as_long_as_there_are_any():
    colours = class_colours(9).tolist()
    assert len({tuple(each) for each in colours}) == len(CLASSES)
    assert colours[7] == colours[0]
