"""Our regressor beside scikit-learn's: test RMSE on its diabetes with the same settings, time of a fit.

    python -m benchmarks.numbers [--seeds 10] [--first 0]

Both get the same hidden size, epochs, batch size, activation, optimizer and learning rate, standardized
features and a standardized target; scikit-learn's learns half the squared error, ours the loss that stands
there. Its rate is twice ours for ``mse``, which is the whole squared error, with sgd. What is each one's own
is at its default: ours has Xavier's normal weights and a weight decay of 4 / N (sgd) or 2 / N (adam), scikit-
learn's Glorot's uniform weights and an L2 penalty of 1e-4 / N, which it scales so itself. scikit-learn's
stops early by its own training loss unless it is told not to, which it is. A seed is that of the split (a
fifth of the rows are the test part), of the weights and of the batches.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor as Peer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from micrograde.api.regressor import MLPRegressor

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "our defaults: 32 tanh, huber, sgd 0.2, batch 32, 50 epochs": {},
    "without weight decay, as in a run that does not stop early": {"weight_decay": 0.0},
    "with the squared error: mse, sgd 0.05": {"loss": "mse", "learning_rate": 0.05},
    "huber, sgd 0.05": {"learning_rate": 0.05},
    "with adam 0.01, huber": {"optimizer": "adam"},
    "with adam 0.01, mse": {"optimizer": "adam", "loss": "mse"},
    "scikit-learn's defaults: 100 relu, mse, adam 0.001, batch 200, 200 epochs": {
        "hidden_size": 100,
        "activation": "relu",
        "loss": "mse",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "batch_size": 200,
        "num_epochs": 200,
    },
}
RATES = {"sgd": 0.2, "adam": 0.01}
MOST = 1.02  # times the error of scikit-learn's


def peer(ours: MLPRegressor) -> RegressorMixin:
    """scikit-learn's regressor with the same settings, whose loss is half the squared error."""
    rate = ours.learning_rate or RATES[ours.optimizer]
    twice = 2 if ours.loss == "mse" and ours.optimizer == "sgd" else 1
    network = Peer(
        hidden_layer_sizes=ours.hidden_size,
        activation={"sigmoid": "logistic"}.get(str(ours.activation), ours.activation),
        solver=ours.optimizer,
        learning_rate_init=twice * rate,
        momentum=ours.momentum,
        nesterovs_momentum=ours.nesterov,
        batch_size=ours.batch_size,
        max_iter=ours.num_epochs,
        n_iter_no_change=ours.num_epochs,
        random_state=ours.random_state,
    )
    return TransformedTargetRegressor(make_pipeline(StandardScaler(), network), transformer=StandardScaler())


def errors_and_times(settings: Mapping[str, Any], seeds: range) -> dict[str, list[tuple[float, float]]]:
    """Test RMSE and the seconds of the fit, by whose regressor it is, for each seed."""
    features, targets = load_diabetes(return_X_y=True)
    found: dict[str, list[tuple[float, float]]] = {"micrograde": [], "scikit-learn": []}
    for seed in seeds:
        train, test, known, wanted = train_test_split(features, targets, test_size=0.2, random_state=seed)
        ours = MLPRegressor(**settings, random_state=seed)
        for who, regressor in (("micrograde", ours), ("scikit-learn", peer(ours))):
            start = time.perf_counter()
            regressor.fit(train, known)
            seconds = time.perf_counter() - start
            found[who].append((float(np.sqrt(np.mean((regressor.predict(test) - wanted) ** 2))), seconds))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are what is asked for
    print(f"test RMSE of {len(seeds)} seeds: mean, worst; mean seconds of a fit")
    MLPRegressor(num_epochs=1).fit(*load_diabetes(return_X_y=True))  # what is imported at the first fit
    with threadpool_limits(limits=1):
        for title, settings in SETTINGS.items():
            print(f"\n{title}")
            means = {}
            for who, values in errors_and_times(settings, seeds).items():
                errors, seconds = zip(*values, strict=True)
                means[who] = statistics.mean(errors)
                print(f"  {who:13} {means[who]:7.2f} {max(errors):7.2f}   {statistics.mean(seconds):.3f} s")
            ratio = means["micrograde"] / means["scikit-learn"]
            verdict = "at most" if ratio <= MOST else "MORE THAN"
            print(f"  {'':13} {ratio:.3f} times the error ({verdict} {MOST})")


if __name__ == "__main__":
    main()
