"""What MLflow's two stores have in common while its client writes to them, and what each does in its way."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from micrograde.store.calls import Caller, at_once
from micrograde.store.location import StoreLocation
from micrograde.store.sql_writer import Param, Point

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, RunInfo


class MlflowStore(ABC):
    """A store that MLflow's client writes to.

    Parameters
    ----------
    make
        Makes each call to the store, such as ``Retrying``.
    """

    def __init__(self, client: "MlflowClient", location: StoreLocation, make: Caller = at_once) -> None:
        self.client, self.location, self.make = client, location, make

    @abstractmethod
    def lock(self) -> AbstractContextManager[object]:
        """Return what is held while the store is written; it may be entered again while it is held."""

    @abstractmethod
    def experiment_address(self, name: str) -> str | None:
        """Return the address of a new experiment's files; None if the store chooses its own."""

    @abstractmethod
    def check_experiment(self, name: str, address: str) -> None:
        """Raise ``ValueError`` if an experiment's files would be where none are written."""

    @abstractmethod
    def check_run(self, run: "RunInfo") -> None:
        """Raise ``ForeignAddressError`` if a run's files would be where none are written."""

    @abstractmethod
    def write_rows(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write params and values of metrics."""

    @abstractmethod
    def keep_files(self, folder: Path, run: "RunInfo") -> None:
        """Store all files of a folder, which may not exist, with a run; files stored before do not change."""

    def keep_durable(self) -> None:  # noqa: B027
        """Wait until all files that were stored are on the disk; by default the store sees to it."""

    # --- logged models ---------------------------------------------------------------------------

    @abstractmethod
    def has_files(self, run: "RunInfo") -> bool:
        """Return whether the run's files are where they are read."""

    @abstractmethod
    def copy_folder(self, run: "RunInfo", name: str, to: Path) -> Path:
        """Copy one folder of the run's files into the folder ``to``; return the copy."""

    @abstractmethod
    def place_model(self, model: "LoggedModel") -> None:
        """Give a new logged model an address where its files may be; delete it if that cannot be."""

    @abstractmethod
    def keeps_model_file(self, model: "LoggedModel") -> Callable[[str], None]:
        """Return a function that adds a file, by its path, to a logged model."""
