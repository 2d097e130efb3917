"""What recording reads of a store's runs, experiments and models, by the names of MLflow's entities.

Code that works with either takes MLflow's entities, from its client, and these, which ``sql_client`` makes
without importing MLflow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

ModelStatus = Literal["PENDING", "READY", "FAILED", "UNSPECIFIED"]


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment; see ``mlflow.entities.Experiment``."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str


@dataclass(frozen=True)
class RunInfoRow:
    """What a run is; see ``mlflow.entities.RunInfo``."""

    run_id: str
    experiment_id: str
    run_name: str
    artifact_uri: str
    lifecycle_stage: str
    status: str


@dataclass(frozen=True)
class LatestMetric:
    """The latest value of one of a run's metrics, NaN where it is that; ``timestamp`` in milliseconds."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True)
class RunDataRow:
    """What a run has recorded; see ``mlflow.entities.RunData``."""

    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    latest: Sequence[LatestMetric] = ()

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each metric."""
        return {each.key: each.value for each in self.latest}

    @property
    def _metric_objs(self) -> Sequence[LatestMetric]:
        return self.latest


@dataclass(frozen=True)
class ModelOutput:
    """A logged model among a run's outputs."""

    model_id: str
    step: int


@dataclass(frozen=True)
class OutputRows:
    """What came of a run; see ``mlflow.entities.RunOutputs``."""

    model_outputs: Sequence[ModelOutput] = ()


@dataclass(frozen=True)
class RunRow:
    """A run; see ``mlflow.entities.Run``."""

    info: RunInfoRow
    data: RunDataRow
    outputs: OutputRows = field(default_factory=OutputRows)


@dataclass(frozen=True)
class ModelRow:
    """A logged model; see ``mlflow.entities.LoggedModel``."""

    model_id: str
    experiment_id: str
    artifact_location: str
    status: ModelStatus
