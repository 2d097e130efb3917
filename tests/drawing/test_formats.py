"""PNG and PDF show what the SVG shows."""

import numpy as np
import pytest

from micrograde.core.picture_formats import in_format
from micrograde.drawing.formats import convert, converted
from micrograde.drawing.graph.rendering import render_source
from micrograde.drawing.svg import Canvas

FORMATS = ("png", "pdf")


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("figures/a.svg", "pdf", "figures/a.pdf"),
        ("figures/a.svg", "auto", "figures/a.svg"),
        ("figures/a.svg", "svg", "figures/a.svg"),
        ("figures/a.gif", "png", "figures/a.gif"),
        ("walkthrough.html", "pdf", "walkthrough.html"),
        ("graph/network", "pdf", "graph/network"),
        ("svg", "pdf", "svg"),
    ],
)
def test_only_the_suffix_of_an_svg_changes(name, wanted, found):
    assert in_format(name, wanted) == found


@pytest.mark.parametrize("wanted", FORMATS)
def test_the_texts_of_a_graph_are_there(wanted):
    pytest.importorskip("vl_convert")

    def graph(label):
        source = f'digraph {{ node [fontname=Helvetica]; a [label="{label}", width=2] }}'
        return render_source(source, "svg").decode()

    with_text, without = graph("some words"), graph("")
    assert "some words" in with_text
    assert len(converted(with_text, wanted)) > len(converted(without, wanted)) + 100


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_single_dot_is_there(wanted):
    pytest.importorskip("vl_convert")

    def drawn(points):
        canvas = Canvas(100, 100)
        canvas.rectangle(10, 10, 20, 20, "#888888")
        for point in points:
            canvas.dots(np.array([point], float), "#0072B2", diameter=9)
        return len(converted(canvas.finish("dots").text, wanted))

    assert drawn([(50, 50)]) > drawn([])


def test_what_is_no_picture_is_an_error(tmp_path):
    pytest.importorskip("vl_convert")
    path = tmp_path / "a.svg"
    path.write_text("<html>")
    with pytest.raises(ValueError, match=r"^no SVG that can be drawn: [^\n]+$"):
        convert(path, "pdf")
    convert(path, "auto")
    assert path.read_text() == "<html>"
