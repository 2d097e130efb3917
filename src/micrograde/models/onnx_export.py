"""A trained network as an ONNX model: raw rows in, labels and probabilities or numbers out, without Python.

The model computes in the same order as ``TrainedNetwork``, preprocessing in float64 and the network in its
own dtype, with the standard operators of opset 19, the first that compares texts. So the two differ only in
how the libraries round.

- Inputs: ``features`` float64 (n, D); a model trained on a table has one input for each column, named like
  it: float64 (n, 1) for numbers, and for truth values as 1 and 0, NaN where missing; text (n, 1) for
  categories, without spaces around it, "" where missing; float64 (n, k) for dates, the numbers that are made
  of them. (Of recipes before version 3, booleans for truth values.)
- Outputs: ``label`` text (n,), by the network's threshold if it has one, and ``probabilities`` float64
  (n, C); of a network that predicts numbers ``predicted`` float64 (n, K), a column for each target in the
  order of ``target_names`` in the metadata, in the targets' own units; of one that has learned several labels
  ``probabilities`` float64 (n, K) alone, likewise.

A row that ``TrainedNetwork`` refuses, or whose numbers overflow in the network, has NaN as probabilities or
numbers and the label "": an ONNX operator cannot report an error.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from micrograde.core.errors import InputError
from micrograde.core.project import pip_install
from micrograde.core.version import VERSION
from micrograde.data import Preprocessing
from micrograde.data.column_encoding import ColumnEncoding
from micrograde.data.columns import Column
from micrograde.data.encoding import are_truths, category_name
from micrograde.models.trained_network import TrainedNetwork
from micrograde.nn import MLP
from micrograde.nn.arrays import FloatArray
from micrograde.store.library_environment import have_no_reports
from micrograde.tasks import Task

if TYPE_CHECKING:
    import pandas
    from onnx import ModelProto

OPSET = 19
_IR_VERSION = 9  # the file format that was current with that opset, so that runtimes of that time read it
FEATURES = "features"
LABEL, PROBABILITIES, PREDICTED = "label", "probabilities", "predicted"
_TOLERANCE = 1e-6  # of a probability, or of a number in standard deviations of its target
_ROUNDINGS = 10  # two libraries may differ by this many times the rounding of the network's dtype

Feeds = dict[str, NDArray[Any]]
"""An array for each input of an ONNX model, by its name."""


def export_onnx(network: TrainedNetwork, about: Mapping[str, str] | None = None) -> "ModelProto":
    """Return the ONNX model of a network, checked by ``onnx.checker``.

    Its metadata hold ``class_names`` or ``target_names``, ``feature_names`` and ``columns`` (input name to
    column) as JSON, of a network with a threshold ``threshold``, the probability of the second class above
    which that is the label, or a list with that of each of several labels, and the entries of ``about``.

    Raises
    ------
    InputError
        If the extra ``onnx`` is not installed (the message says how to install it), or a name is not allowed
        in ONNX.
    """
    check_extra()
    import onnx

    try:
        model = _model(network, about or {})
        onnx.checker.check_model(model, full_check=True)
    except (ValueError, onnx.checker.ValidationError) as error:  # names that are not valid Unicode, or empty
        raise InputError(f"the model cannot be exported ({str(error).splitlines()[0][:200]})") from None
    return model


def check_extra() -> None:
    """Raise ``InputError`` unless ONNX and its runtime are installed."""
    have_no_reports()
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed; it comes with an extra: {pip_install('onnx')}"
        ) from None


def as_feeds(network: TrainedNetwork, rows: "pandas.DataFrame | NDArray[Any]") -> Feeds:
    """Return the ONNX inputs for n rows, given as to ``TrainedNetwork.answers``; texts are ``str``."""
    encoding = network.preprocessing.encoding
    if encoding is None:
        features = rows if isinstance(rows, np.ndarray) else rows[list(network.columns)].to_numpy()
        return {FEATURES: np.asarray(features, np.float64)}
    feeds: Feeds = {}
    names = _input_names(network)
    if isinstance(encoding, ColumnEncoding):
        import pandas

        table = (
            rows
            if isinstance(rows, pandas.DataFrame)
            else pandas.DataFrame(rows, columns=list(encoding.columns))
        )
        for (name, column), role in zip(names.items(), encoding.roles, strict=True):
            feeds[name] = role.fed(Column.of_series(column, table[column]))
        return feeds
    for (name, column), categories in zip(names.items(), encoding.categories, strict=True):
        values = rows[column]
        if categories is None:
            array = np.asarray(values, np.float64)
        else:
            array = np.array([category_name(value) for value in values], object)
        if categories is not None and are_truths(categories):
            array = array == "True"
        feeds[name] = array[:, None]
    return feeds


def run_onnx(model: bytes, feeds: Feeds) -> tuple[NDArray[Any], ...]:
    """Return the outputs, computed by ONNX Runtime on one thread.

    Those are labels (n,) and probabilities (n, C), or numbers (n, K) alone.
    """
    have_no_reports()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # only errors: warnings are about threads and devices
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return tuple(session.run(None, feeds))


def example_rows(network: TrainedNetwork, rows: int, seed: int = 0) -> "pandas.DataFrame | FloatArray":
    """Return random rows like the training data: numbers with its mean and deviation, any known category."""
    random, preprocessing = np.random.default_rng(seed), network.preprocessing
    features = preprocessing.means + preprocessing.scales * random.standard_normal(
        (rows, len(preprocessing.means))
    )
    encoding = preprocessing.encoding
    if encoding is None:
        return features
    import pandas

    # ``decode`` takes the category whose one-hot column is largest.
    return pandas.DataFrame(encoding.decode(features), columns=list(encoding.columns))


@dataclass(frozen=True)
class Agreement:
    """How closely an ONNX model and the network that it was exported from agree on some rows.

    Attributes
    ----------
    difference
        The largest absolute difference of a probability, or of a number in standard deviations of its target
        in the training part; infinite if a row has another label or none, except where two classes are
        equally probable, or one is at the threshold, to within that difference.
    rounding
        The error that the network's dtype causes by itself: the largest absolute difference of an answer
        between the network and its float64 copy, or between that copy and one whose parameters differ by the
        dtype's rounding. Two correct float32 libraries can differ by as much.
    of_numbers
        Whether numbers were compared, and not probabilities.
    """

    rows: int
    difference: float
    rounding: float
    of_numbers: bool = False

    @property
    def allowed(self) -> float:
        """The largest difference that counts as agreement: 1e-6, or more if the dtype is less exact."""
        return max(_TOLERANCE, _ROUNDINGS * self.rounding)

    def __str__(self) -> str:
        what, unit = "probabilities", ""
        if self.of_numbers:
            what, unit = "numbers", " of the target's standard deviation"
        return f"{self.difference:.1e}{unit} at most between {what} of {self.rows} rows"

    def __bool__(self) -> bool:
        return self.difference <= self.allowed


def compare_onnx(model: bytes, network: TrainedNetwork, rows: "pandas.DataFrame | NDArray[Any]") -> Agreement:
    """Predict the rows with both models and return how closely they agree.

    The model is one of this network: others may have other outputs.
    """
    *labelled, found = run_onnx(model, as_feeds(network, rows))
    expected = network.unchecked_answers(rows)
    in_float64 = replace(network, model=_in_float64(network.model))
    exact = in_float64.unchecked_answers(rows)
    nearby = replace(network, model=_with_next_numbers(network.model))
    scaling = network.preprocessing.target_scaling
    units = 1.0 if scaling is None else scaling.scales
    changed = np.abs(nearby.unchecked_answers(rows) - exact) / units
    lost = np.isnan(expected).any(axis=1)  # rows that overflow, though perhaps not in float64
    wrong = bool((np.isnan(found) != np.isnan(expected)).any())
    found, expected, exact = found[~lost], expected[~lost], exact[~lost]
    rounding = float(np.maximum(np.abs(exact - expected) / units, changed[~lost]).max(initial=0.0))
    difference = float((np.abs(found - expected) / units).max(initial=0.0))
    for labels in labelled:
        names = np.array(network.preprocessing.class_names, object)[network.task.chosen(expected)]
        if network.task.threshold is None:
            second, first = np.sort(expected, axis=1)[:, -2:].T
            room = (first - second) / 2
        else:
            room = np.abs(expected[:, 1] - np.float64(network.task.threshold or 0.5))
        others = (labels[~lost] != names) & (room > difference)
        wrong |= bool(others.any() or (labels[lost] != "").any())
    return Agreement(len(rows), np.inf if wrong else difference, rounding, scaling is not None)


def _with_next_numbers(model: MLP) -> MLP:
    """Return a float64 copy with each parameter moved, up or down at random, by half a step of its dtype."""
    generator = np.random.default_rng(0)
    step = float(np.finfo(model.dtype).eps) / 2
    state = {
        name: array.astype(np.float64) * (1 + step * generator.choice([-1.0, 1.0], array.shape))
        for name, array in model.state().items()
    }
    return MLP.from_state(
        state, model.activation, model.normalization, output_batch_norm=model.output_batch_norm
    )


def _in_float64(model: MLP) -> MLP:
    state = {name: array.astype(np.float64) for name, array in model.state().items()}
    return MLP.from_state(
        state, model.activation, model.normalization, output_batch_norm=model.output_batch_norm
    )


def _model(network: TrainedNetwork, about: Mapping[str, str]) -> "ModelProto":
    import onnx

    preprocessing = network.preprocessing
    names = _input_names(network)
    graph = _Graph((*_output_names(network.task), FEATURES, *names), network.model.dtype)
    logits = _network(graph, network.model, features := _inputs_of_network(graph, preprocessing, names))
    answers = network.task.onnx(graph, graph.node("Cast", logits, to=graph.double))
    if network.task.class_names:
        _class_outputs(graph, answers, features, network.task)
    else:
        _number_output(graph, answers, features, network.task)
    model = onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "micrograde", graph.inputs, graph.outputs, graph.constants),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="micrograde",
        producer_version=VERSION,
    )
    told = {
        **({"class_names": preprocessing.class_names} if preprocessing.class_names else {}),
        **({"target_names": preprocessing.target_names} if preprocessing.target_names else {}),
        "feature_names": preprocessing.feature_names,
        "columns": names,
        **({} if network.threshold is None else {"threshold": network.threshold}),
    }
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in told.items()}
    onnx.helper.set_model_props(model, {**about, **texts})
    return model


class _Graph:
    """An ONNX graph under construction: nodes, constants, inputs and outputs; array names are unique."""

    def __init__(self, taken: Iterable[str], dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._taken = set(taken)
        self._counts = Counter[str]()
        self.axis = self.constant("axis", np.array([1]))
        self.double = 11  # TensorProto.DOUBLE

    def input(self, name: str, kind: int, width: int) -> str:
        """Add an input (n, width) and return its name."""
        import onnx

        self.inputs.append(onnx.helper.make_tensor_value_info(name, kind, ["n", width]))
        return name

    def constant(self, name: str, value: Any) -> str:
        """Add an array of numbers, booleans or, with dtype object, texts; return its name."""
        import onnx

        array, name = np.asarray(value), self._free(name)
        if array.dtype == object:
            texts: Any = [str(text).encode() for text in array.flat]
            tensor = onnx.helper.make_tensor(name, onnx.TensorProto.STRING, array.shape, texts)
        else:
            tensor = onnx.numpy_helper.from_array(array, name)
        self.constants.append(tensor)
        return name

    def number(self, value: float) -> str:
        """Add a number in the network's dtype and return its name."""
        return self.constant("number", np.array(value, self._dtype))

    def node(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add an operator and return the name of its output."""
        import onnx

        output = name or self._free(operator.lower())
        self.nodes.append(onnx.helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def output(self, name: str, kind: int, shape: list[str | int]) -> None:
        """Declare the array ``name`` an output of the graph."""
        import onnx

        self.outputs.append(onnx.helper.make_tensor_value_info(name, kind, shape))

    def _free(self, wish: str) -> str:
        while True:
            self._counts[wish] += 1
            if (name := f"{wish}_{self._counts[wish]}") not in self._taken:
                return name


def _output_names(task: Task) -> tuple[str, ...]:
    if task.class_names:
        return (LABEL, PROBABILITIES)
    return (PREDICTED,) if task.learns == "numbers" else (PROBABILITIES,)


def _input_names(network: TrainedNetwork) -> dict[str, str]:
    """Map input names to columns; an input has its column's name, with ``_`` added if an output has it."""
    if network.preprocessing.encoding is None:
        return {}
    columns, taken = network.preprocessing.encoding.columns, _output_names(network.task)
    names = {}
    for column in columns:
        name = column
        while name in taken or (name != column and name in columns):
            name += "_"
        names[name] = column
    return names


def _inputs_of_network(graph: _Graph, preprocessing: Preprocessing, names: Iterable[str]) -> str:
    """Add the preprocessing; its result is float64 (n, D), NaN for a missing number or unknown category."""
    from onnx import TensorProto

    encoding, fill = preprocessing.encoding, preprocessing.fill
    if encoding is None:
        features = _filled(graph, graph.input(FEATURES, TensorProto.DOUBLE, len(preprocessing.means)), fill)
    elif isinstance(encoding, ColumnEncoding):
        pieces = []
        for name, role in zip(names, encoding.roles, strict=True):
            kind = TensorProto.STRING if role.is_fed_as_text else TensorProto.DOUBLE
            width = 1 if role.is_fed_as_text else len(role.features("")) - role.has_indicator
            pieces.append(role.onnx(graph, graph.input(name, kind, width)))
        features = _filled(graph, graph.node("Concat", *pieces, axis=1), fill)
    else:
        pieces, place = [], 0
        for name, categories in zip(names, encoding.categories, strict=True):
            if categories is None:
                number = graph.input(name, TensorProto.DOUBLE, 1)
                pieces.append(_filled(graph, number, None if fill is None else fill[place : place + 1]))
            else:
                pieces.append(_one_hot(graph, name, categories))
            place += 1 if categories is None else len(categories)
        features = graph.node("Concat", *pieces, axis=1)
    centered = graph.node("Sub", features, graph.constant("means", preprocessing.means))
    return graph.node("Div", centered, graph.constant("scales", preprocessing.scales))


def _filled(graph: _Graph, features: str, fill: FloatArray | None) -> str:
    """Replace missing numbers by the values in ``fill``."""
    if fill is None:
        return features
    return graph.node("Where", graph.node("IsNaN", features), graph.constant("fill", fill), features)


def _one_hot(graph: _Graph, name: str, categories: tuple[str, ...]) -> str:
    """Add the one-hot encoding, float64 (n, K), of a column of K categories."""
    from onnx import TensorProto

    if are_truths(categories):
        column = graph.input(name, TensorProto.BOOL, 1)
        known = np.array([[each == "True" for each in categories]])
    else:
        column = graph.input(name, TensorProto.STRING, 1)
        known = np.array([categories], object)
    equal = graph.node("Equal", column, graph.constant("categories", known))
    ones = graph.node("Cast", equal, to=TensorProto.DOUBLE)
    count = graph.node("ReduceSum", ones, graph.axis, keepdims=1)
    return graph.node("Div", ones, count)  # the count is 1; for an unknown category 0 / 0 is NaN


def _network(graph: _Graph, model: MLP, inputs: str) -> str:
    """Add the network; its result is the logits (n, C) in the network's dtype."""
    import onnx

    out = graph.node("Cast", inputs, to=onnx.helper.np_dtype_to_tensor_dtype(model.dtype))
    for layer in model.layers.values():
        out = layer.onnx(graph, out)
    return out


def _are_finite(graph: _Graph, numbers: str) -> str:
    """Add whether numbers are finite; false for NaN, too."""
    largest = graph.constant("largest", np.finfo(np.float64).max)
    return graph.node("LessOrEqual", graph.node("Abs", numbers), largest)


def _all_finite(graph: _Graph, features: str) -> str:
    """Add whether all features of a row are finite, (n, 1)."""
    from onnx import TensorProto

    ones = graph.node("Cast", _are_finite(graph, features), to=TensorProto.DOUBLE)
    return graph.node("Cast", graph.node("ReduceMin", ones, graph.axis, keepdims=1), to=TensorProto.BOOL)


def _class_outputs(graph: _Graph, shares: str, features: str, task: Task) -> None:
    """Add probabilities and labels; a row with features or probabilities that are not finite has none."""
    from onnx import TensorProto

    # If a row's numbers overflow, the shares are NaN, and so is their sum, which is 1 otherwise.
    total = graph.node("ReduceSum", shares, graph.axis, keepdims=1)
    defined = graph.node("LessOrEqual", total, graph.constant("two", np.float64(2)))
    valid = graph.node("And", _all_finite(graph, features), defined)  # (n, 1)
    graph.node("Where", valid, shares, graph.constant("nothing", np.float64("nan")), name=PROBABILITIES)
    names = graph.node(
        "Gather",
        graph.constant("class_names", np.array(task.class_names, object)),
        task.onnx_chosen(graph, shares),
    )
    label = graph.node("Where", valid, names, graph.constant("no_label", np.array("", object)))
    graph.node("Squeeze", label, graph.axis, name=LABEL)
    graph.output(LABEL, TensorProto.STRING, ["n"])
    graph.output(PROBABILITIES, TensorProto.DOUBLE, ["n", len(task.class_names)])


def _number_output(graph: _Graph, numbers: str, features: str, task: Task) -> None:
    """Add the numbers that are predicted, or probabilities; those that are not finite are NaN."""
    from onnx import TensorProto

    valid = graph.node("And", _all_finite(graph, features), _are_finite(graph, numbers))
    (name,) = _output_names(task)
    graph.node("Where", valid, numbers, graph.constant("nothing", np.float64("nan")), name=name)
    graph.output(name, TensorProto.DOUBLE, ["n", task.output_size])
