"""A reader for stores that are read as a whole: what is asked for is chosen from all runs, one by one."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from micrograde.core.errors import InputError
from micrograde.store import tags
from micrograde.store.left_out import LeftOut
from micrograde.store.records import RawRuns, RunAbout, RunDetails, Selection, SweepAbout
from micrograde.store.sound_records import sound_about, sound_details, sound_points, sound_runs, sound_sweeps


@dataclass(frozen=True)
class KeptRun:
    """A run as a store keeps it.

    Attributes
    ----------
    points
        The values of each metric by step, at least one.
    address
        Where its files are, as ``Backend.files_of`` is told.
    """

    about: RunAbout
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    points: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    address: str = ""

    def is_of(self, selection: Selection) -> bool:
        """Return whether the run is one of those to read."""
        if selection.run_ids is None:
            if tags.SWEEP_DIGEST in self.tags or self.tags.get(tags.SUPERSEDED) == "true":
                return False
        elif self.about.run_id not in selection.run_ids:
            return False
        if not selection.retests and self.tags.get(tags.RETEST) == "true":
            return False
        return (
            selection.experiment_name in (None, self.about.experiment_name)
            and selection.status in (None, self.about.status)
            and selection.parent_run_id in (None, self.about.parent_run_id)
        )


class RunsReader(ABC):
    """Reads a store whose runs ``runs`` lists; see ``Reader`` for its functions."""

    @abstractmethod
    def runs(self, uri: str) -> Iterable[KeptRun]:
        """Return all runs of the store at this address; none if there is no store yet.

        Raises
        ------
        InputError
            If the store cannot be read.
        """

    def read_about(self, uri: str, selection: Selection) -> list[RunAbout]:
        """Return what every run has; see ``Reader``."""
        left_out = LeftOut(named=selection.run_ids is not None)
        about = sound_about((run.about for run in self._chosen(uri, selection)), left_out)
        left_out.say()
        return about

    def read_runs(self, uri: str, selection: Selection) -> RawRuns:
        """Return runs with params, last values and tags; see ``Reader``."""
        raw = RawRuns([])
        for run in self._chosen(uri, selection):
            run_id = run.about.run_id
            raw.about.append(run.about)
            raw.params += [(run_id, *param) for param in run.params.items()]
            raw.tags += [(run_id, *tag) for tag in run.tags.items() if not tag[0].startswith(tags.THEIRS)]
            raw.metrics += [(run_id, key, values[max(values)]) for key, values in run.points.items()]
        left_out = LeftOut(named=selection.run_ids is not None)
        raw = sound_runs(raw, left_out)
        left_out.say()
        return raw

    def read_points(
        self, uri: str, selection: Selection, metrics: Sequence[str] | None, left_out: LeftOut
    ) -> Iterator[Sequence[tuple[str, str, int, float | None]]]:
        """Yield every value of these metrics; see ``Reader``."""
        for run in self._chosen(uri, selection):
            rows = [
                (run.about.run_id, metric, step, value)
                for metric, values in run.points.items()
                if metrics is None or metric in metrics
                for step, value in values.items()
            ]
            yield sound_points(rows, left_out)

    def read_details(self, uri: str, run_id: str) -> RunDetails:
        """Return params, all tags and the file address of a run; see ``Reader``."""
        for run in self._chosen(uri, Selection(run_ids=(run_id,))):
            return sound_details(run_id, RunDetails(dict(run.params), dict(run.tags), run.address))
        raise InputError(f"run {run_id}: there is no such run in the store any more")

    def read_sweeps(self, uri: str) -> list[SweepAbout]:
        """Return all sweeps; see ``Reader``."""
        left_out = LeftOut()
        found = (
            SweepAbout.of_run(run.about, run.tags) for run in self.runs(uri) if tags.SWEEP_DIGEST in run.tags
        )
        sweeps = sound_sweeps(found, left_out)
        left_out.say()
        return sweeps

    def count_runs(self, uri: str) -> dict[str, int]:
        """Return the number of runs of each sweep; see ``Reader``."""
        about = self.read_about(uri, Selection(retests=False))
        return dict(Counter(run.parent_run_id for run in about if run.parent_run_id is not None))

    def _chosen(self, uri: str, selection: Selection) -> Iterator[KeptRun]:
        return (run for run in self.runs(uri) if run.is_of(selection))
