"""Resume a run that was stopped: find it, its latest checkpoint, and what the store has of it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from micrograde.config.keys import key_of
from micrograde.config.locations import store_location
from micrograde.config.schema import RunConfig, TrainConfig, config_digest, flatten, to_container
from micrograde.core.errors import InputError
from micrograde.core.plugins import changed_plugins
from micrograde.core.printable import printable
from micrograde.core.terminal import say
from micrograde.core.working import working
from micrograde.runs.checkpoints import FOLDER, Checkpoint, read_latest_checkpoint
from micrograde.runs.files import RECIPE, contained, files_of, read_recipe, stored_recipe
from micrograde.runs.warm_start import WarmStarts
from micrograde.store import StoredRun, StoreLocation, last_run_of, last_stopped_run, load_run, tags
from micrograde.store.stored_sweeps import LATEST
from micrograde.tracking import (
    Claim,
    ClaimedError,
    Kept,
    ProcessIdentity,
    claim,
    recover,
    send_launch,
    wait_for_writers,
)

AUTO = "auto"
_NOT_THE_RECIPE = (
    "tracking",
    "sweep",
    "run",
    "experiment_name",
    "training.resume",
    "training.checkpoint_seconds",
)


@dataclass(frozen=True)
class Resumption:
    """A run that is resumed.

    Attributes
    ----------
    stored
        The run as the store has it: values that are there are not recorded again.
    checkpoint
        Where training goes on; None to begin anew.
    held
        The claim on the run, so that no other process resumes it at the same time.
    problems
        A line for each checkpoint that is not usable.
    log
        Its ``train.log`` so far.
    has_recipe
        Whether the recipe is among its files, whole.
    """

    config: TrainConfig
    stored: StoredRun
    checkpoint: Checkpoint | None
    held: Claim
    problems: Sequence[str] = ()
    log: str = ""
    has_recipe: bool = True

    @property
    def run_id(self) -> str:
        """MLflow's id of the run."""
        return self.stored.about.run_id

    @property
    def epoch(self) -> int:
        """The epoch after which training goes on; 0 for the beginning."""
        return self.checkpoint.snapshot.epoch if self.checkpoint else 0


@contextmanager
def resumed_run(config: TrainConfig, overrides: Sequence[str]) -> Iterator[Resumption | None]:
    """Provide the run that ``training.resume`` names, claimed for as long as the context lasts.

    With a run's id, or ``latest`` for the stopped run that began last, the run's own recipe is used, and
    whatever else was typed must agree with it. ``auto`` is the last run of the same recipe, unless that has
    finished or would fail again.

    Yields
    ------
    The run to resume; None to begin a new one.

    Raises
    ------
    InputError
        If there is no such run, it cannot be resumed, or it is still running.
    """
    resume = config.training.resume
    if resume is None:
        yield None
        return
    location = store_location(config.tracking)
    if location is None:
        raise InputError(
            f"training.resume={resume}: needs a store; with tracking={config.tracking.name} nothing is kept"
        )
    config = WarmStarts(location).resolved(config)
    with working("looking for the run", "nowhere"):
        wait_for_writers(location.folder / "launches")  # the run may have been killed a moment ago
        recover(location)
        run = _find(resume, config, location)
    if run is None:
        yield None
        return
    with _held(run.about.run_id, location) as mine:
        run = load_run(location.tracking_uri, run.about.run_id)  # again: it may have changed before the claim
        _check_that_it_can_go_on(run, f"training.resume={resume}")
        yield _read(run, location, config, mine, None if resume == AUTO else _typed(overrides))


def _find(resume: str, config: TrainConfig, location: StoreLocation) -> StoredRun | None:
    if resume == LATEST:
        last = last_stopped_run(location.tracking_uri)
        if last is None:
            raise InputError(
                f"training.resume={resume}: no run was stopped that could go on; a sweep goes on when its "
                "command is given again"
            )
        return last
    if resume != AUTO:
        return load_run(location.tracking_uri, resume, "training.resume")
    run = last_run_of(location.tracking_uri, config.experiment_name, config_digest(config))
    settled = run is None or run.about.status == "FINISHED" or tags.SETTLED in run.tags
    return None if settled else run


def _check_that_it_can_go_on(run: StoredRun, what: str) -> None:
    status, name = run.about.status, f"{what}: run {run.about.run_id}"
    if status == "FINISHED":
        raise InputError(f"{name} has finished; there is nothing to go on with")
    if status == "RUNNING":
        process = ProcessIdentity.from_tags(run.tags)
        where = f"process {process.process_id} on {printable(process.host)}" if process else "another process"
        raise InputError(f"{name} is going on in {where}; wait until that has ended")
    if tags.SETTLED in run.tags:
        reason = printable(run.tags.get(tags.REASON, "it failed"))
        raise InputError(f"{name} would fail again ({reason})")
    if tags.SWEEP_DIGEST in run.tags:
        raise InputError(f"{name} is a sweep; it goes on when its command is given again")


def _read(
    run: StoredRun, location: StoreLocation, config: TrainConfig, held: Claim, typed: Collection[str] | None
) -> Resumption:
    """Read what is needed to resume a run.

    Its own recipe is used, which must agree with the config in the keys ``typed``; if that is None, the
    config itself is used.
    """
    with files_of(run, location) as files:
        has_recipe = True
        if typed is not None:
            paths = _typed_paths(config, typed)
            config = _agreed(config, read_recipe(files, run, config.tracking, paths), typed)
            digest = config_digest(stored_recipe(files, run))  # with the stored paths, as when it began
        else:
            stored = _whole_recipe(files, run)
            has_recipe = stored is not None
            if stored:  # its version fixes the rules by which its data were read
                config = replace(config, recipe_version=stored.recipe_version)
            digest = config_digest(config)
        if run.tags.get(tags.CONFIG_DIGEST) != digest:
            raise InputError(
                f"training.resume={run.about.run_id}: its {RECIPE} is not what the run began with; "
                "give its whole command again"
            )
        if changed := changed_plugins(config.plugins):
            raise InputError(
                f"training.resume={run.about.run_id}: {changed[0]}; install that version to go on, "
                "as the numbers may be others"
            )
        checkpoint, problems = None, list[str]()
        if (folder := contained(files, FOLDER)) is not None:
            data_digest = run.tags.get(tags.DATA_DIGEST, "")
            checkpoint, problems = read_latest_checkpoint(folder, digest, data_digest)
        log = contained(files, "train.log")
        text = log.read_text(encoding="utf-8", errors="replace") if log else ""
    return Resumption(config, run, checkpoint, held, problems, text, has_recipe)


def _whole_recipe(files: Path, run: StoredRun) -> TrainConfig | None:
    """Return the recipe that the run began with; None if it, or any other file, is not there as it was.

    A loss of power leaves files that are empty, cut short or full of zeros.
    """
    if not all(path.stat().st_size for path in files.rglob("*") if path.is_file()):
        return None
    try:
        stored = stored_recipe(files, run)
    except InputError:
        return None
    same = run.tags.get(tags.CONFIG_DIGEST) == config_digest(stored)
    return stored if same and stored.experiment_name == run.about.experiment_name else None


def _agreed(config: TrainConfig, stored: TrainConfig, typed: Collection[str]) -> TrainConfig:
    """Return the stored recipe, with the checkpoint interval and ``run`` of the config.

    Raises
    ------
    InputError
        If the recipes differ in a key that was typed, or in one below it.
    """
    ours, theirs = flatten(to_container(config)), flatten(to_container(stored))
    for key in {**theirs, **ours}:
        meant = any(key == each or key.startswith(f"{each}.") for each in typed)
        if meant and ours.get(key) != theirs.get(key):
            raise InputError(
                f"training.resume={config.training.resume}: {key} is {printable(str(theirs.get(key)))} "
                f"in that run, not {ours.get(key)}; a run keeps its recipe"
            )
    training = replace(stored.training, checkpoint_seconds=config.training.checkpoint_seconds)
    words = config.run if config.run != RunConfig() else stored.run
    return replace(stored, training=training, run=words)


def _typed_paths(config: TrainConfig, typed: Collection[str]) -> dict[str, str]:
    """Return the paths of data files that were typed, by key."""
    return {key: path for key, path in config.data.paths().items() if f"data.{key}" in typed}


@contextmanager
def _held(run_id: str, location: StoreLocation) -> Iterator[Claim]:
    path = location.folder / "claims" / run_id

    def waiting(who: str) -> None:
        say(f"run {run_id} is still being recorded; waiting for {who}", flush=True)

    def send(folder: Path) -> None:
        outcome = send_launch(folder, location)
        if isinstance(outcome, Kept):
            raise InputError(
                f"training.resume={run_id}: what it did last is still in {folder}: {outcome.reason}"
            )

    try:
        with claim(path, location.folder / "launches", waiting, send) as mine:
            yield mine
    except ClaimedError as error:
        raise InputError(
            f"training.resume={run_id}: the run is going on in process {error}; wait until that has ended"
        ) from None


def _typed(overrides: Sequence[str]) -> list[str]:
    """Return the keys of the recipe that were typed."""
    keys = [key_of(override) for override in overrides]
    return [key for key in keys if key not in _NOT_THE_RECIPE and key.split(".")[0] not in _NOT_THE_RECIPE]
