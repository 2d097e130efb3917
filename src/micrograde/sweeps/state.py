"""The state of a sweep while its jobs are run: the outcomes so far, their ranking, earlier runs."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from micrograde.analysis.comparing import ascending
from micrograde.analysis.ranking import Standing, loss_beside
from micrograde.config.locations import store_location
from micrograde.config.parsing import parse_drawing, parse_sweep_config, parse_tracking
from micrograde.config.recipe_versions import VERSION_KEY
from micrograde.metrics import part_of
from micrograde.store.metric_names import recorded_name
from micrograde.sweeps.earlier import EarlierSweep
from micrograde.sweeps.folds import held_out
from micrograde.sweeps.identity import SweepIdentity

if TYPE_CHECKING:
    from micrograde.analysis import BestSetting


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job: the status of its run, the value of the sweep's metric, the reason of a failure.

    ``loss`` breaks ties between runs of the same value. ``kept`` says where, as ``host:path``, another
    launcher's worker keeps a run that is not in the store yet; it is empty if the store has the run.
    """

    status: str
    value: float | None = None
    reason: str | None = None
    loss: float | None = None
    kept: str = ""


def mean_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return what a setting reaches: the mean over its folds, if all of them have finished with a value."""
    if len(outcomes) == 1:
        return outcomes[0]
    for each in outcomes:
        if each.status != "FINISHED" or each.value is None:
            return each
    values = [each.value for each in outcomes if each.value is not None]
    return Outcome("FINISHED", sum(values) / len(values))


class SweepState:
    """The state of one launch of a sweep, as its summary needs it.

    Parameters
    ----------
    identity
        What is swept, and the digest by which the sweep is recognized when it is started again.
    composed
        The config that all jobs start from, as nested dictionaries.

    Attributes
    ----------
    folds
        The folds and repeats that the config which all jobs start from stands for.
    drawing
        How pictures are kept.
    metric
        The metric by which runs are ranked, by its recorded name.
    asked
        The digests of the jobs that this launch was asked for, in their order.
    outcomes
        The outcome of each run, by the digest of its config; includes earlier launches.
    names, seeds
        The names and seeds of these runs, by the same digests.
    params
        Their values of the params in ``varies``, by the same digests; none of runs that only earlier launches
        know.
    varies
        The params in which the jobs differ.
    before
        How many of the runs were done by earlier launches.
    found
        What earlier launches have left in the store; None if there is nothing.
    changed
        Whether this launch has changed anything in the store.
    warned
        How many runs have given each warning.
    searches
        Whether a search chooses its runs.
    retest_note
        Why the best settings were not run again on fresh seeds, or not on all; empty if they were.
    """

    def __init__(self, identity: SweepIdentity, composed: Mapping[str, Any]) -> None:
        self.identity = identity
        self.folds = held_out(composed["data"])
        self.options = parse_sweep_config(composed)
        self.tracking = parse_tracking(composed)
        self.drawing = parse_drawing(composed)
        self.location = store_location(self.tracking)
        version = composed.get(VERSION_KEY, 1)
        self.metric = recorded_name(self.options.metric, version) if self.options.metric else ""
        self.asked: dict[str, None] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.names: dict[str, str] = {}
        self.seeds: dict[str, int] = {}
        self.params: dict[str, dict[str, str]] = {}
        self.varies: list[str] = []
        self.before = 0
        self.found: EarlierSweep | None = None
        self.changed = True
        self.warned: Counter[str] = Counter()
        self.retest_note = ""
        self.searches = False

    @property
    def reported(self) -> str:
        """What the report depends on, as recorded with the sweep: metric, order, format of its pictures.

        Reports that called the best single run the best are made again.
        """
        drawn = "" if self.drawing.format == "auto" else f" {self.drawing.format}"
        return f"{self.metric} {self.options.order}{drawn} by setting"

    @property
    def is_as_before(self) -> bool:
        """Whether the store had all runs, and the report of them, before this launch."""
        if self.tracking.register:  # a model is registered at every launch that asks for it
            return False
        return not self.changed and self.found is not None and self.found.reported == self.reported

    def standing_of(self, digest: str) -> Standing | None:
        """Return what the job's run is ranked by; None if it has no result."""
        each = self.outcomes[digest]
        if each.status != "FINISHED" or each.value is None or math.isnan(each.value):
            return None
        loss = math.nan if each.loss is None else each.loss
        return Standing(each.value, loss, self.seeds.get(digest, 0), self.names.get(digest, ""))

    def best_run(self) -> Standing | None:
        """Return the best of the runs that have ended, including earlier launches; None without a result."""
        up = ascending(self.metric, self.options.order)
        found = [each for digest in self.outcomes if (each := self.standing_of(digest))]
        return min(found, key=lambda each: each.key(ascending=up), default=None)

    def best_setting(self) -> "BestSetting | None":
        """Return the best setting of the runs that have ended, without asking the store."""
        import pandas as pd

        from micrograde.analysis import best_setting

        beside = loss_beside(self.metric, [f"{part_of(self.metric)}/loss"])
        rows = [
            {
                # A run whose params are not known is taken for a setting of its own.
                **self.params.get(digest, dict.fromkeys(self.varies, self.names.get(digest, digest))),
                "run_id": digest,
                "run_name": self.names.get(digest, ""),
                "status": each.status,
                "seed": self.seeds.get(digest, 0),
                self.metric: math.nan if each.value is None else each.value,
                **({beside: math.nan if each.loss is None else each.loss} if beside else {}),
            }
            for digest, each in self.outcomes.items()
        ]
        found = best_setting(pd.DataFrame(rows), self.metric, self.options.order, self.varies)
        return replace(found, run_id="") if found else None
