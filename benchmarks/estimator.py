"""Our classifier beside scikit-learn's: test accuracy on real data with the same settings, time of a fit.

    python -m benchmarks.estimator [--seeds 5] [--first 0]

Both get the same hidden size, epochs, batch size, activation, optimizer and learning rate, and standardized
features. What is each one's own is at its default: ours has Xavier's normal weights and a weight decay of
4 / N (sgd) or 2 / N (adam), scikit-learn's Glorot's uniform weights and an L2 penalty of 1e-4 / N, which it
scales so itself. scikit-learn's stops early by its own training loss unless it is told not to, which it is.
A seed is that of the split (a fifth of the rows are the test part, by class), of the weights and of the
batches. The ratio of times is of the sums over the seeds, one thread each.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Mapping
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as Peer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from micrograde.api.estimator import MLPClassifier

DATA = {"digits": load_digits, "wine": load_wine, "breast_cancer": load_breast_cancer}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "our defaults: 32 tanh, sgd 0.2, batch 32, 50 epochs": {},
    "our adam: 32 tanh, adam 0.01, batch 32, 50 epochs": {"optimizer": "adam"},
    "scikit-learn's defaults: 100 relu, adam 0.001, batch 200, 200 epochs": {
        "hidden_size": 100,
        "activation": "relu",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "batch_size": 200,
        "num_epochs": 200,
    },
}
RATES = {"sgd": 0.2, "adam": 0.01}


def peer(ours: MLPClassifier) -> ClassifierMixin:
    """scikit-learn's classifier with the same settings."""
    network = Peer(
        ours.hidden_size,
        activation={"sigmoid": "logistic"}.get(str(ours.activation), ours.activation),
        solver=ours.optimizer,
        learning_rate_init=ours.learning_rate or RATES[ours.optimizer],
        momentum=ours.momentum,
        nesterovs_momentum=ours.nesterov,
        batch_size=ours.batch_size,
        max_iter=ours.num_epochs,
        n_iter_no_change=ours.num_epochs,
        random_state=ours.random_state,
    )
    return make_pipeline(StandardScaler(), network)


def score(classifier: ClassifierMixin, parts: list[Any]) -> tuple[float, float]:
    """Accuracy on the test part in per cent, and the seconds of the fit."""
    train, test, train_labels, test_labels = parts
    start = time.perf_counter()
    classifier.fit(train, train_labels)
    seconds = time.perf_counter() - start
    return 100 * classifier.score(test, test_labels), seconds


def compare(name: str, settings: Mapping[str, Any], seeds: range) -> None:
    """Print the rows of one data set."""
    features, labels = DATA[name](return_X_y=True)
    accuracies: dict[str, list[float]] = {"micrograde": [], "scikit-learn": []}
    times = dict.fromkeys(accuracies, 0.0)
    for seed in seeds:
        parts = train_test_split(features, labels, test_size=0.2, stratify=labels, random_state=seed)
        ours = MLPClassifier(**settings, random_state=seed)
        for who, classifier in (("micrograde", ours), ("scikit-learn", peer(ours))):
            accuracy, seconds = score(classifier, [each.copy() for each in parts])
            accuracies[who].append(accuracy)
            times[who] += seconds
    for who, values in accuracies.items():
        print(
            f"  {name:14} {who:13} {statistics.mean(values):6.2f} {statistics.median(values):6.2f}   "
            f"{' '.join(f'{value:6.2f}' for value in values)}   {times[who] / len(seeds):.3f} s"
        )
    difference = statistics.mean(accuracies["micrograde"]) - statistics.mean(accuracies["scikit-learn"])
    ratio = times["scikit-learn"] / times["micrograde"]
    verdict = "BELOW" if difference < 0 else "not below"
    print(f"  {'':14} {verdict} ({difference:+.2f} points), {ratio:.2f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    warnings.simplefilter("ignore", ConvergenceWarning)  # all epochs are what is asked for
    warnings.filterwarnings("ignore", message="Got `batch_size`")  # both take all rows where there are fewer
    print("test accuracy in per cent: mean, median, that of each seed; mean seconds of a fit")
    MLPClassifier(num_epochs=1).fit(*load_wine(return_X_y=True))  # what is imported at the first fit
    with threadpool_limits(limits=1):
        for title, settings in SETTINGS.items():
            print(f"\n{title}")
            for name in DATA:
                compare(name, settings, seeds)


if __name__ == "__main__":
    main()
