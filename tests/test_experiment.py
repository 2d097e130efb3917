"""Many configs at once: grouped into stacks, each run as if it were alone, results in the order given."""

import numpy as np

from micrograde.assembly import stack_key
from micrograde.config_parsing import parse_train_config
from micrograde.experiment import run_experiments


def config(**changes):
    container = {
        "data": {"name": "moons", "samples": 100},
        "model": {"hidden_size": 4},
        "optimizer": {"name": "sgd"},
        "schedule": {"name": "constant"},
        "training": {"num_epochs": 3},
        "tracking": {"name": "disabled"},
    }
    for key, value in changes.items():
        here = container
        *groups, last = key.split("__")
        for group in groups:
            here = here[group]
        here[last] = value
    return parse_train_config(container)


def test_what_differs_in_numbers_stacks_and_what_differs_in_shapes_does_not():
    plain = config()
    for same in (
        config(seed=3),
        config(optimizer__learning_rate=0.5),
        config(model__initial_scale=2.0),
        config(schedule={"name": "cosine", "warmup_epochs": 1}),
        config(experiment_name="other"),
    ):
        assert stack_key(same) == stack_key(plain)
    for other in (
        config(model__hidden_size=5),
        config(model__activation="relu"),
        config(training__batch_size=16),
        config(training__num_epochs=4),
        config(training__dtype="float64"),
        config(data__seed=1),
        config(optimizer={"name": "adam"}),
        config(optimizer__momentum=0.9),
        config(optimizer__weight_decay=0.1),
    ):
        assert stack_key(other) != stack_key(plain)


def test_results_come_in_the_order_given_and_equal_each_run_alone():
    configs = [
        config(seed=1),
        config(model__hidden_size=5),
        config(seed=2, optimizer__learning_rate=0.05),
        config(optimizer__learning_rate=1e38, model__batch_norm=False),
        config(seed=1, schedule={"name": "step", "step_epochs": 1}),
        config(model__hidden_size=5, seed=9),
        config(seed=3, model__batch_norm=False),
    ]
    together = run_experiments(configs)
    assert [result.config for result in together] == configs
    for result in together:
        (alone,) = run_experiments([result.config])
        assert alone == result
    assert [result.status for result in together] == ["FINISHED"] * 3 + ["FAILED"] + ["FINISHED"] * 3
    assert np.isfinite(together[0].test["test/loss"])
