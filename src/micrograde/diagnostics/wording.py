"""How findings word a share, the numbers of layers, and advice."""

from collections.abc import Mapping, Sequence
from typing import Literal

Sure = Literal["certainly", "probably", "perhaps"]
"""How sure a finding is of what it takes for the cause.

``certainly`` is what was counted or follows from it; ``probably`` is a rule of thumb, whose truth
``benchmarks/findings.py`` measures; ``perhaps`` is one cause of several.
"""


def percent(share: float) -> str:
    """Return ``12 %`` for 0.12."""
    return f"{100 * share:.0f} %"


def layers(numbers: Sequence[str] | Mapping[str, float]) -> str:
    """Return ``layer 1``, ``layers 1 and 2`` or ``layers 1, 2 and 3``."""
    *others, last = numbers
    return f"layers {', '.join(others)} and {last}" if others else f"layer {last}"


def because(sure: Sure, cause: str, *typed: str) -> str:
    """Return ``: probably the steps are too large; try optimizer.learning_rate=0.01``.

    Without something to type the sentence ends with the cause.
    """
    return f": {sure} {cause}" + (f"; try {' '.join(typed)}" if typed else "")
