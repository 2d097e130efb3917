"""How findings word a share and the numbers of layers."""

from collections.abc import Mapping, Sequence


def percent(share: float) -> str:
    """Return ``12 %`` for 0.12."""
    return f"{100 * share:.0f} %"


def layers(numbers: Sequence[str] | Mapping[str, float]) -> str:
    """Return ``layer 1``, ``layers 1 and 2`` or ``layers 1, 2 and 3``."""
    *others, last = numbers
    return f"layers {', '.join(others)} and {last}" if others else f"layer {last}"
