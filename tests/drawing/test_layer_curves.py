"""Gradient flow and update ratios."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.drawing.reading import curves, drawn, outside, says, texts
from tests.narrowing import not_none

from micrograde.drawing import draw_gradient_flow, draw_update_ratios


def flow(*layers, **others):
    return {
        **{f"gradient_norm/layer{number}.weights": values for number, values in enumerate(layers, 1)},
        **others,
    }


def ratios(*layers):
    return {f"update_ratio/layer{number}": values for number, values in enumerate(layers, 1)}


@pytest.mark.parametrize(
    ("history", "point"),
    [
        (flow([1, 0.25], [9, 9], [9, 0.8]), "layer 1's gradients are 3.2 times smaller than layer 3's in the last epoch"),
        (flow([1, 1e4], [9, 1]), "layer 1's gradients are 1.0e4 times larger than layer 2's in the last epoch"),
        (flow([1, 1.05], [9, 1]), "layer 1's gradients are as large as layer 2's in the last epoch"),
        (flow([1, 0], [9, 1]), "layer 1's gradients are zero in the last epoch"),
        (flow([1, 2, np.nan], [4, 4, np.inf]), "2 times smaller than layer 2's in epoch 2, the last with finite gradients"),
        (flow([np.nan], [np.inf]), "no gradient was finite"),
        (flow([0.5, 0.125]), "the gradient's norm is 0.125 in the last epoch"),
        ({"train/loss": [1.0]}, "no gradients were recorded"),
    ],
)  # fmt: skip
def test_the_flow_says_how_the_first_layer_compares_with_the_last(history, point):
    assert says(draw_gradient_flow(history, title="a run"), point)


def test_there_is_a_line_for_each_layers_weights_on_a_logarithmic_axis():
    others = {"gradient_norm/total": [9, 9, 9], "gradient_norm/layer1.biases": [1, 1, 1]}
    norms = [[1e-3, 1e-2, 1e-1], [1, 1e-1, 1e-3]]
    picture = draw_gradient_flow(flow(*norms, **others), title="a run")
    found = curves(picture)
    assert list(found) == ["layer 1", "layer 2"]
    heights = np.concatenate([found[name][0][:, 1] for name in found])
    slope, offset = np.polyfit(np.log10(np.concatenate(norms)), heights, 1)
    assert slope < 0
    np.testing.assert_allclose(slope * np.log10(np.concatenate(norms)) + offset, heights, atol=0.1)
    assert {"a run", "epoch", "norm of the gradient of the weights", "10⁻³", "0.1"} <= set(texts(picture))


def test_layers_are_ordered_by_number_not_by_name():
    picture = draw_gradient_flow(flow(*([float(number)] * 2 for number in range(1, 13))), title="deep")
    assert list(curves(picture)) == [f"layer {number}" for number in range(1, 13)]
    assert [text for text in texts(picture) if text.startswith("layer ")] == [
        "layer 1's gradients are 12 times smaller than layer 12's in the last epoch",
        *(f"layer {number}" for number in range(12, 0, -1)),
    ]


def test_update_ratios_are_told_as_shares_beside_the_line_at_a_thousandth():
    picture = draw_update_ratios(ratios([-2.0, -3.3979], [-1.0, -2.6383]), title="a run")
    said = "the last step changes the weights by 4.0e-4 (layer 1) to 0.0023 (layer 2) of their size; 1e-3 is usual"
    assert says(picture, said)
    assert "1e-3" in texts(picture)
    (line,) = [path for path in drawn(picture, "path") if path.get("stroke-dasharray")]
    (_, y), (_, also) = (map(float, point.split()) for point in not_none(line.get("d"))[1:].split("L"))
    heights = [points[0][:, 1] for points in curves(picture).values()]
    slope, offset = np.polyfit([-2.0, -3.3979, -1.0, -2.6383], np.concatenate(heights), 1)
    assert y == also == pytest.approx(slope * -3 + offset, abs=0.2)


def test_update_ratios_without_a_number():
    assert says(draw_update_ratios(ratios([np.nan, -np.inf]), title=""), "no step changed the weights")
    assert says(draw_update_ratios({}, title=""), "no step changed the weights")
    assert says(draw_update_ratios(ratios([-2.0, np.nan]), title=""), "layer 1's weights by 0.01")
    assert says(
        draw_update_ratios(ratios([-320.0], [250.5]), title=""), "1.0e-320 (layer 1) to 3.2e250 (layer 2)"
    )


@given(
    st.lists(st.lists(st.floats(), max_size=4), max_size=14),
    st.text(max_size=200),
    st.sampled_from([flow, ratios]),
)
@example([[1.1754943508222875e-38, 1.175503319132462e-38]], "", flow)  # whose ticks have many digits
@settings(max_examples=60)
def test_any_numbers_and_titles_stay_within_the_picture(layers, title, history):
    draw = draw_gradient_flow if history is flow else draw_update_ratios
    values = np.abs if history is flow else np.asarray  # a norm is not negative
    picture = draw(history(*map(values, layers)), title=title)
    assert outside(picture) == []
    for pieces in curves(picture).values():
        for points in pieces:
            assert ((points >= 0) & (points <= 760)).all()


def test_a_long_curve_keeps_its_peaks_and_its_file_small():
    values = np.ones(10_000)
    values[[1234, 7777]] = 1e3, 1e-3
    picture = draw_gradient_flow(flow(values, values), title="long")
    heights = curves(picture)["layer 1"][0][:, 1]
    assert len(heights) < 3000
    assert heights.max() - heights.min() == pytest.approx(280 / 1.1, abs=1)
