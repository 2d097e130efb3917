"""Tables as `micrograde train data.path=...` learns them, beside the usual pipeline of scikit-learn.

    python -m benchmarks.table_accuracy FOLDER [--splits 5] [--rows 20000] [--table penguins.csv]

FOLDER holds the files that `TABLES` names, all of them public data; two more are scikit-learn's own. Of a
table with more rows, some of each class are drawn. Micrograde has its defaults. The pipeline has an imputer
and a scaler for numbers, one-hot encoding with rare levels together for texts, and `MLPClassifier` with the
same hidden size, batch size and most epochs, early stopping and the same share of rows to decide it. Both
have the same rows to learn from and the same test part in each split; what is each one's own, such as the
optimizer, is at its default. Compared is the balanced accuracy of the kept model, split by split. Asked is
that it is not below the pipeline's by more than 0.01 and a standard error on nine tables of ten, and that
the mean over all is not below it.
"""

import argparse
import dataclasses
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.impute import SimpleImputer
from sklearn.metrics import balanced_accuracy_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from micrograde.config.schema import ModelConfig, TrainConfig, TrainingConfig
from micrograde.data import load, split_dataset
from micrograde.data.sets.tables import CsvTable
from micrograde.nn import MLP, predicted_classes
from micrograde.runs.building import (
    PreparedData,
    RandomStreams,
    build_callbacks,
    build_model,
    build_optimizer,
    build_plan,
    prepare_dataset,
)
from micrograde.store.backends.disabled import DisabledTracking
from micrograde.training import Departure, Training
from micrograde.training.optimizers.sgd import SGD
from micrograde.training.schedules.constant import Constant

ALLOWED = 0.01
_FEWEST = 10  # rows that are kept of a class, if it has them


@dataclass(frozen=True)
class Table:
    """A file, its target, and what a user has to say of it.

    Attributes
    ----------
    names
        The columns, if the file has no names or too few; () if it has them.
    first
        The line of the first row.
    dates
        Columns that the pipeline is given as seconds; micrograde finds them out.
    roles
        ``data.roles``.
    """

    file: str
    target: str
    names: tuple[str, ...] = ()
    first: int = 0
    dates: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()

    def frame(self, folder: Path) -> pd.DataFrame:
        """The rows as they stand in the file, all of them texts."""
        if self.file in OWN:
            own: pd.DataFrame = OWN[self.file](as_frame=True).frame.astype(str)
            return own
        if self.file.endswith(".parquet"):
            return pd.read_parquet(folder / self.file)
        how: dict[str, Any] = {"names": self.names, "skiprows": self.first} if self.names else {}
        rows: pd.DataFrame = pd.read_csv(folder / self.file, dtype=str, keep_default_na=False, **how)
        return rows


def _unnamed(count: int) -> tuple[str, ...]:
    return tuple(f"c{place}" for place in range(1, count + 1))


OWN = {"breast_cancer": load_breast_cancer, "digits": load_digits}
_CAR = ("buying", "maint", "doors", "persons", "lug_boot", "safety", "class")
TABLES = (
    Table("penguins.csv", "species"),
    Table("car.data", "class", _CAR, 1),
    Table("pima.csv", "c9", _unnamed(9)),
    Table("processed.cleveland.data", "C"),
    Table("winequality-white-semi.csv", "c12", _unnamed(12), roles=(("c12", "category"),)),
    Table("zoo.csv", "type"),
    Table("shuttle.csv.gz", "c10", _unnamed(10)),
    Table(
        "yellow_tripdata_sample.parquet",
        "payment_type",
        dates=("tpep_pickup_datetime", "tpep_dropoff_datetime"),
    ),
    Table("breast_cancer", "target"),
    Table("digits", "target"),
)


def some_rows(frame: pd.DataFrame, target: str, most: int) -> pd.DataFrame:
    """At most about so many rows, with the classes in proportion, but some of each."""
    if len(frame) <= most:
        return frame
    random, share = np.random.default_rng(0), most / len(frame)
    groups = frame.reset_index(drop=True).groupby(target).indices.values()
    sizes = [max(min(len(group), _FEWEST), round(share * len(group))) for group in groups]
    drawn = [random.choice(group, size, replace=False) for group, size in zip(groups, sizes, strict=True)]
    return frame.iloc[np.sort(np.concatenate(drawn))]


def pipeline(features: pd.DataFrame, config: TrainConfig, share: float, seed: int) -> Pipeline:
    """What users of scikit-learn write, for these columns."""
    numbers = list(features.select_dtypes("number").columns)
    texts = [name for name in features.columns if name not in numbers]
    categories = OneHotEncoder(
        min_frequency=5, max_categories=30, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    encode = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
            (
                "texts",
                make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), categories),
                texts,
            ),
        ]
    )
    network = MLPClassifier(
        config.model.hidden_size,
        batch_size=config.training.batch_size,
        max_iter=config.training.num_epochs,
        early_stopping=True,
        validation_fraction=share,
        random_state=seed,
    )
    return make_pipeline(encode, network)


def train(config: TrainConfig, data: PreparedData) -> MLP:
    """The kept network, a stack of one, as a run trains it."""
    streams = RandomStreams.spawn(config.seed)
    model = build_model([config.model], data, config.training.dtype, [streams.weights])
    plan = build_plan([config], len(data.training), data.task)
    training = Training(
        model,
        build_optimizer([config.optimizer], model),
        plan,
        data.training,
        data.validation,
        [streams.shuffling],
        callbacks=build_callbacks([config], model, plan),
    )
    return next(event.model for event in training.run() if isinstance(event, Departure))


def compare(table: Table, folder: Path, scratch: Path, splits: Sequence[int], most: int) -> Iterator[Any]:
    """Yield the balanced accuracy of both, (ours, theirs), for each split of a table."""
    path = scratch / "table.csv"
    some_rows(table.frame(folder), table.target, most).to_csv(path, index=False)
    config = TrainConfig(
        data=CsvTable(path=str(path), target=table.target, roles=table.roles, seed=0),
        model=ModelConfig(),
        optimizer=SGD(),
        schedule=Constant(),
        training=TrainingConfig(),
        tracking=DisabledTracking(),
    )
    dataset = load(config.data)
    frame = pd.read_csv(path, na_values=["?"], parse_dates=list(table.dates), dtype={table.target: str})
    frame = frame[frame[table.target].notna()].drop(columns=table.target)
    for name in table.dates:
        frame[name] = frame[name].astype("int64") / 1e9
    for name in frame.select_dtypes(["object", "string", "bool"]).columns:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), np.nan)
    assert len(frame) == len(dataset)
    labels: NDArray[np.int64] = dataset.labels
    for seed in splits:
        data = dataclasses.replace(config.data, seed=seed)
        split = split_dataset(
            dataset,
            validation_fraction=data.validation_fraction,
            test_fraction=data.test_fraction,
            stratify=data.stratify,
            seed=seed,
        )
        assert split.validation is not None
        assert split.test is not None
        prepared = prepare_dataset(dataset, data, config.training.dtype)
        assert prepared.test is not None
        network = train(dataclasses.replace(config, data=data, seed=seed), prepared)
        ours = predicted_classes(network.predict_logits(prepared.test.features))[0]
        seen = np.concatenate([split.train.rows, split.validation.rows])
        peer = pipeline(frame, config, len(split.validation) / len(seen), seed)
        peer.fit(frame.iloc[seen], labels[seen])
        theirs = peer.predict(frame.iloc[split.test.rows])
        yield [balanced_accuracy_score(labels[split.test.rows], found) for found in (ours, theirs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the tables are")
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000, help="the most rows of a table")
    parser.add_argument("--table", action="append", choices=[each.file for each in TABLES], help="only this")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # that 50 epochs are few, and that a test part lacks a rare class
    print("| table | micrograde | scikit-learn | difference | standard error | |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    differences, below = [], 0
    with tempfile.TemporaryDirectory() as scratch, threadpool_limits(limits=1):
        for table in TABLES:
            if arguments.table and table.file not in arguments.table:
                continue
            splits = range(arguments.splits)
            pairs = np.array(list(compare(table, arguments.folder, Path(scratch), splits, arguments.rows)))
            paired = pairs[:, 0] - pairs[:, 1]
            error = paired.std(ddof=1) / np.sqrt(len(paired)) if len(paired) > 1 else 0.0
            differences.append(paired.mean())
            is_below = bool(paired.mean() < -ALLOWED - error)
            below += is_below
            ours, theirs = pairs.mean(axis=0)
            cells = [table.file, f"{ours:.3f}", f"{theirs:.3f}", f"{paired.mean():+.3f}", f"{error:.3f}"]
            print(f"| {' | '.join(cells)} | {'below' if is_below else ''} |", flush=True)
    print(
        f"\nbelow by more than {ALLOWED} and a standard error: {below} of {len(differences)} tables; "
        f"mean difference {np.mean(differences):+.3f} (asked: at most 1 of 10, and not below 0)"
    )


if __name__ == "__main__":
    main()
