"""Compare gradients: hand-written ones with autograd's, and autograd's with finite differences."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograde.autograd import Variable
from micrograde.autograd.values import FloatArray
from micrograde.core.hyperparameters import hyperparameters_of
from micrograde.gradcheck.equations import Architecture, Part, Trace, trace_batch, trace_sample
from micrograde.nn import MLP, Activation, Loss, Normalization

TOLERANCE = 1e-9
"""The relative error above which a hand-written gradient counts as wrong; rounding gives about 1e-15."""


class GradientMismatch(ArithmeticError):  # noqa: N818 (says what was found, as an event)
    """Two ways to compute a gradient disagree; the message says where and by how much."""


@dataclass(frozen=True)
class ParameterEvidence:
    """The difference between the hand-written gradient of one parameter and autograd's.

    ``relative_error`` is ``|manual - autograd| / |the whole gradient|``, in Euclidean norms. Divided by its
    own norm, a gradient that is zero except for rounding, such as that of biases before batch norm, would
    seem wrong. ``norm`` is the norm of autograd's gradient.
    """

    name: str
    shape: tuple[int, ...]
    norm: float
    relative_error: float


@dataclass(frozen=True)
class GradientEvidence:
    """The comparison of all gradients of a network on one batch.

    ``parameters`` has an entry for each parameter, and the last one for the input; ``loss`` is the batch's
    mean loss.
    """

    parameters: tuple[ParameterEvidence, ...]
    loss: float

    @property
    def max_relative_error(self) -> float:
        """The largest of the relative errors; NaN if any is."""
        return float(np.max([each.relative_error for each in self.parameters]))

    @property
    def worst(self) -> ParameterEvidence:
        """The parameter with the largest relative error."""
        return self.parameters[int(np.argmax([each.relative_error for each in self.parameters]))]


def architecture_of(model: MLP) -> Architecture:
    """Return the architecture of a network, for ``equations``."""
    norm, parts = model.normalization, (_part(model.activation), _part(model.loss.function))
    if norm is None:
        return Architecture(model.sizes, *parts)
    return Architecture(model.sizes, *parts, _part(norm), norm.layer_name, model.output_batch_norm)


def _part(entry: Activation | Loss | Normalization) -> Part:
    values = {name: each.of(entry) for name, each in hyperparameters_of(type(entry)).items()}
    return Part(entry.name, values)


def trace_replica(
    model: MLP, replica: int, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None
) -> Trace:
    """Evaluate the equations in float64, on a batch, with the parameters of one replica of a stack.

    With ``weights`` (N,) the loss is the sum of ``weights * losses`` divided by the number of rows, as in
    training.
    """
    parameters = model.layout.views(model.parameters[replica].astype(np.float64))
    shares = None if weights is None else np.asarray(weights, float) / len(weights)
    arrays = np.asarray(x, float), np.asarray(targets, float)
    return trace_batch(architecture_of(model), parameters, *arrays, shares)


def trace_first_sample(model: MLP, replica: int, x: FloatArray, targets: FloatArray) -> Trace:
    """Evaluate the equations number by number, for the first sample of a batch, in evaluation mode."""
    parameters = model.layout.views(model.parameters[replica].astype(np.float64))
    statistics = model.statistics_layout.views(model.statistics[replica].astype(np.float64))
    return trace_sample(architecture_of(model), parameters, statistics, x[0].tolist(), targets[0].tolist())


def check_network(
    model: MLP, replica: int, x: FloatArray, targets: FloatArray, weights: FloatArray | None = None
) -> GradientEvidence:
    """Compare the hand-written gradients with autograd's, in float64, at one replica's parameters.

    The model is not changed: the hand-written pass runs on a copy in float64.

    Parameters
    ----------
    model
        A stack, (R, P).
    x, targets
        A training batch, (N, D) and (N, C).
    weights
        What each row counts, (N,), see ``trace_replica``; None for 1.
    """
    with np.errstate(all="ignore"):  # gradients that overflow cannot be compared, which is reported
        return _compared(model, replica, x, targets, weights)


def _compared(
    model: MLP, replica: int, x: FloatArray, targets: FloatArray, weights: FloatArray | None
) -> GradientEvidence:
    trace = trace_replica(model, replica, x, targets, weights)
    trace.loss.backward()
    manual = model.same_kind(np.random.default_rng(0), dtype=np.float64)
    manual.parameters[...] = model.parameters[replica]
    if weights is not None:
        weights = np.asarray(weights, float)
    manual.forward(np.asarray(x, float), np.asarray(targets, float), weights, len(x))
    manual.backward(input_gradient=True)

    ours = {**manual.layout.views(manual.gradients), "input": manual.grad_input}
    theirs = {name: np.asarray(each.grad) for name, each in trace.parameters.items()}
    theirs["input"] = np.asarray(trace.input.grad)
    whole = float(np.linalg.norm([np.linalg.norm(gradient) for gradient in theirs.values()]))
    evidence = []
    for name, gradient in theirs.items():
        norm, distance = float(np.linalg.norm(gradient)), float(np.linalg.norm(ours[name] - gradient))
        error = (distance / whole if whole else np.inf) if distance else 0.0
        evidence.append(ParameterEvidence(name, gradient.shape, norm, error))
    return GradientEvidence(tuple(evidence), float(trace.loss.value))


def require_agreement(evidence: GradientEvidence) -> None:
    """Raise ``GradientMismatch`` if a hand-written gradient is wrong, or cannot be compared."""
    if not evidence.max_relative_error <= TOLERANCE:
        worst = evidence.worst
        if not np.isfinite(worst.relative_error):
            raise GradientMismatch(
                f"numbers overflow at the initial weights, where the loss is {evidence.loss:.3g}, so that no "
                "gradients can be compared; features or initial weights are too large"
            )
        raise GradientMismatch(
            f"the hand-written gradient of {worst.name} differs from autograd's by "
            f"{worst.relative_error:.3g} relative; at most {TOLERANCE:g} is rounding"
        )


def check_gradients(
    function: Callable[..., Variable],
    *inputs: Any,
    step: float = 1e-6,
    absolute: float = 1e-5,
    relative: float = 1e-3,
) -> None:
    """Compare autograd's gradients of a function with central differences.

    The whole Jacobian is compared, entry by entry, as PyTorch's ``gradcheck`` does and with its defaults.

    Parameters
    ----------
    function
        Takes a ``Variable`` for each input and returns one, of any shape.
    inputs
        Numbers or float64 arrays at which to compare. Avoid kinks, such as that of relu at 0.

    Raises
    ------
    GradientMismatch
        At the first entry where ``|autograd - difference| > absolute + relative |difference|``.
    """
    values: list[FloatArray] = [np.array(value, dtype=np.float64) for value in inputs]

    def evaluate() -> FloatArray:
        return np.array(function(*(Variable(value.copy()) for value in values)).value, dtype=np.float64)

    rows = list(_jacobian_rows(function, values))
    for number, value in enumerate(values):
        for entry in np.ndindex(value.shape):
            at = value[entry]
            value[entry] = at + step
            above = evaluate()
            value[entry] = at - step
            below = evaluate()
            value[entry] = at
            for output, gradients in rows:
                difference = float((above[output] - below[output]) / (2 * step))
                autograd = float(gradients[number][entry])
                if not abs(autograd - difference) <= absolute + relative * abs(difference):
                    raise GradientMismatch(
                        f"the gradient of output{list(output) or ''} with respect to "
                        f"input {number}{list(entry) or ''} is {autograd!r} by autograd and "
                        f"{difference!r} by central differences"
                    )


def _jacobian_rows(
    function: Callable[..., Variable], values: list[FloatArray]
) -> Iterator[tuple[tuple[int, ...], list[FloatArray]]]:
    """Yield the index of every entry of the output, and its gradients with respect to all inputs."""
    shape = np.shape(function(*(Variable(value.copy()) for value in values)).value)
    for output in np.ndindex(shape):
        variables = [Variable(value.copy()) for value in values]
        seed = np.zeros(shape)
        seed[output] = 1.0
        function(*variables).backward(seed)
        yield (
            output,
            [np.broadcast_to(each.grad, value.shape) for each, value in zip(variables, values, strict=True)],
        )
