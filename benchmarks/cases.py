"""What is trained: the sizes of a network, its batches, and data for it."""

from dataclasses import dataclass

import numpy as np

LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Case:
    """A network (inputs, hidden, classes) with batch norm and tanh, in float32 by plain SGD.

    ``stacks`` are the numbers of replicas to train together. An epoch has ``steps`` batches; a round of
    measuring trains ``epochs`` of them alone and ``stack_epochs`` of them in a stack.
    """

    name: str
    inputs: int
    hidden: int
    classes: int
    batch: int
    stacks: tuple[int, ...]
    steps: int
    epochs: int
    stack_epochs: int

    @property
    def rows(self) -> int:
        """Rows of training data."""
        return self.batch * self.steps

    def epochs_of(self, models: int) -> int:
        """How many epochs a round has when so many models train."""
        return self.epochs if models == 1 else self.stack_epochs

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Features (rows, inputs) in float32 and labels (rows,) that depend on them a little."""
        random = np.random.default_rng(0)
        labels = random.integers(0, self.classes, self.rows)
        centers = random.standard_normal((self.classes, self.inputs))
        features = 0.5 * centers[labels] + random.standard_normal((self.rows, self.inputs))
        return features.astype(np.float32), labels

    def weights(self, seed: int) -> list[np.ndarray]:
        """The initial weights of every engine's replica number ``seed``."""
        random = np.random.default_rng([1, seed])
        sizes = ((self.inputs, self.hidden), (self.hidden, self.classes))
        return [(0.1 * random.standard_normal(shape)).astype(np.float32) for shape in sizes]


NOTEBOOK = Case("notebook 3-5-2, 10 rows", 3, 5, 2, 10, (16, 64, 256), 20, 50, 10)
DIGITS = Case("digits 64-32-10, batch 32", 64, 32, 10, 32, (16, 64, 256), 36, 20, 10)
MIDDLE = Case("784-128-10, batch 128", 784, 128, 10, 128, (16, 64, 256), 8, 8, 2)
WIDE = Case("784-1024-10, batch 256", 784, 1024, 10, 256, (16, 64), 4, 2, 1)
CASES = (NOTEBOOK, DIGITS, MIDDLE, WIDE)
