import xml.etree.ElementTree as ET

from micrograde.drawing.sweep.importance import Bar, draw_shares

BARS = [
    Bar("optimizer.learning_rate", 0.71, "key"),
    Bar("seed", 0.19, "repeat"),
    Bar("optimizer.learning_rate × model.hidden_size", 0.002, "pair"),
    Bar("the rest", 0.098, "rest"),
]


def texts(svg):
    return [each.text for each in ET.fromstring(svg.text).iter() if each.text and each.tag.endswith("text")]


def test_each_share_is_a_bar_with_its_name_and_number():
    shown = texts(draw_shares(BARS, metric="kept/val/accuracy", runs=30, fitted_forest=False))
    for name, number in (
        ("optimizer.learning_rate", "71 %"), ("seed", "19 %"),
        ("optimizer.learning_rate × model.hidden_size", "< 1 %"), ("the rest", "10 %"),
    ):  # fmt: skip
        assert shown.index(number) == shown.index(name) + 1
    assert "optimizer.learning_rate has 71 % of the variance of 30 runs; exact on the full grid" in shown


def test_of_many_shares_the_greatest_are_drawn_and_the_rest_always():
    many = [Bar(f"model.key{number}", 0.05, "key") for number in range(20)]
    shown = texts(
        draw_shares([*many, Bar("the rest", 0.0, "rest")], metric="m/x", runs=99, fitted_forest=True)
    )
    assert "the rest" in shown
    assert sum(text.startswith("model.key") for text in shown if " has " not in text) == 11
    said = " ".join(shown)
    assert "by a fitted forest" in said
    assert "9 smaller shares are not drawn" in said


def test_equal_values_and_hostile_names_are_drawn():
    svg = draw_shares(
        [Bar("<b>&", 0.0, "key"), Bar("the rest", 0.0, "rest")], metric="m/x", runs=4, fitted_forest=False
    )
    assert "nothing: all 4 runs have the same value" in texts(svg)
    assert "<b>&" in texts(svg)
