"""Where runs are recorded: one file for each backend, which holds its settings and says what it can.

A backend is told the journal's events (``EventWriter``) and gives back runs (``Reader``). A file that is put
into this package is found by itself.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from micrograde.core.errors import InputError
from micrograde.core.redaction import without_password
from micrograde.core.registry import Registry
from micrograde.store.event_writer import EventWriter, Recording
from micrograde.store.location import StoreLocation
from micrograde.store.reader import Reader

BACKENDS: "Registry[type[Tracking]]" = Registry("tracking", __name__)

Pictures = Literal["auto", "all", "light"]
"""The pictures that a run records: all, or the light ones, which take next to no time; auto is light in a
sweep and all otherwise."""


@dataclass(frozen=True, kw_only=True)
class Tracking(ABC):
    """What a config holds under ``tracking``: the fields are its keys.

    Attributes
    ----------
    keeps_runs
        Whether runs are recorded at all.
    """

    name: str
    keeps_runs: ClassVar[bool]

    @abstractmethod
    def location(self, home: Path) -> StoreLocation | None:
        """Return where the project at ``home`` records its runs; None if it does not.

        Raises
        ------
        InputError
            If there can be no store.
        """

    @property
    def pictures(self) -> Pictures:
        """The pictures that a run records; an entry may have a key of this name."""
        return "auto"

    @property
    def register(self) -> str | None:
        """The registered model that a run's model becomes a version of; None for none."""
        return None


@dataclass(frozen=True, kw_only=True)
class Backend(Tracking):
    """A place that keeps runs.

    The settings are needed only to find its address, a text that begins with one of ``schemes`` and a colon:
    by its address the rest of the program knows a store.

    Attributes
    ----------
    schemes
        What its addresses begin with; no other backend has the same.
    can_be_away
        Whether it is reached over a network: it may not answer for a while, which loses nothing.
    removed_by
        What removes deleted runs for good, in words; None if ``micrograde gc`` does.
    """

    keeps_runs: ClassVar[bool] = True
    schemes: ClassVar[tuple[str, ...]]
    can_be_away: ClassVar[bool] = False
    removed_by: ClassVar[str | None] = "what this store has for it"

    @abstractmethod
    def location(self, home: Path) -> StoreLocation:
        """Return the store of the project at ``home``; raises as ``Tracking.location``."""

    # --- writing, in a process of its own --------------------------------------------------------

    @classmethod
    @abstractmethod
    def open_writer(cls, location: StoreLocation, recording: Recording) -> EventWriter:
        """Return what writes a launch's events to the store, which is created if there is none."""

    @classmethod
    def mlflow_module(cls, location: StoreLocation) -> str | None:  # noqa: ARG003
        """Return the module of MLflow that ``open_writer`` needs, which takes a second or two to import.

        By default it needs none.
        """
        return None

    @classmethod
    def may_pass(cls, error: Exception) -> bool:  # noqa: ARG003
        """Return whether a call that failed with this error may succeed later; by default it may not."""
        return False

    @classmethod
    def between_tries(cls, location: StoreLocation) -> AbstractContextManager[None]:  # noqa: ARG003
        """Return a context in which to wait for that: it lets go of locks that the writer holds."""
        return nullcontext()

    @classmethod
    def check_experiment(cls, name: str, location: StoreLocation) -> None:
        """Raise ``InputError`` if the experiment ``name`` takes no runs; by default each does."""

    # --- reading ---------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def reader(cls) -> Reader:
        """Return what reads the store."""

    @classmethod
    @abstractmethod
    def files_of(
        cls, run_id: str, address: str, location: StoreLocation, wanted: Collection[str]
    ) -> AbstractContextManager[Path]:
        """Provide a folder with a run's files, at least the ``wanted`` ones, while the context lasts.

        Raises
        ------
        InputError
            If the files cannot be read or fetched.
        """

    @classmethod
    def mend(cls, location: StoreLocation) -> None:
        """Correct the addresses in the store if the project has been moved; by default there are none."""

    @classmethod
    def recover(
        cls,
        location: StoreLocation,
        send_dead: Callable[[], None],
        is_stale: Callable[[Mapping[str, str]], bool],  # noqa: ARG003
    ) -> None:
        """Repair the store before a command reads it.

        Parameters
        ----------
        send_dead
            Writes to the store what dead launches have left.
        is_stale
            Returns whether it is certain, by its tags, that no process works on a RUNNING run, which then may
            be marked KILLED.

        Raises
        ------
        InputError
            If the store is away.
        """
        cls.mend(location)
        send_dead()

    # --- in words --------------------------------------------------------------------------------

    @classmethod
    def described(cls, location: StoreLocation) -> str:
        """Return the store's name in messages."""
        return f"the store {without_password(location.tracking_uri)}"

    @classmethod
    def typed(cls, address: str) -> tuple[str, ...]:  # noqa: ARG003
        """Return what to type in a command to name the store at this address."""
        return (f"tracking={cls.name}",)

    @classmethod
    def web_page(cls, address: str) -> str | None:  # noqa: ARG003
        """Return where a browser shows the runs, or the command that opens it; None if there is nothing."""
        return None

    # --- launches that are sent later ------------------------------------------------------------

    @classmethod
    def noted(cls, location: StoreLocation) -> str | None:
        """Return the address that a launch's folder notes: without a password, and the same after a move."""
        return without_password(location.tracking_uri).replace(str(location.folder), "mlruns")

    @classmethod
    def located(cls, noted: str | None, home: Path) -> StoreLocation:
        """Return the store whose address a launch's folder has noted, to send the launch to it.

        Such a folder may be somebody else's: by default the store is only the one that is meant without
        further settings.

        Raises
        ------
        InputError
            If the store must be named; the message says how.
        """
        needed = any(field.default is dataclasses.MISSING for field in dataclasses.fields(cls))
        location = None if needed else cls(name=cls.name).location(home)
        if location is None or cls.noted(location) != noted:
            raise InputError(f"it is for the store {noted}; name it: tracking={cls.name}, and its keys")
        return location


def backend_of(where: str | StoreLocation) -> type[Backend]:
    """Return the backend of a store, by the beginning of its address.

    Raises
    ------
    InputError
        If no backend has such addresses.
    """
    address = where if isinstance(where, str) else where.tracking_uri
    scheme = address.partition(":")[0].partition("+")[0]  # sqlite+pysqlite:///...
    known = {
        each: backend
        for backend in BACKENDS.values()
        if issubclass(backend, Backend)
        for each in backend.schemes
    }
    if scheme not in known:
        named = ", ".join(f"{each}:" for each in sorted(known))
        raise InputError(f"{without_password(address)}: is no address of a store; those begin with {named}")
    return known[scheme]


def keeps_runs(name: object) -> bool:
    """Return whether ``tracking.name`` keeps runs; so does an unknown one, which is refused later."""
    return not isinstance(name, str) or name not in BACKENDS or BACKENDS[name].keeps_runs
