from xml.etree import ElementTree

import numpy as np
import pytest
from tests.security.test_hostile_names import HOSTILE, check_svg

from micrograde.drawing import RunCurves, draw_run_curves
from micrograde.drawing.run.side_by_side import MOST_RUNS

PATH = "{http://www.w3.org/2000/svg}path"


def curve(*values):
    return np.arange(1, len(values) + 1), np.array(values, float)


def curves_of(svg):
    """The curves by what they are called."""
    titles = ((each.find(f"{PATH[:-4]}title"), each) for each in ElementTree.fromstring(svg.text).iter(PATH))
    return {title.text: path for title, path in titles if title is not None}


def test_each_run_has_a_curve_of_its_colour_in_each_panel():
    panels = [
        RunCurves("val/loss", [curve(3, 2, 1), curve(4, 3)]),
        RunCurves("val/accuracy", [curve(0.1, 0.2, 0.3), curve(0.5, 0.6)]),
    ]
    svg = draw_run_curves(panels, ["aaaa", "bbbb"], title="2 runs side by side", point="seed 0 / 1")
    curves = curves_of(svg)
    assert set(curves) == {
        f"{run}: {metric}" for run in ("aaaa", "bbbb") for metric in ("val/loss", "val/accuracy")
    }
    colours = {name: path.get("stroke") for name, path in curves.items()}
    assert colours["aaaa: val/loss"] == colours["aaaa: val/accuracy"] != colours["bbbb: val/loss"]
    words = check_svg(svg.text)
    for word in ("aaaa", "bbbb", "val/loss", "val/accuracy", "seed 0 / 1", "epoch"):
        assert word in words


def test_a_loss_over_orders_of_magnitude_is_drawn_by_its_logarithm():
    svg = draw_run_curves([RunCurves("val/loss", [curve(1000, 10, 0.1)])], ["a"], title="")
    points = curves_of(svg)["a: val/loss"].get("d").removeprefix("M").split("L")
    heights = [float(point.split()[1]) for point in points]
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.2)


@pytest.mark.parametrize(
    "values", [(), (np.nan,), (np.inf, -np.inf), (1.0,), (0.0, 0.0), (1e308, -1e308), (np.nan, 1, 2)]
)
def test_any_values_can_be_drawn(values):
    svg = draw_run_curves([RunCurves("val/loss", [curve(*values), curve()])], ["a", "b"], title="x" * 500)
    assert not {"nan", "inf"} & set(svg.text.replace("=", " ").replace('"', " ").split())
    check_svg(svg.text)


@pytest.mark.parametrize("step", [0, 2**53, 2**62])
def test_any_steps_can_be_drawn(step):
    steps = np.array([step, step + 1], float)
    svg = draw_run_curves([RunCurves("val/loss", [(steps, np.ones(2))])], ["a"], title="x")
    check_svg(svg.text)


def test_names_are_text_and_as_many_runs_as_there_are_colours():
    names = (HOSTILE * 2)[:MOST_RUNS]
    svg = draw_run_curves(
        [RunCurves(names[1], [curve(1, 2)] * MOST_RUNS)], names, title=names[1], point=names[2]
    )
    check_svg(svg.text)
    assert len({path.get("stroke") for path in curves_of(svg).values()}) >= len({*names})
