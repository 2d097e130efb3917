import ast
import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import micrograde.autograd
from micrograde.autograd import Variable, concatenate, constant, nodes
from micrograde.drawing import draw_walkthrough, walk_through_network
from micrograde.drawing.walkthrough.encoding import ENTRIES, WINDOW
from micrograde.drawing.walkthrough.formulas import FORMULAS
from micrograde.drawing.walkthrough.page import LIMIT
from micrograde.drawing.walkthrough.steps import walk
from micrograde.nn import MLP
from micrograde.training import Samples

SHAPES = ((), (3,), (1, 3), (2, 1), (2, 3))
UNARY = (
    "tanh",
    "exp",
    "relu",
    "sigmoid",
    "abs",
    "neg",
    "mean0",
    "sum0",
    "transposed",
    "softmax",
    "var",
    "max",
    "flat",
)


def data_in(text):
    """What a browser gets to read: the JSON between the tags."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return data


def content_of(page):
    return json.loads(data_in(page.text))


def decoded(content, stored):
    """A stored value as the number or the array that it was."""
    if not isinstance(stored, dict):
        return float(stored)
    entry = content["arrays"][stored["array"]]
    entries = np.frombuffer(base64.b64decode(entry["data"]), "<f8")
    if entries.size == np.prod(entry["shape"]):
        return entries.reshape(entry["shape"])
    return entries.reshape(entry["rows"], entry["columns"])


def same_bits(a, b):
    return np.shape(a) == np.shape(b) and np.asarray(a, "<f8").tobytes() == np.asarray(b, "<f8").tobytes()


def received(graph, number):
    """The shares that a node gets, added up."""
    parts = [
        share.value
        for node in graph.nodes
        for operand, share in zip(node.operands, node.shares, strict=True)
        if operand == number and share is not None
    ]
    return sum(parts, start=np.zeros(graph.nodes[number].shape))


def assert_shares_add_up(graph):
    for number, node in enumerate(graph.nodes[:-1]):
        if node.gradient is not None:
            assert not node.has_rest
            np.testing.assert_allclose(received(graph, number), node.gradient, rtol=1e-10, atol=1e-12)


def applied(name, x):
    match name:
        case "neg":
            return -x
        case "mean0" | "sum0" | "var" | "max" | "flat" | "transposed" | "softmax" if not x.shape:
            return x * x
        case "mean0":
            return x.mean(axis=0, keepdims=True)
        case "sum0":
            return x.sum(axis=0)
        case "transposed":
            return x.T.T
        case "softmax":
            return x.log_softmax() + x.softmax()
        case "var" | "max":
            return getattr(x, name)(axis=-1, keepdims=True)
        case "flat":
            return x.reshape(-1)[1:] * 2.0 if x.value.size > 1 else x
    return getattr(x, name)()


@st.composite
def expressions(draw):
    """A number made of a few leaves of several shapes, in which nodes are used more than once."""
    number = st.floats(-2, 2).map(lambda x: round(x, 3))
    made = []
    for at in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from(SHAPES))
        count = int(np.prod(shape))
        values = np.array(draw(st.lists(number, min_size=count, max_size=count))).reshape(shape)
        made.append(
            Variable(
                values if shape else float(values),
                name=f"leaf{at}",
                requires_grad=at == 0 or draw(st.booleans()),
            )
        )
    for _ in range(draw(st.integers(1, 6))):
        a, b = draw(st.sampled_from(made)), draw(st.sampled_from(made))
        if draw(st.booleans()):
            made.append(applied(draw(st.sampled_from(UNARY)), a))
        else:
            try:
                made.append(
                    draw(
                        st.sampled_from(
                            (Variable.__add__, Variable.__sub__, Variable.__mul__, Variable.maximum)
                        )
                    )(a, b)
                )
            except ValueError:  # shapes that do not fit
                continue
    # The nearest leaf is always part of it, so that there is something to walk back to.
    return sum((each.sum() if each.shape else each for each in made[1:]), made[0].sum())


@given(expressions())
@settings(max_examples=150)
def test_a_gradient_is_the_sum_of_the_shares(root):
    root.backward()
    graph = walk(root, LIMIT)
    assert {id(node.value) for node in graph.nodes} == {id(node.value) for node in nodes(root)}
    assert all(operand < number for number, node in enumerate(graph.nodes) for operand in node.operands)
    assert_shares_add_up(graph)


def factor_shares(root):
    """The shares that are a gradient times a number, each with the node that it is of."""
    root.backward()
    return [
        (node, share)
        for node in walk(root, LIMIT).nodes
        for share in node.shares
        if share is not None and FORMULAS[node.symbol].way == "factor"
    ]


@given(expressions())
@settings(max_examples=50)
def test_a_share_is_the_gradient_times_the_local_derivative(root):
    for node, share in factor_shares(root):
        whole = share.value if share.whole is None else share.whole
        # A reduction's gradient is spread, and numpy.broadcast_to spreads over a first axis as well.
        product = np.broadcast_to(node.gradient * np.asarray(share.local), np.shape(whole))
        np.testing.assert_allclose(product, whole, rtol=1e-10, atol=1e-12)


def test_such_shares_are_there():
    x, y = Variable(3.0), Variable(np.array([2.0, 5.0]))
    shares = factor_shares((x * y).tanh().sum())
    assert [node.symbol for node, _ in shares] == ["*", "*", "tanh", "sum"]


def test_broadcasting_is_said_to_be_summed_over_axes():
    x, bias, factor = Variable(np.ones((4, 3))), Variable(np.ones(3)), Variable(2.0)
    root = ((x + bias) * factor).sum()
    root.backward()
    graph = walk(root, LIMIT)
    summed = [share.summed for node in graph.nodes for share in node.shares if share and share.summed]
    assert summed == [
        "summed over axis 0: broadcasting had made 4 copies of each entry",
        "summed over axes 0, 1: broadcasting had made 12 copies of each entry",
    ]
    assert_shares_add_up(graph)


def test_a_matrix_product_shows_the_other_factor_transposed():
    a, b = Variable(np.arange(6.0).reshape(2, 3)), Variable(np.arange(12.0).reshape(3, 4))
    root = (a @ b).sum()
    root.backward()
    nodes: tuple[Any, ...] = walk(root, LIMIT).nodes
    (product,) = [node for node in nodes if node.symbol == "@"]
    left, right = product.shares
    assert np.array_equal(product.gradient @ left.local, left.value)
    assert np.array_equal(right.local @ product.gradient, right.value)


def test_every_family_of_operations_can_be_walked():
    x, y = Variable(np.linspace(0.1, 1.2, 6).reshape(2, 3)), Variable(np.linspace(2.0, 3.0, 3))
    root = concatenate([(x**y).log(), (x / y).sqrt(), x.T.reshape(2, 3), -x[[0, 0]]]).softmax(axis=0).mean()
    root = root + (x @ y).var() + 3.0
    root.backward()
    assert_shares_add_up(walk(root, LIMIT))
    draw_walkthrough(root, title="all")


def test_the_table_of_formulas_has_every_operation_of_the_engine():
    symbols = {}
    for path in Path(micrograde.autograd.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Operation":
                symbols[ast.literal_eval(call.args[0])] = len(call.args) - 2
    assert len(symbols) > 20
    lacking, unknown = set(symbols) - set(FORMULAS), set(FORMULAS) - set(symbols)
    assert not lacking, f"drawing/walkthrough/formulas.py lacks the formulas of {sorted(lacking)}"
    assert not unknown, f"drawing/walkthrough/formulas.py has formulas of no operation: {sorted(unknown)}"
    for symbol, operands in symbols.items():
        formula = FORMULAS[symbol]
        assert len(formula.derivatives) == len(formula.rules) == operands
        texts = " ".join((formula.forward, *formula.derivatives, *formula.rules))
        assert set(re.findall(r"\{(\w+)\}", texts)) <= {"a", "b", "out", "g"}


def test_an_operation_of_the_engine_without_formulas_is_no_node_made_by_hand(monkeypatch):
    root = Variable(2.0).tanh() * 3
    root.backward()
    monkeypatch.delitem(FORMULAS, "tanh")
    with pytest.raises(LookupError, match="the operation tanh has no formulas in micrograde"):
        draw_walkthrough(root, title="tanh")


def test_the_page_names_equations_that_the_documentation_derives():
    folder = Path(__file__).parents[2] / "docs" / "autograd"
    derived = set(
        re.findall(r"\(([AERSM]\d)\)|tag\{([AERSM]\d)\}", "".join(p.read_text() for p in folder.glob("*.md")))
    )
    named = {each for formula in FORMULAS.values() for each in formula.equations.split(", ")}
    assert named <= {one or other for one, other in derived}


def test_gradients_of_several_calls_leave_a_rest_in_the_leaves():
    x = Variable(2.0)
    root = x * 3
    root.backward()
    root.backward()
    graph = walk(root, LIMIT)
    assert [node.has_rest for node in graph.nodes if node.kind == "parameter"] == [True]


def test_what_a_node_made_by_hand_hands_on_is_unknown():
    x = Variable(1.0)
    root = Variable(2.0, 1.0, (x,), "magic")
    page = draw_walkthrough(root, title="by hand")
    content = content_of(page)
    assert content["formulas"]["magic"]["way"] == "unknown"
    assert content["nodes"][-1]["shares"] == [None]


def test_the_steps_go_forward_and_then_back():
    x = Variable(2.0, name="x")
    root = (x * 3).tanh()
    root.backward()
    graph = walk(root, LIMIT)
    named = [(way, graph.nodes[number].label) for way, number in graph.steps]
    assert named == [
        ("given", "tanh #3"),
        ("forward", "* #2"),
        ("forward", "tanh #3"),
        ("backward", "tanh #3"),
        ("backward", "* #2"),
        ("backward", "x"),
    ]


def test_a_chain_of_any_length_is_cut_and_the_page_says_so():
    y = x = Variable(1.0, name="x")
    for _ in range(5000):
        y = y + x
    y.backward()
    content = content_of(draw_walkthrough(y, title="long"))
    assert content["total"] == 5001
    assert len(content["edges"]) == sum(len(node["operands"]) for node in content["nodes"])
    assert LIMIT <= len(content["nodes"]) <= LIMIT + 1
    (x_shown,) = [node for node in content["nodes"] if node["name"] == "x"]
    assert x_shown["hasRest"]
    assert "left out" in {node["kind"] for node in content["nodes"]}


def samples(sizes, rows=16):
    random = np.random.default_rng(3)
    labels = random.integers(sizes[-1], size=rows)
    return Samples(random.normal(size=(rows, sizes[0])), np.eye(sizes[-1])[labels], labels)


def network(*sizes, batch_norm=True):
    generators = [np.random.default_rng(0)]
    return MLP(sizes[0], sizes[1:-1], sizes[-1], generators=generators, batch_norm=batch_norm)


def test_the_data_on_the_page_are_the_engines_bit_for_bit():
    random = np.random.default_rng(0)
    x, w = Variable(random.normal(size=(5, 4))), Variable(random.normal(size=(4, 3)) * 1e-300)
    root = (x @ w).tanh().sum() * Variable(0.1) - Variable(-0.0)
    root.backward()
    content = content_of(draw_walkthrough(root, title="bits"))
    graph = walk(root, LIMIT)
    for stored, node in zip(content["nodes"], graph.nodes, strict=True):
        assert same_bits(decoded(content, stored["value"]), node.value)
        assert (stored["gradient"] is None) == (node.gradient is None)
        if node.gradient is not None:
            assert same_bits(decoded(content, stored["gradient"]), node.gradient)
        for share, ours in zip(stored["shares"], node.shares, strict=True):
            assert (share is None) == (ours is None)
            if ours is not None:
                assert same_bits(decoded(content, share["value"]), ours.value)


@pytest.mark.parametrize("scale", [1.0, 1e200, np.nan])
def test_values_that_are_not_finite_are_on_the_page(tmp_path, scale):
    for sizes in ((3, 5, 2), (6, 20, 4)):
        model = network(*sizes)
        model.parameters *= scale
        walk_through_network(model, samples(sizes), title="diverged").save(tmp_path / "walkthrough.html")
        text = data_in((tmp_path / "walkthrough.html").read_text(encoding="utf-8"))
        assert bool(re.search(r'"(nan|inf|-inf)"|"odd":[1-9]', text)) == (scale != 1.0)


def test_a_large_array_is_shown_by_a_window_with_the_numbers_of_the_whole():
    values = np.random.default_rng(0).normal(size=(100, 70))
    values[99, 69] = np.inf
    assert values.size > ENTRIES
    x = Variable(values, name="x")
    root = x.sum()
    root.backward()
    content = content_of(draw_walkthrough(root, title="large"))
    stored = next(node for node in content["nodes"] if node["name"] == "x")
    entry = content["arrays"][stored["value"]["array"]]
    assert (entry["shape"], entry["rows"], entry["columns"]) == ([100, 70], WINDOW, WINDOW)
    assert same_bits(decoded(content, stored["value"]), np.ascontiguousarray(values[:WINDOW, :WINDOW]))
    finite = values[np.isfinite(values)]
    assert (entry["mean"], entry["min"], entry["max"]) == (finite.mean(), finite.min(), finite.max())
    assert (entry["std"], entry["norm"], entry["odd"]) == (finite.std(), np.linalg.norm(finite), 1)


HOSTILE = "</script><script>alert(1)</script><!--<script>&amp;\u2028\u2029\ud800{{script}}\\\"'`"


def test_no_name_breaks_out_of_its_place():
    x = Variable(2.0, name=HOSTILE)
    root = x * constant(3.0, name="__proto__")
    root.backward()
    plain = draw_walkthrough(root, title="title", subtitle="subtitle")
    page = draw_walkthrough(root, title=HOSTILE, subtitle=HOSTILE)
    page.text.encode("utf-8")
    content = content_of(page)
    assert content["title"] == content["subtitle"] == HOSTILE
    assert HOSTILE in {node["name"] for node in content["nodes"]}
    assert not re.search("[<>&\u2028\u2029]", data_in(page.text))
    for tag in ("<script", "</script", "<!--"):
        assert page.text.count(tag) == plain.text.count(tag)


@given(st.text(st.characters(), max_size=20))
@settings(max_examples=20)
def test_any_name_reaches_the_page_as_it_is(name):
    root = Variable(2.0, name=name) * 2
    root.backward()
    content = content_of(draw_walkthrough(root, title=name))
    assert name in {node["name"] for node in content["nodes"]}


def test_the_same_graph_gives_the_same_page():
    def page():
        root = Variable(2.0, name="x") * 3
        root.backward()
        return draw_walkthrough(root, title="same")

    assert page() == page()


def test_the_page_loads_nothing():
    root = Variable(2.0) * 3
    root.backward()
    text = draw_walkthrough(root, title="alone").text
    addresses = set(re.findall(r"https?://[^\"' )]*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place
    assert not re.search(
        r"\b(src|href)=\"(?!#)|@import|\bfetch\(|innerHTML|localStorage|window\.(parent|top)", text
    )
    assert "default-src 'none'" in text


def test_the_digits_network_is_shown_as_arrays_in_less_than_a_megabyte_and_a_half(tmp_path):
    sizes = (64, 32, 10)
    walk_through_network(network(*sizes), samples(sizes), title="digits").save(tmp_path / "walkthrough.html")
    path = tmp_path / "walkthrough.html"
    assert path.stat().st_size < 1.5e6
    text = path.read_text(encoding="utf-8")
    assert "first 8 rows of a training batch (training mode" in text
    for name in ("layer2.weights", "tanh activation1", "targets", "batchnorm1"):
        assert f'"{name}"' in text


def test_a_small_network_is_shown_number_by_number_all_of_it(tmp_path):
    for batch_norm, count in ((True, 157), (False, 101)):
        model = network(3, 5, 2, batch_norm=batch_norm)
        walk_through_network(model, samples((3, 5, 2)), title="small").save(tmp_path / "walkthrough.html")
        text = (tmp_path / "walkthrough.html").read_text(encoding="utf-8")
        assert f'"total":{count},' in text
        assert ("evaluation mode" in text) == batch_norm
        assert text.count('"symbol"') == count
