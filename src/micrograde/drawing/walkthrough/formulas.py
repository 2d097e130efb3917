"""The formulas of every operation as text: its value, its derivatives, and the gradients of its operands.

In the formulas ``{a}`` and ``{b}`` are the operands, ``{out}`` is the result and ``{g}`` its gradient; the
page replaces them with letters, or with numbers where it has them. Equations are named as in docs/autograd/.
"""

from dataclasses import dataclass
from typing import Literal

from micrograde.autograd import Variable

Way = Literal["factor", "matrix", "softmax", "move", "unknown"]
"""How an operand's share follows from the gradient of the output.

factor: multiply by a derivative, entry by entry, after spreading the gradient of a reduction; matrix:
multiply by the other factor, transposed; softmax: every entry depends on all others; move: entries go back
to where they came from; unknown: a node that was made by hand.
"""


@dataclass(frozen=True)
class Formula:
    """The formulas of one operation.

    Attributes
    ----------
    words
        Its name in a sentence.
    forward
        The formula of the result.
    derivatives
        The derivative of the result with respect to each operand.
    rules
        The share of the gradient that each operand gets.
    explained
        The reason, in a sentence.
    equations
        The equations in docs/autograd/ that derive it, such as E1.
    """

    words: str
    forward: str
    derivatives: tuple[str, ...]
    rules: tuple[str, ...]
    explained: str
    equations: str
    way: Way = "factor"


FORMULAS = {
    "+": Formula(
        "sum of two",
        "{a} + {b}",
        ("1", "1"),
        ("{g}", "{g}"),
        "A sum changes as much as either operand does: the gradient goes to both unchanged.",
        "A1",
    ),
    "-": Formula(
        "difference",
        "{a} − {b}",
        ("1", "−1"),
        ("{g}", "−{g}"),
        "The left operand gets the gradient unchanged, the right one with the sign turned.",
        "A2",
    ),
    "*": Formula(
        "product",
        "{a} × {b}",
        ("{b}", "{a}"),
        ("{g} × {b}", "{g} × {a}"),
        "Each operand is weighted by the other: its share is the gradient times the other operand.",
        "A3",
    ),
    "/": Formula(
        "quotient",
        "{a} / {b}",
        ("1 / {b}", "−{out} / {b}"),
        ("{g} / {b}", "−{g} × {out} / {b}"),
        "The quotient rule; the result stands in for a / b.",
        "A4",
    ),
    "neg": Formula(
        "negation", "−{a}", ("−1",), ("−{g}",), "The sign turns on the way forward and on the way back.", "A2"
    ),
    "**": Formula(
        "power",
        "{a}^{b}",
        ("{b} × {a}^({b} − 1)", "{out} × log({a})"),
        ("{g} × {b} × {a}^({b} − 1)", "{g} × {out} × log({a})"),
        "To the base the power rule, to the exponent the derivative of e^(b log a); 0 where b = 0 or a = 0.",
        "A5, A6",
    ),
    "@": Formula(
        "matrix product",
        "{a} @ {b}",
        ("{b}ᵀ, from the right", "{a}ᵀ, from the left"),
        ("{g} @ {b}ᵀ", "{a}ᵀ @ {g}"),
        "Every entry of a factor appears in a whole row or column of the product, so its share sums over it: "
        "that is again a matrix product, with the other factor transposed.",
        "A7, A8",
        "matrix",
    ),
    "tanh": Formula(
        "hyperbolic tangent",
        "tanh({a})",
        ("1 − {out}²",),
        ("{g} × (1 − {out}²)",),
        "Steep around 0, flat where tanh is near −1 or 1: there little of the gradient passes.",
        "E1",
    ),
    "exp": Formula(
        "exponential",
        "exp({a})",
        ("{out}",),
        ("{g} × {out}",),
        "The exponential is its own derivative.",
        "E2",
    ),
    "log": Formula(
        "natural logarithm",
        "log({a})",
        ("1 / {a}",),
        ("{g} / {a}",),
        "The smaller the number, the steeper its logarithm.",
        "E3",
    ),
    "relu": Formula(
        "rectifier",
        "max({a}, 0)",
        ("[{a} > 0]",),
        ("{g} × [{a} > 0]",),
        "The gradient passes where a > 0 and is stopped elsewhere, at 0 too.",
        "E4",
    ),
    "sigmoid": Formula(
        "logistic function",
        "1 / (1 + exp(−{a}))",
        ("{out} × (1 − {out})",),
        ("{g} × {out} × (1 − {out})",),
        "At most a quarter of the gradient passes, and hardly any where the result is near 0 or 1.",
        "E5",
    ),
    "erf": Formula(
        "error function",
        "erf({a})",
        ("2 × exp(−{a}²) / √π",),
        ("{g} × 2 × exp(−{a}²) / √π",),
        "Steepest at 0; where erf is near −1 or 1 little of the gradient passes.",
        "E9",
    ),
    "sqrt": Formula(
        "square root",
        "√({a})",
        ("1 / (2 × {out})",),
        ("{g} / (2 × {out})",),
        "From out² = a follows 2 out d out = da.",
        "E6",
    ),
    "abs": Formula(
        "absolute value",
        "|{a}|",
        ("sign({a})",),
        ("{g} × sign({a})",),
        "The gradient takes the operand's sign; at 0 nothing passes.",
        "E7",
    ),
    "maximum": Formula(
        "larger of two",
        "max({a}, {b})",
        ("[{a} > {b}], ½ if equal", "[{b} > {a}], ½ if equal"),
        ("{g} × [{a} > {b}]", "{g} × [{b} > {a}]"),
        "The larger operand gets the gradient; where both are equal each gets half.",
        "E8",
    ),
    "sum": Formula(
        "sum over axes",
        "sum({a})",
        ("1",),
        ("{g}, spread over the summed entries",),
        "Every entry counts once, so each gets the gradient of its sum.",
        "R1",
    ),
    "mean": Formula(
        "mean over axes",
        "mean({a})",
        ("1 / n",),
        ("{g} / n, spread over the n entries",),
        "Each of the n entries counts 1/n.",
        "R2",
    ),
    "max": Formula(
        "largest over axes",
        "max({a})",
        ("[{a} = {out}] / k",),
        ("{g} × [{a} = {out}] / k",),
        "The largest entry takes all; k that are equal share alike.",
        "R3",
    ),
    "var": Formula(
        "variance over axes",
        "mean(({a} − mean({a}))²)",
        ("2 × ({a} − mean({a})) / n",),
        ("{g} × 2 × ({a} − mean({a})) / n",),
        "Entries far from the mean move the variance most.",
        "R4",
    ),
    "reshape": Formula(
        "other shape",
        "reshape({a})",
        ("1, moved",),
        ("{g}, in the shape of {a}",),
        "The entries stay as they are, so the gradient is put back into the operand's shape.",
        "S1",
        "move",
    ),
    "transpose": Formula(
        "axes in another order",
        "transpose({a})",
        ("1, moved",),
        ("{g}, with the axes put back",),
        "The gradient of a move is the move back.",
        "S2",
        "move",
    ),
    "index": Formula(
        "some of the entries",
        "{a}[index]",
        ("1 where taken, else 0",),
        ("zeros, with {g} added where entries were taken",),
        "What was not taken changes nothing; what was taken twice gets both parts.",
        "S3",
        "move",
    ),
    "concatenate": Formula(
        "two in a row",
        "concatenate({a}, {b})",
        ("1, moved", "1, moved"),
        ("the first piece of {g}", "the last piece of {g}"),
        "Each operand gets back its own piece.",
        "S4",
        "move",
    ),
    "softmax": Formula(
        "softmax",
        "exp({a}) / Σ exp({a})",
        ("pᵢ × ([i = j] − pⱼ), p = {out}",),
        ("p × ({g} − Σ {g} p), p = {out}",),
        "Raising one entry lowers all others, so gradients count relative to their mean, weighted by p.",
        "M1, M2",
        "softmax",
    ),
    "log_softmax": Formula(
        "logarithm of softmax",
        "{a} − log(Σ exp({a}))",
        ("[i = j] − pⱼ, p = exp({out})",),
        ("{g} − p × Σ {g}, p = exp({out})",),
        "Raising one entry lowers all others by its probability p.",
        "M3, M4",
        "softmax",
    ),
}

_BY_HAND = Formula(
    "operation unknown to the engine", "made by hand", (), (), "The engine does not know how.", "", "unknown"
)


def formula_of(node: Variable) -> Formula:
    """Return the formulas of a node's operation; of a node made by hand, one that says so if it is unknown.

    Raises
    ------
    LookupError
        If an operation of the engine has no formulas.
    """
    if node._op in FORMULAS:
        return FORMULAS[node._op]
    if node._operation is None:
        return _BY_HAND
    raise LookupError(f"the operation {node._op} has no formulas in {__name__}")
