"""The events of a launch's runs, which the journal tells a store in the order in which they happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from micrograde.store.mlmodel import ModelDescription

Status = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class DatasetInput:
    """The data that a run trains on, as MLflow shows it; source, schema and profile are JSON texts."""

    name: str
    digest: str
    source: str
    schema: str
    profile: str


@dataclass(frozen=True)
class RunStarted:
    """A run begins.

    Attributes
    ----------
    run
        The run's number within the launch.
    time
        Milliseconds since 1970, here and in the other events.
    dataset
        The data that the run trains on; None for a run that does not train, such as a sweep.
    parent
        The number of the run that this one is nested under.
    """

    run: int
    time: int
    experiment_name: str
    run_name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: DatasetInput | None = None
    parent: int | None = None


@dataclass(frozen=True)
class RunAdopted:
    """A run that is already in the store gets the number ``run`` in this launch.

    It ``goes_on``, or only tags, files and a status are added to it.
    """

    run: int
    run_id: str
    goes_on: bool = True


@dataclass(frozen=True)
class MetricsLogged:
    """The values of a run's metrics at one step."""

    run: int
    time: int
    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class StackMetricsLogged:
    """The values of several runs' metrics at one step; those of each metric are in the order of ``runs``."""

    runs: Sequence[int]
    time: int
    step: int
    values: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class StepMetricsLogged:
    """The values of several runs' metrics at several steps.

    Those of each metric are a list for each of ``steps``, in the order of ``runs``.
    """

    runs: Sequence[int]
    time: int
    steps: Sequence[int]
    values: Mapping[str, Sequence[Sequence[float]]]


@dataclass(frozen=True)
class TagsSet:
    """Tags are set on a run."""

    run: int
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RunEnded:
    """A run ends, and its folder contains its files; ``model`` describes the model among them, if any."""

    run: int
    time: int
    status: Status
    model: ModelDescription | None = None


@dataclass(frozen=True)
class ModelLogged:
    """The model of an ended run becomes one of MLflow's logged models.

    Attributes
    ----------
    run
        The run that lists the model among its outputs.
    source_run_id
        The run that trained the model, such as the one that stands for a sweep; None if it is ``run``.
    registered_name
        The registered model that it becomes a version of; None if it is not registered.
    """

    run: int
    source_run_id: str | None = None
    registered_name: str | None = None


@dataclass(frozen=True)
class AnswerAwaited:
    """The launch waits until all earlier events are in the store and it has received the runs' ids."""


@dataclass(frozen=True)
class LaunchEnded:
    """The launch ends. The journal of a process that died lacks this event."""


@dataclass(frozen=True)
class LinesMissing:
    """So many lines of the journal cannot be read; whoever reads it says that, nobody writes it."""

    lines: int


Event = (
    RunStarted
    | RunAdopted
    | MetricsLogged
    | StackMetricsLogged
    | StepMetricsLogged
    | TagsSet
    | RunEnded
    | ModelLogged
    | AnswerAwaited
    | LaunchEnded
    | LinesMissing
)
