"""The pictures of what columns do: what they say, and that they can be drawn of anything."""

from dataclasses import replace

import numpy as np
import pytest
from tests.security.test_hostile_names import HOSTILE, check_svg

from micrograde.diagnostics import Estimates, Importances, PartialDependence
from micrograde.diagnostics.partial_dependence import Values
from micrograde.drawing.run.importances import draw_importances
from micrograde.drawing.run.partial_dependence import draw_partial_dependence


def importances(drops, rises=None, **others):
    def estimates(values):
        return Estimates(*(np.array(each, float) for each in zip(*values, strict=True)))

    count = len(drops)
    names = others.pop("columns", tuple(f"c{number}" for number in range(count)))
    found = Importances(
        part="val",
        rows=90,
        of_rows=90,
        metric="accuracy",
        reached=0.95,
        loss=0.2,
        columns=names,
        features=tuple(slice(at, at + 1) for at in range(count)),
        cost=estimates(drops),
        loss_rise=estimates(rises or drops),
    )
    return replace(found, **others)


TOLD, UNTOLD, GAIN = (0.312, 0.3, 0.33), (0.01, -0.01, 0.03), (-0.02, -0.03, -0.01)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            importances([TOLD, UNTOLD, GAIN]),
            "shuffling 'c0' costs 0.31 of the accuracy, which is 0.9500 on 90 validation rows; "
            "2 columns cost nothing that can be told",
        ),
        (
            importances([TOLD], part="train", rows=50),
            "costs 0.31 of the accuracy, which is 0.9500 on 50 of 90 training rows (there is no validation part)",
        ),
        (
            importances([UNTOLD, GAIN], [UNTOLD, TOLD]),
            "shuffling any one column costs no accuracy that can be told: it is 0.9500 on 90 validation rows; "
            "the loss, 0.2000, rises most with 'c1', by 0.31",
        ),
        (importances([TOLD] * 21), "the first 20 of 21 columns"),
        (
            importances([TOLD, UNTOLD], metric="rmse", reached=0.95),
            "shuffling 'c0' raises the rmse by 0.312; unshuffled it is 0.95 on 90 validation rows; "
            "1 column costs nothing that can be told",
        ),
        (
            importances([UNTOLD], metric="rmse", reached=0.95),
            "shuffling any one column raises the rmse by nothing that can be told: it is 0.95 on 90",
        ),
    ],
)
def test_the_heading_says_what_is_so(found, said):
    words = check_svg(draw_importances(found, title="a run").text)
    assert said in " ".join(words.split())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e308, 0.0])
def test_importances_of_any_size_can_be_drawn(value):
    found = importances([TOLD, TOLD], [(value,) * 3, TOLD], columns=("x" * 300, ""))
    text = draw_importances(found, title="a run").text
    assert not {"nan", "inf"} & set(text.replace("=", " ").replace('"', " ").split())
    check_svg(text)


def dependence(name, classes=3, **values):
    given = {"features": np.zeros((3, 1)), "positions": np.arange(3.0), **values}
    means = np.linspace(0, 0.4, 3 * classes).reshape(3, classes)
    return PartialDependence(name, Values(**given), means, np.full(classes, 0.3))


def test_the_dependence_speaks_of_a_class_that_is_drawn():
    found = [dependence("a", 7), dependence("b", 7)]
    found[1].means[:, 6] = [0, 0.5, 1]
    names = [f"class {number}" for number in range(7)]
    svg = draw_partial_dependence(found, class_names=names, classes=[0, 1, 2, 3, 4], title="a run")
    words = check_svg(svg.text)
    assert "the mean probability of 'class 0' would be between 0.00 and 0.28" in words
    assert "the most frequent 5 of 7 classes" in words
    assert "class 6" not in words


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_in_both_pictures(name):
    check_svg(draw_importances(importances([TOLD], columns=(name,)), title=name).text)
    ticks = tuple((float(at), f"{name}{at}") for at in range(3))
    found = dependence(name, ticks=ticks, are_levels=True, of_levels=9)
    found.means[0] = np.nan
    check_svg(draw_partial_dependence([found], class_names=[name] * 3, classes=[0, 1, 2], title=name).text)
