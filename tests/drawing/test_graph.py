import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde import Variable, draw_graph, render_graph
from micrograde.autograd import constant
from micrograde.drawing import LayerNode, draw_network
from micrograde.drawing.graph import boxes
from micrograde.drawing.graph.boxes import Box, BoxGraph, Edge
from micrograde.drawing.graph.computational_graph import box_graph
from micrograde.drawing.graph.rendering import render_source


def notebook_graph():
    x = Variable(5.0)
    y = (x + 2) * 3
    y.backward()
    return y


def svg_texts(path):
    return texts_of(path.read_text())


def texts_of(svg):
    texts = ElementTree.fromstring(svg.encode()).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()).replace("\xa0", " ") for text in texts]


def test_the_notebooks_graph():
    graph = draw_graph(notebook_graph())
    source = graph.source
    assert type(graph).__name__ == "Digraph"
    assert "rankdir=LR" in source
    assert "shape=record" in source
    for label in (
        "* | 21.0000 | grad=1.0000",
        "+ | 7.0000 | grad=3.0000",
        "parameter | 5.0000 | grad=3.0000",
    ):
        assert f'"{label}"' in source
    assert "constant | 2.0000" in source
    assert source.count("->") == 4


def test_arrays_show_shape_mean_and_norm_and_names_are_shown():
    a = Variable(np.full((2, 3), 2.0), name="weights")
    (a * constant(1.0, name="one")).sum().backward()
    source = draw_graph(a * 1).source
    assert "weights | 2 × 3, mean 2, norm 4.899 | grad=2 × 3, mean 1, norm 2.449" in source


def test_a_graph_too_large_to_read_says_what_is_left_out(tmp_path):
    y = x = Variable(1.0)
    for _ in range(50):
        y = y + x
    source = draw_graph(y, limit=20).source
    assert "31 more nodes are left out\\nof 51 in all; limit=20" in source
    assert source.count("grad=") == 20
    render_graph(draw_graph(y, limit=20), tmp_path / "graph")


def test_a_variable_used_twice_has_two_edges():
    x = Variable(2.0)
    assert draw_graph(x * x).source.count("->") == 2


@given(st.text(max_size=12))
@settings(max_examples=25)
def test_any_name_can_be_drawn(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("names")
    x = Variable(2.0, name=name)
    (picture,) = render_graph(draw_graph(x * 2), folder / "graph", ("svg",))
    printable = "".join(sign for sign in name if sign.isascii() and sign.isalnum())
    texts = "".join(svg_texts(picture))
    assert all(sign in texts for sign in printable)


def test_rendering_writes_the_formats_asked_for(tmp_path):
    files = render_graph(draw_graph(notebook_graph()), tmp_path / "graph", ("dot", "svg", "png"))
    assert [file.name for file in files] == ["graph.dot", "graph.svg", "graph.png"]
    assert files[2].read_bytes().startswith(b"\x89PNG")
    assert "21.0000" in " ".join(svg_texts(files[1]))
    with pytest.raises(RuntimeError, match="the graph cannot be drawn"):
        render_graph(draw_graph(notebook_graph()), tmp_path / "graph", ("no-such-format",))


def test_the_systems_dot_is_used_only_if_asked(tmp_path, monkeypatch):
    fake = tmp_path / "dot"
    fake.write_text("#!/bin/sh\necho used the system >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    render_graph(draw_graph(notebook_graph()), tmp_path / "graph")
    with pytest.raises(RuntimeError, match="used the system"):
        render_graph(draw_graph(notebook_graph()), tmp_path / "graph", system=True)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="there is no dot here; install Graphviz"):
        render_graph(draw_graph(notebook_graph()), tmp_path / "graph", system=True)


def test_jupyter_shows_the_graph():
    bundle = notebook_graph()._repr_mimebundle_()
    assert bundle["text/plain"] == "Variable(value=21.0, grad=1.0)"
    assert "21.0000" in bundle["image/svg+xml"]


def test_a_network_is_a_chain_of_its_layers(tmp_path):
    nodes = [
        LayerNode("input", "input", (32, 64), 0, 1.5, 0.25),
        LayerNode("layer1", "linear", (32, 10), 650, 2.5, 0.5),
        LayerNode("loss", "loss", (), 0, 0.75, 1.0),
    ]
    graph = draw_network(nodes, title='a <run> | {"x"}')
    assert graph.source.count("->") == 2
    (picture,) = render_graph(graph, tmp_path / "network", ("svg",))
    texts = svg_texts(picture)
    for text in ("32 × 10", "650 parameters", "|y| 2.5", "|dL/dy| 0.5", "loss 0.75", 'a <run> | {"x"}'):
        assert text in texts


def two_boxes(words, value, title):
    upper = Box("n0", (words,), (f"{value:.4f}", f"grad={-value:.4g}"), 'fillcolor="#FFFFFF"')
    lower = Box("n1", ("loss",), (f"loss {value:.4g}",), 'fillcolor="#DCEBF7"')
    return BoxGraph((upper, lower), (Edge("n0", "n1"),), title)


def test_the_graphs_of_two_networks_of_one_shape_are_laid_out_once():
    boxes._lay_out.cache_clear()
    for weight in (0.25, -2.5):
        x, w = Variable(3.0, name="x"), Variable(weight, name="w")
        y = (x * w + 1.0).tanh() * w + x * 2.0 - 1.0
        y.backward()
        graph = box_graph(y)
        direct = texts_of(render_source(graph.digraph().source, "svg").decode())
        assert texts_of(graph.svg()) == direct
        assert f"{weight:.4f}" in direct
    assert boxes._lay_out.cache_info().misses == 1
    assert boxes._lay_out(graph._with_room()) is not None


def test_graphs_that_differ_in_their_numbers_are_laid_out_once(monkeypatch):
    sources = []

    def seen(source, form):
        sources.append(source)
        return render_source(source, form)

    boxes._lay_out.cache_clear()
    monkeypatch.setattr(boxes, "render_source", seen)
    first = two_boxes("weights[1,0]", 0.25, "seed=3")
    again = two_boxes("weights[1,0]", -9.5, "seed=7")
    assert texts_of(first.svg()) == ["seed=3", "weights[1,0]", "0.2500", "grad=-0.25", "loss", "loss 0.25"]
    assert texts_of(again.svg()) == ["seed=7", "weights[1,0]", "-9.5000", "grad=9.5", "loss", "loss -9.5"]
    assert len(sources) == 1
    assert texts_of(two_boxes("weights[0,0]", -9.5, "seed=7").svg())[1] == "weights[0,0]"
    assert len(sources) == 2


@given(st.text(max_size=12), st.text(max_size=12), st.floats())
@settings(max_examples=40)
def test_a_layout_holds_the_texts_that_graphviz_would_draw(words, title, value):
    graph = two_boxes(words, value, title)
    assert texts_of(graph.svg()) == texts_of(render_source(graph.digraph().source, "svg").decode())


@given(st.floats(width=32), st.floats(width=32))
@settings(max_examples=25)
def test_a_picture_does_not_depend_on_what_was_drawn_before(value, before):
    alone = two_boxes("x", value, "")
    boxes._lay_out.cache_clear()
    expected = alone.svg()
    boxes._lay_out.cache_clear()
    two_boxes("x", before, "").svg()
    assert alone.svg() == expected
