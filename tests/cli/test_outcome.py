"""What is said of a run's columns at its end."""

import numpy as np
import pytest

from micrograde.cli.commands.train import columns_that_matter
from micrograde.diagnostics import Estimates, Importances


def importances(means, room, part="val", metric="accuracy"):
    means = np.array(means)
    drop = Estimates(means, means - room, means + room)
    names = tuple(f"column {number}" for number in range(len(means)))
    return Importances(part, 34, 40, metric, 0.9, 0.3, names, (slice(0, 1),) * len(means), drop, drop)


@pytest.mark.parametrize(
    ("means", "room", "part", "said"),
    [
        (
            [0.3, 0.2, 0.1, 0.05],
            0.01,
            "val",
            "what shuffling one costs of the accuracy on 34 validation rows: "
            "'column 0' 0.3000 ± 0.0100, 'column 1' 0.2000 ± 0.0100, 'column 2' 0.1000 ± 0.0100",
        ),
        (
            [0.3, 0.01],
            0.02,
            "train",
            "what shuffling one costs of the accuracy on 34 training rows: 'column 0' 0.3000 ± 0.0200",
        ),
        ([0.01, -0.3], 0.01, "val", ""),
    ],
)
def test_the_columns_that_cost_accuracy_are_named(means, room, part, said):
    assert columns_that_matter(importances(means, room, part)) == said


def test_what_columns_add_to_an_error_is_told_in_its_unit():
    said = columns_that_matter(importances([30000.0, 2.0], 1.0, metric="rmse"))
    assert said == (
        "how much shuffling one raises the rmse on 34 validation rows: 'column 0' 30000 ± 1, 'column 1' 2 ± 1"
    )
