"""``Variable``: a number or an array that remembers how it was made, and can say what changes it."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Union

import numpy as np

from micrograde.autograd import arithmetic, elementwise, engine, reductions, shapes, softmax
from micrograde.autograd.guards import guarded, is_users
from micrograde.autograd.modes import is_detecting_anomalies, is_recording, watching
from micrograde.autograd.node import Node
from micrograde.autograd.operation import Operation
from micrograde.autograd.reductions import Axis
from micrograde.autograd.values import FloatArray, Shape, Value, as_value, describe

Operand = Union["Variable", float, FloatArray]


class _About(NamedTuple):
    """What few nodes have: a name, or an origin that was given by hand."""

    name: str
    op: str
    prev: tuple["Variable", ...]


_NOTHING = _About("", "", ())

BinaryMethod = Callable[["Variable", Any], "Variable"]

_new = object.__new__


def _operator(operation: Operation) -> tuple[BinaryMethod, BinaryMethod]:
    """The method for an operator, and the one for a plain number or array on its left.

    Two numbers are what a scalar graph is made of by the ten thousand, so for them the node is made right
    here, without a further call.
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
    ``backward`` of one of them gives all that it depends on their gradients.

    Parameters
    ----------
    value
        A number, kept as a Python float, or an array, kept as it is if it holds floats.
    grad
        The gradient so far.
    _prev, _op
        As in the notebook, for a node made by hand: its inputs and the name of what made it. Such a node
        is a leaf to ``backward``, which does not know how it was made.
    requires_grad
        False makes a constant: no gradient is computed for it, and it is not drawn as a parameter.
    name
        Shown where the graph is drawn.

    Attributes
    ----------
    grad
        The gradient of what ``backward`` was last called on, 0.0 before. In leaves, those that no
        operation made, gradients of several calls add up, as in PyTorch; see ``zero_grad``.

    Notes
    -----
    ``a += b`` makes a new node, like ``a = a + b``. Variables are compared by identity. Values are what NumPy
    gives, also for log(-1), 1 / 0 and overflow.
    """

    __slots__ = ("_about",)
    __array_ufunc__ = None  # so that NumPy leaves array + variable to us

    drawer: ClassVar[Callable[["Variable"], str] | None] = None
    """What draws a variable's graph as SVG for Jupyter; ``micrograde`` sets it."""

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
                f"value: this Variable is what {self._op} gave, and stays that; "
                "make a new one of another value"
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
        """Shown where the graph is drawn; empty by default."""
        return getattr(self, "_about", _NOTHING).name

    @name.setter
    def name(self, name: str) -> None:
        self._about = getattr(self, "_about", _NOTHING)._replace(name=name)

    @property
    def shape(self) -> Shape:
        """Of the value; ``()`` for a number."""
        return () if self._value.__class__ is float else self._value.shape

    def __repr__(self) -> str:
        return f"Variable(value={self.value}, grad={self.grad})"

    # --- what Python asks of any object ----------------------------------------------------------

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
        """Whether an entry equals the number."""
        return bool(np.any(self._value == (item._value if isinstance(item, Variable) else item)))

    def __copy__(self) -> "Variable":
        """The same value and gradient, made from the same operands."""
        return _filled(_new(Variable), self, lambda each: each)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Variable":
        """A copy of the whole graph, whose depth does not matter."""
        found = [node for node in engine.nodes(self) if id(node) not in memo]
        for node in found:
            memo[id(node)] = _new(Variable)
        for node in found:
            _filled(memo[id(node)], node, lambda each: copy.deepcopy(each, memo))
        copied: Variable = memo[id(self)]
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        """Value, gradient and name are pickled, and not how it was made: what comes back is a leaf."""
        return _unpickled, (self._value, self.grad, self.requires_grad, self.name)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What Jupyter shows: the graph."""
        bundle = {"text/plain": repr(self)}
        if Variable.drawer is not None:
            bundle["image/svg+xml"] = Variable.drawer(self)
        return bundle

    # --- gradients ------------------------------------------------------------------------------

    def backward(self, grad: Any = None) -> None:
        """Compute the gradient of this variable with respect to all that it depends on.

        Parameters
        ----------
        grad
            The gradient of this variable to start from, of its shape; for a number 1.0 by default. For
            an array it says how the entries are weighted: the result is the gradient of
            ``(grad * self).sum()``.

        Raises
        ------
        ValueError
            If an array is not given a seed, or one of another shape.
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
        """Forget the gradients of this variable and of all that it depends on."""
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
        """Hyperbolic tangent."""
        return _unary(elementwise.TANH, self)

    def exp(self) -> "Variable":
        """Exponential."""
        return _unary(elementwise.EXP, self)

    def log(self) -> "Variable":
        """Natural logarithm."""
        return _unary(elementwise.LOG, self)

    def relu(self) -> "Variable":
        """The larger of the value and 0; the derivative at 0 is 0."""
        return _unary(elementwise.RELU, self)

    def sigmoid(self) -> "Variable":
        """1 / (1 + exp(-x)), without overflow."""
        return _unary(elementwise.SIGMOID, self)

    def sqrt(self) -> "Variable":
        """Square root."""
        return _unary(elementwise.SQRT, self)

    def abs(self) -> "Variable":
        """Absolute value; the derivative at 0 is 0."""
        return _unary(elementwise.ABS, self)

    __abs__ = abs

    def maximum(self, other: Operand) -> "Variable":
        """The larger of two; where they are equal each gets half of the gradient."""
        return _binary(elementwise.MAXIMUM, self, other)

    # --- over axes ------------------------------------------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Sum over axes, all by default."""
        return _unary(reductions.sum_over(axis, keepdims), self)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Mean over axes, all by default."""
        return _unary(reductions.mean_over(axis, keepdims), self)

    def max(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Largest entry over axes, all by default; equal ones share the gradient."""
        return _unary(reductions.max_over(axis, keepdims), self)

    def var(self, axis: Axis = None, keepdims: bool = False) -> "Variable":
        """Biased variance over axes, all by default, as ``numpy.var``."""
        return _unary(reductions.variance_over(axis, keepdims), self)

    def softmax(self, axis: int = -1) -> "Variable":
        """exp(x) / sum(exp(x)) along an axis, exact for entries far apart."""
        return _unary(softmax.softmax_along(axis), self)

    def log_softmax(self, axis: int = -1) -> "Variable":
        """The logarithm of softmax, exact for entries far apart."""
        return _unary(softmax.log_softmax_along(axis), self)

    # --- shapes ---------------------------------------------------------------------------------

    def reshape(self, *shape: int | Shape) -> "Variable":
        """The same entries in another shape, given as numbers or as a tuple."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        return _unary(shapes.reshape_to(wanted), self)  # type: ignore[arg-type]

    def transpose(self, *axes: int) -> "Variable":
        """The axes in another order; without any, in reverse."""
        return _unary(shapes.transpose_by(axes or None), self)

    @property
    def T(self) -> "Variable":  # noqa: N802 (NumPy's name)
        """The axes in reverse order."""
        return self.transpose()

    def __getitem__(self, index: Any) -> "Variable":
        if self._value.__class__ is float:
            raise TypeError("this Variable holds a number, which has no entries to choose from")
        return _unary(shapes.index_by(index), self)


def constant(value: Any, name: str = "") -> Variable:
    """A variable that gets no gradient."""
    return Variable(value, requires_grad=False, name=name)


def concatenate(variables: Sequence[Operand], axis: int = 0) -> Variable:
    """Join arrays along an axis, as ``numpy.concatenate``.

    Two by two, like a tournament: every node has at most two operands, and each entry is copied as often
    as the tree is deep.
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
    """A plain number or array in an expression: a constant, made quickly."""
    out = _new(Variable)
    out._value = as_value(value)
    out.grad = 0.0
    out.requires_grad = False
    out._operation = out._a = out._b = out._x = out._y = None
    out._pending = 0
    return out


def _binary(operation: Operation, a: Operand, b: Operand) -> Variable:
    """The node of an operation on two operands, either of which may be a plain number or array."""
    left = a if isinstance(a, Variable) else _operand(a)
    right = b if isinstance(b, Variable) else _operand(b)
    try:
        value = operation.forward(left._value, right._value)
    except ValueError as error:
        raise _misfit(operation, left, right, error) from None
    return _node(operation, value, left, right)


def _misfit(operation: Operation, a: Variable, b: Variable, error: ValueError) -> ValueError:
    """NumPy's error with the operation and both shapes."""
    return ValueError(f"{operation.symbol}: shapes {a.shape} and {b.shape} do not fit ({error})")


def _unary(operation: Operation, a: Variable) -> Variable:
    """The node of an operation on one operand."""
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
    """Give ``out`` copies of all that a node has."""
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
    """A node made while some block is open: looked at, or forgotten how it was made."""
    operands: tuple[Value, ...] = tuple(each.value for each in out._prev)
    made_nan = is_detecting_anomalies() and np.isnan(out.value).any()
    if made_nan and not any(np.isnan(each).any() for each in operands):  # else it is older than the block
        inputs = " and ".join(describe(each) for each in operands)
        raise FloatingPointError(f"{out._op} made NaN from {inputs}")
    return out if is_recording() else constant(out.value)
