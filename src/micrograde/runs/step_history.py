"""What a run has measured every n steps of the optimizer, ``training.log_every``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micrograde.metrics import STEP
from micrograde.tracking import RunRecorder

_NUMBERS = 50_000  # that are recorded at once, at most: a line of the journal of a megabyte


@dataclass
class StepHistory:
    """The values of metrics, by their recorded names, ``step/train/loss``, at some steps.

    They come in pieces, which may be views of what all runs of a stack have measured, so that nothing is
    copied for each run.
    """

    _steps: list[NDArray[np.int64]] = field(default_factory=list)
    _values: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)

    @classmethod
    def of(cls, steps: NDArray[np.int64], values: Mapping[str, NDArray[np.float64]]) -> "StepHistory":
        """Return the history of whole arrays, (K,) each."""
        return cls([steps], {name: [each] for name, each in values.items()}) if len(steps) else cls()

    def add(self, steps: NDArray[np.int64], values: Mapping[str, NDArray[np.float64]]) -> None:
        """Add values (K,) at the next steps (K,)."""
        self._steps.append(steps)
        for name, each in values.items():
            self._values.setdefault(name, []).append(each)

    @property
    def names(self) -> tuple[str, ...]:
        """The recorded names of the metrics."""
        return tuple(self._values)

    @property
    def steps(self) -> NDArray[np.int64]:
        """(K,), ascending."""
        return np.concatenate([np.empty(0, np.int64), *self._steps])

    def values(self) -> dict[str, NDArray[np.float64]]:
        """Return the values of each metric, (K,)."""
        return {name: np.concatenate(each) for name, each in self._values.items()}

    def points(self) -> dict[str, dict[int, float]]:
        """Return the value of each metric by step."""
        steps = self.steps.tolist()
        return {name: dict(zip(steps, each.tolist(), strict=True)) for name, each in self.values().items()}

    def __bool__(self) -> bool:
        """Return whether there is any value."""
        return bool(self._steps)


def recorded_steps(metrics: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Return the metrics of steps by their recorded names."""
    return {f"{STEP}{name}": values for name, values in metrics.items()}


def log_steps(
    recorder: RunRecorder,
    runs: Sequence[int],
    steps: NDArray[np.int64],
    values: Mapping[str, NDArray[np.float64]],
) -> None:
    """Record the values (K, R) of metrics of several runs at steps (K,), some thousand numbers at a time."""
    at_once = max(1, _NUMBERS // max(1, len(values) * len(runs)))
    for start in range(0, len(steps), at_once):
        part = slice(start, start + at_once)
        listed = {name: each[part].tolist() for name, each in values.items()}
        recorder.log_steps(runs, steps[part].tolist(), listed)
