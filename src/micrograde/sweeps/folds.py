"""A run for each fold and each repeat, where a config asks for folds and names none."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from micrograde.core.errors import InputError
from micrograde.sweeps.options import MOST_RUNS_OF_SWEEP

FOLD, FOLDS, REPEAT, REPEATS = "data.fold", "data.folds", "data.repeat", "data.repeats"


@dataclass(frozen=True)
class HeldOut:
    """The folds and repeats that a config stands for.

    Attributes
    ----------
    space
        How many values ``data.repeat`` and ``data.fold`` take, of those that are not given.
    folds
        ``data.folds``; None without folds.
    """

    space: Mapping[str, int]
    folds: int | None = None

    def overrides(self) -> list[tuple[str, ...]]:
        """Return what is to be set for each run: the first repeat's folds, then the next one's."""
        found: list[tuple[str, ...]] = [()]
        for key, count in self.space.items():
            found = [(*each, f"{key}={value}") for each in found for value in range(count)]
        return found

    def swept(self) -> dict[str, str]:
        """Return the values of each key, as they are typed."""
        return {key: f"range({count})" for key, count in self.space.items()}


def held_out(data: Any) -> HeldOut:
    """Return the folds that the composed keys of ``data`` stand for; none if they name a run, or are wrong.

    What is wrong with them is said when they are parsed.

    Raises
    ------
    InputError
        If they make more runs than a sweep may have, or repeats by time, which would be the same.
    """
    given = data if isinstance(data, Mapping) else {}
    folds, repeats = given.get("folds"), given.get("repeats", 1)
    if not (_is_count(folds, 2) and _is_count(repeats, 1)):
        return HeldOut({})
    space = {}
    if given.get("repeat") is None and repeats > 1:
        if given.get("time") is not None:
            raise InputError(
                f"{REPEATS}={repeats}: by data.time nothing is drawn, so that all repeats would be the same; "
                f"leave out {REPEATS}"
            )
        space[REPEAT] = repeats
    if given.get("fold") is None:
        space[FOLD] = folds
    check_number(space)
    return HeldOut(space, folds)


def check_number(space: Mapping[str, int], others: int = 1) -> None:
    """Raise ``InputError`` if folds, repeats and ``others``, the other combinations, are too many runs."""
    runs = others
    for count in space.values():
        runs *= count
    if space and runs > MOST_RUNS_OF_SWEEP:
        number = str(runs) if runs < 10**18 else "over 10**18"
        raise InputError(f"{FOLDS} and {REPEATS}: make {number} runs; a sweep may have {MOST_RUNS_OF_SWEEP}")


def with_values(container: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a composed config with a fold and a repeat set."""
    changed = {**container, "data": deepcopy(container["data"])}
    for text in overrides:
        key, _, value = text.partition("=")
        changed["data"][key.removeprefix("data.")] = int(value)
    return changed


def first_run(composed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of the first of the runs that a config stands for."""
    return with_values(composed, held_out(composed.get("data")).overrides()[0])


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
