"""``Variable``: a number or an array that records how it was computed, and computes gradients."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Union

import numpy as np

from micrograde.autograd import arithmetic, elementwise, engine, reductions, shapes, softmax
from micrograde.autograd.guards import guarded, is_users
from micrograde.autograd.modes import is_detecting_anomalies, is_recording, watching
from micrograde.autograd.node import Node
from micrograde.autograd.operation import Operation
from micrograde.autograd.reductions import Axis
from micrograde.autograd.values import FloatArray, Shape, Value, as_value, describe
from micrograde.core.display import GraphDrawer

Operand = Union["Variable", float, FloatArray]


class _About(NamedTuple):
    """Attributes that few nodes have: a name, or an origin that the user passed to ``Variable``."""

    name: str
    op: str
    prev: tuple["Variable", ...]


_NOTHING = _About("", "", ())

BinaryMethod = Callable[["Variable", Any], "Variable"]

_new = object.__new__


def _operator(operation: Operation) -> tuple[BinaryMethod, BinaryMethod]:
    """Return the method for an operator, and the one for a plain number or array on its left.

    A scalar graph has ten thousands of operations on two numbers, so for them the node is made right here,
    without a further call.
    """
    forward = operation.forward

    def method(self: "Variable", other: Any) -> "Variable":
        if other.__class__ is not Variable:
            other = _operand(other)
        x, y = self._value, other._value
        try:
            value = forward(x, y)
        except ValueError as error:
            raise _misfit(operation, self, other, error) from None
        if value.__class__ is not float:
            return _node(operation, value, self, other)
        out = _new(Variable)
        out._value = value
        out.grad = 0.0
        out.requires_grad = self.requires_grad or other.requires_grad
        out._operation = operation
        out._a = self
        out._b = other
        out._x = x
        out._y = y
        out._pending = 0
        return _watched(out) if watching.blocks else out

    def reflected(self: "Variable", other: Any) -> "Variable":
        return _binary(operation, other, self)

    return method, reflected


class Variable(Node):
    """A value in a computational graph.

    Operations on variables, with plain numbers and arrays on either side, give new variables;
    ``backward`` of one of them computes the gradients of all variables it depends on.

    Parameters
    ----------
    value
        A number, kept as a Python float, or an array, kept as it is if it holds floats.
    grad
        The initial gradient, to which ``backward`` adds if the variable is a leaf.
    _prev, _op
        As in the notebook, for a node made by hand: its inputs and the name of its operation, shown in
        drawings. ``backward`` treats such a node as a leaf.
    requires_grad
        False makes a constant: no gradient is computed for it, and it is not drawn as a parameter.
    name
        The name shown in drawings of the graph.

    Attributes
    ----------
    grad
        The derivative, with respect to this variable, of the one that ``backward`` was last called on; 0.0
        before. In leaves, which no operation made, gradients of several calls add up, as in PyTorch; see
        ``zero_grad``.

    Notes
    -----
    ``a += b`` makes a new node, like ``a = a + b``. Variables are compared by identity. Values are those that
    NumPy gives, also for log(-1), 1 / 0 and overflow.
    """

    __slots__ = ("_about",)
    __array_ufunc__ = None  # so that array + variable calls Variable.__radd__

    _about: "_About"

    def __init__(
        self,
        value: Any,
        grad: Any = 0.0,
        _prev: Sequence["Variable"] = (),
        _op: str = "",
        *,
        requires_grad: bool = True,
        name: str = "",
    ) -> None:
        self._value = as_value(value)
        self.grad = grad
        self.requires_grad = requires_grad
        self._operation = self._a = self._b = self._x = self._y = None
        self._pending = 0
        if name or _op or _prev:
            self._about = _About(name, _op, tuple(_prev))

    @property
    def value(self) -> Any:
        """The number or array."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        if self._operation is not None:
            raise ValueError(
                f"value: this Variable is the result of {self._op}, so its value cannot be set; "
                "make a new Variable of another value"
            )
        self._value = as_value(value)

    @property
    def _prev(self) -> tuple["Variable", ...]:
        """The operands."""
        if self._operation is None:
            return getattr(self, "_about", _NOTHING).prev
        return (self._a,) if self._b is None else (self._a, self._b)

    @property
    def _op(self) -> str:
        """The name of the operation; empty for a leaf."""
        if self._operation is None:
            return getattr(self, "_about", _NOTHING).op
        return self._operation.symbol

    @property
    def name(self) -> str:
        """The name shown in drawings of the graph; empty by default."""
        return getattr(self, "_about", _NOTHING).name

    @name.setter
    def name(self, name: str) -> None:
        self._about = getattr(self, "_about", _NOTHING)._replace(name=name)

    @property
    def shape(self) -> Shape:
        """The shape of the value; ``()`` for a number."""
        return () if self._value.__class__ is float else self._value.shape

    def __repr__(self) -> str:
        return f"Variable(value={self.value}, grad={self.grad})"

    # --- Python's protocols ----------------------------------------------------------------------

    def __len__(self) -> int:
        if self._value.__class__ is float:
            raise TypeError("len(): this Variable holds a number, which has no length")
        return len(self._value)

    def __bool__(self) -> bool:
        if np.size(self._value) != 1:
            raise ValueError(
                f"the truth value of a Variable of shape {self.shape} is ambiguous; "
                "ask for that of one number, such as x.value.any() or x.value.all()"
            )
        return bool(self._value)

    def __iter__(self) -> Iterator["Variable"]:
        if self._value.__class__ is float:
            raise TypeError("this Variable holds a number, which has no entries to go through")
        return (self[row] for row in range(len(self._value)))

    def __contains__(self, item: Any) -> bool:
        """Return whether an entry equals the number."""
        return bool(np.any(self._value == (item._value if isinstance(item, Variable) else item)))

    def __copy__(self) -> "Variable":
        """Return a variable with the same value, gradient and operands."""
        return _filled(_new(Variable), self, lambda each: each)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Variable":
        """Return a copy of the whole graph, which may be of any depth."""
        found = [node for node in engine.nodes(self) if id(node) not in memo]
        for node in found:
            memo[id(node)] = _new(Variable)
        for node in found:
            _filled(memo[id(node)], node, lambda each: copy.deepcopy(each, memo))
        copied: Variable = memo[id(self)]
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle value, gradient and name, but not the graph: the unpickled variable is a leaf."""
        return _unpickled, (self._value, self.grad, self.requires_grad, self.name)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return what Jupyter shows: the text, and a drawing of the graph."""
        bundle = {"text/plain": repr(self)}
        if GraphDrawer.draw is not None:
            bundle["image/svg+xml"] = GraphDrawer.draw(self)
        return bundle

    # --- gradients ------------------------------------------------------------------------------

    def backward(self, grad: Any = None) -> None:
        """Compute the gradient of this variable with respect to every variable it depends on.

        Parameters
        ----------
        grad
            The gradient of this variable to start from, in its shape; 1.0 by default for a number. For
            an array it holds the weights of the entries: the result is the gradient of
            ``(grad * self).sum()``.

        Raises
        ------
        ValueError
            If this variable is an array and ``grad`` is missing, if ``grad`` has another shape, or if nothing
            that this variable depends on requires a gradient.
        """
        if grad is None:
            if self.shape not in ((), (1,)):
                raise ValueError(
                    f"backward() of a Variable of shape {self.shape} needs a gradient of that shape to "
                    f"start from, such as np.ones({self.shape})"
                )
            grad = 1.0 if self.value.__class__ is float else np.ones_like(self.value)
        seed = as_value(grad)
        if np.shape(seed) != self.shape:
            raise ValueError(
                f"backward(): the Variable has shape {self.shape}, the gradient {np.shape(seed)}"
            )
        if not self.requires_grad:
            raise ValueError("backward(): nothing that this Variable depends on requires a gradient")
        engine.backward(self, seed)

    def zero_grad(self) -> None:
        """Reset the gradients of this variable and of every variable it depends on to 0."""
        for node in engine.nodes(self):
            node.grad = 0.0

    # --- arithmetic -----------------------------------------------------------------------------

    __add__, __radd__ = _operator(arithmetic.ADD)
    __sub__, __rsub__ = _operator(arithmetic.SUBTRACT)
    __mul__, __rmul__ = _operator(arithmetic.MULTIPLY)
    __truediv__, __rtruediv__ = _operator(arithmetic.DIVIDE)
    __pow__, __rpow__ = _operator(arithmetic.POWER)
    __matmul__, __rmatmul__ = _operator(arithmetic.MATMUL)

    def __neg__(self) -> "Variable":
        return _unary(arithmetic.NEGATE, self)

    # --- entry by entry -------------------------------------------------------------------------

    def tanh(self) -> "Variable":
        """Return the hyperbolic tangent."""
        return _unary(elementwise.TANH, self)

    def exp(self) -> "Variable":
        """Return the exponential."""
        return _unary(elementwise.EXP, self)

    def log(self) -> "Variable":
        """Return the natural logarithm."""
        return _unary(elementwise.LOG, self)

    def relu(self) -> "Variable":
        """Return the larger of the value and 0; the derivative at 0 is 0."""
        return _unary(elementwise.RELU, self)

    def sigmoid(self) -> "Variable":
        """Return 1 / (1 + exp(-x)), computed without overflow."""
        return _unary(elementwise.SIGMOID, self)

    def erf(self) -> "Variable":
        """Return the error function."""
        return _unary(elementwise.ERF, self)

    def sqrt(self) -> "Variable":
        """Return the square root."""
        return _unary(elementwise.SQRT, self)

    def abs(self) -> "Variable":
        """Return the absolute value; the derivative at 0 is 0."""
        return _unary(elementwise.ABS, self)

    __abs__ = abs

    def maximum(self, other: Operand) -> "Variable":
        """Return the larger of two values; where they are equal, each gets half of the gradient."""
        return _binary(elementwise.MAXIMUM, self, other)

    # --- over axes ------------------------------------------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Return the sum over axes, all by default."""
        return _unary(reductions.sum_over(axis, keepdims), self)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Return the mean over axes, all by default."""
        return _unary(reductions.mean_over(axis, keepdims), self)

    def max(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Return the largest entry over axes, all by default; equal ones share the gradient."""
        return _unary(reductions.max_over(axis, keepdims), self)

    def var(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Return the biased variance over axes, all by default, as ``numpy.var`` does."""
        return _unary(reductions.variance_over(axis, keepdims), self)

    def softmax(self, axis: int = -1) -> "Variable":
        """Return exp(x) / sum(exp(x)) along an axis, exact also for entries far apart."""
        return _unary(softmax.softmax_along(axis), self)

    def log_softmax(self, axis: int = -1) -> "Variable":
        """Return the logarithm of softmax, exact also for entries far apart."""
        return _unary(softmax.log_softmax_along(axis), self)

    # --- shapes ---------------------------------------------------------------------------------

    def reshape(self, *shape: int | Shape) -> "Variable":
        """Return the same entries in another shape, given as numbers or as a tuple."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        return _unary(shapes.reshape_to(wanted), self)  # type: ignore[arg-type]

    def transpose(self, *axes: int) -> "Variable":
        """Return the variable with its axes in the order of ``axes``; without any, reversed."""
        return _unary(shapes.transpose_by(axes or None), self)

    @property
    def T(self) -> "Variable":  # noqa: N802 (NumPy's name)
        """The variable with its axes reversed."""
        return self.transpose()

    def __getitem__(self, index: Any) -> "Variable":
        if self._value.__class__ is float:
            raise TypeError("this Variable holds a number, which has no entries to choose from")
        return _unary(shapes.index_by(index), self)


def constant(value: Any, name: str = "") -> Variable:
    """Return a variable that gets no gradient."""
    return Variable(value, requires_grad=False, name=name)


def concatenate(variables: Sequence[Operand], axis: int = 0) -> Variable:
    """Join arrays along an axis, as ``numpy.concatenate`` does.

    Arrays are joined in pairs, then the results, because a node has at most two operands; for n arrays each
    entry is copied about log2(n) times.
    """
    if not variables:
        raise ValueError("concatenate: needs at least one array")
    row = [each if isinstance(each, Variable) else constant(each) for each in variables]
    if any(each._value.__class__ is float for each in row):
        raise ValueError(
            "concatenate: joins arrays, and one of these is a number; x.reshape(1) is an array of it"
        )
    while len(row) > 1:
        pairs = [row[at : at + 2] for at in range(0, len(row), 2)]
        row = [_join(pair[0], pair[1], axis) if len(pair) == 2 else pair[0] for pair in pairs]
    return row[0]


def _join(a: Variable, b: Variable, axis: int) -> Variable:
    if not -len(a.shape) <= axis < len(a.shape):
        raise ValueError(f"concatenate: there is no axis {axis} in the shape {a.shape}")
    return _binary(shapes.concatenate_along(axis, a.shape[axis]), a, b)


def _operand(value: Any) -> Variable:
    """Return a constant for a plain number or array in an expression, without the cost of ``Variable()``."""
    out = _new(Variable)
    out._value = as_value(value)
    out.grad = 0.0
    out.requires_grad = False
    out._operation = out._a = out._b = out._x = out._y = None
    out._pending = 0
    return out


def _binary(operation: Operation, a: Operand, b: Operand) -> Variable:
    """Return the node of an operation on two operands, either of which may be a plain number or array."""
    left = a if isinstance(a, Variable) else _operand(a)
    right = b if isinstance(b, Variable) else _operand(b)
    try:
        value = operation.forward(left._value, right._value)
    except ValueError as error:
        raise _misfit(operation, left, right, error) from None
    return _node(operation, value, left, right)


def _misfit(operation: Operation, a: Variable, b: Variable, error: ValueError) -> ValueError:
    """Return NumPy's error with the operation and both shapes added."""
    return ValueError(f"{operation.symbol}: shapes {a.shape} and {b.shape} do not fit ({error})")


def _unary(operation: Operation, a: Variable) -> Variable:
    """Return the node of an operation on one operand."""
    try:
        value = operation.forward(a._value)
    except (ValueError, IndexError) as error:
        raise type(error)(f"{operation.symbol}: does not fit the shape {a.shape} ({error})") from None
    return _node(operation, value, a, None)


def _node(operation: Operation, value: Any, a: Variable, b: Variable | None) -> Variable:
    out = _new(Variable)
    is_array = value.__class__ is np.ndarray and value.ndim
    out._value = value if value.__class__ is float or is_array else float(value)
    out.grad = 0.0
    out.requires_grad = a.requires_grad or (b is not None and b.requires_grad)
    out._operation = operation
    out._a = a
    out._b = b
    out._x = a._value
    out._y = None if b is None else b._value
    out._pending = 0
    if watching.blocks:
        out = _watched(out)
        if out._operation is None:
            return out
    if out.requires_grad:
        if is_array:
            value.setflags(False)
        if (operation.reads_a and is_users(a)) or (operation.reads_b and b is not None and is_users(b)):
            out._operation = guarded(operation, a, b)
    return out


def _filled(out: Variable, node: Variable, copied: Callable[[Any], Any]) -> Variable:
    """Fill ``out`` with the attributes of ``node``, each passed through ``copied``."""
    for slot in ("_value", "grad", "_a", "_b", "_x", "_y"):
        setattr(out, slot, copied(getattr(node, slot)))
    out.requires_grad, out._operation, out._pending = node.requires_grad, node._operation, 0
    if out._operation is not None and out.requires_grad and out._value.__class__ is np.ndarray:
        out._value.setflags(write=False)
    if (about := getattr(node, "_about", None)) is not None:
        out._about = about._replace(prev=tuple(copied(each) for each in about.prev))
    return out


def _unpickled(value: Value, grad: Any, requires_grad: bool, name: str) -> Variable:
    return Variable(value, grad, requires_grad=requires_grad, name=name)


def _watched(out: Variable) -> Variable:
    """Check a new node in ``detect_anomaly()``, and return it, or in ``no_grad()`` a constant instead."""
    operands: tuple[Value, ...] = tuple(each.value for each in out._prev)
    made_nan = is_detecting_anomalies() and np.isnan(out.value).any()
    if made_nan and not any(np.isnan(each).any() for each in operands):  # else an operand held it
        inputs = " and ".join(describe(each) for each in operands)
        raise FloatingPointError(f"{out._op} made NaN from {inputs}")
    return out if is_recording() else constant(out.value)
