"""The part of MLflow's client that recording needs, on a SQLite file and without importing MLflow.

Each method has the name of one of ``mlflow.MlflowClient``, and writes what that one writes: a property test
compares all tables. MLflow makes an object of each value and a transaction of each call, which is most of the
time of recording; here a call is a few statements in the transaction of a batch.
"""

import posixpath
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from micrograde.core.clock import EARLIEST
from micrograde.store import tags as names
from micrograde.store.entities import (
    ExperimentRow,
    LatestMetric,
    ModelOutput,
    OutputRows,
    RunDataRow,
    RunInfoRow,
    RunRow,
)
from micrograde.store.errors import NotActiveError, NotInStoreError
from micrograde.store.events import DatasetInput
from micrograde.store.sql_connection import Batch, Connection
from micrograde.store.sql_writer import Param, Point, insert_rows

TAG_LENGTH = 8000
"""Characters of a tag that MLflow keeps when it is set; those that a run is created with are kept whole."""
_LONGEST_KEY = 250  # characters of a tag's name that MLflow takes
_LONGEST_NAME = 500  # characters of an experiment's name
_LONGEST_ADDRESS = 2048
_TAG_NAME = re.compile(r"[/\w.\- :]*")
_PLAIN_ADDRESS = re.compile(r"(?:file://)?/[^?#;\x00-\x1f\x7f]*")
_EXPERIMENT = "select experiment_id, name, artifact_location, lifecycle_stage from experiments"

_CREATE_RUN = """
    insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
        source_version, lifecycle_stage, artifact_uri, experiment_id)
    values (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, '', 'active', ?, ?)
    on conflict do nothing
"""
_CREATE_TAG = "insert into tags (key, value, run_uuid) values (?, ?, ?) on conflict do nothing"
_SET_TAG = """
    insert into tags (key, value, run_uuid) values (?, ?, ?)
    on conflict (key, run_uuid) do update set value = excluded.value
"""
_FIND = """
    select r.run_uuid from runs r join tags t on t.run_uuid = r.run_uuid
    where t.key = ? and t.value like ? and r.experiment_id = ? and r.lifecycle_stage = 'active'
    order by r.start_time desc, r.run_uuid
"""
_FINISHED = """
    select r.run_uuid from runs r join tags t on t.run_uuid = r.run_uuid
    where t.key = ? and t.value = ? and r.experiment_id = ? and r.lifecycle_stage = 'active'
        and r.status = 'FINISHED'
    order by r.start_time desc, r.run_uuid
"""
_DATASET = "from datasets where experiment_id = ? and name = ? and digest = ?"
_CREATE_DATASET = """
    insert into datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source,
        dataset_schema, dataset_profile)
    values (?, ?, ?, ?, ?, ?, ?, ?)
    on conflict do nothing
"""
_INPUT = """
    select 1 from inputs
    where source_type = 'DATASET' and source_id = ? and destination_type = 'RUN' and destination_id = ?
"""
# The data set's id is looked up when the row is inserted: of two who create a data set at once, one has.
_CREATE_INPUT = f"""
    insert into inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)
    select ?, 'DATASET', dataset_uuid, 'RUN', ?, 0 {_DATASET}
    on conflict do nothing
"""
_OUTPUTS = """
    select destination_id, step from inputs
    where source_type = 'RUN_OUTPUT' and source_id = ? and destination_type = 'MODEL_OUTPUT'
"""


class SqlClient:
    """Writes runs and experiments to MLflow's SQLite file."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    # --- experiments -----------------------------------------------------------------------------

    def get_experiment_by_name(self, name: str) -> ExperimentRow | None:
        """Return the experiment of this name, which may be deleted; None if there is none."""
        with self._batch.change() as connection:
            found = connection.execute(f"{_EXPERIMENT} where name = ?", (name,)).fetchone()
        return _experiment(found) if found else None

    def get_experiment(self, experiment_id: str) -> ExperimentRow:
        """Return an experiment, which may be deleted."""
        with self._batch.change() as connection:
            return self._experiment(connection, experiment_id)

    def create_experiment(self, name: str, artifact_location: str, tags: Mapping[str, str]) -> str:
        """Create an experiment whose files have an absolute address, and return its id."""
        if not 0 < len(name) <= _LONGEST_NAME or len(artifact_location) > _LONGEST_ADDRESS:
            raise ValueError(f"{name[:_LONGEST_NAME]!r} is not the name of an experiment")
        made_at = now()
        with self._batch.change() as connection:
            connection.execute(
                "insert into experiments (name, artifact_location, lifecycle_stage, creation_time, "
                "last_update_time, workspace) values (?, ?, 'active', ?, ?, 'default')",
                (name, artifact_location, made_at, made_at),
            )
            (made,) = connection.execute(
                "select experiment_id from experiments where name = ?", (name,)
            ).fetchone()
            connection.executemany(
                "insert into experiment_tags (key, value, experiment_id) values (?, ?, ?)",
                [(key, value, made) for key, value in tags.items()],
            )
        return str(made)

    # --- runs ------------------------------------------------------------------------------------

    def create_run(
        self, experiment_id: str, start_time: int, tags: Mapping[str, str], run_name: str
    ) -> RunRow:
        """Create a run with these tags."""
        run_id = new_id()
        with self._batch.change() as connection:
            experiment = self._experiment(connection, experiment_id)
            if experiment.lifecycle_stage != "active":
                raise NotActiveError(f"experiment {experiment.name} has been deleted")
            run_name = run_name or tags.get(names.RUN_NAME) or run_id[:8]
            given = {names.RUN_NAME: run_name, **tags}
            if given[names.RUN_NAME] != run_name:
                raise ValueError(f"a run has two names, {run_name} and {given[names.RUN_NAME]}")
            address = below(experiment.artifact_location, run_id, "artifacts")
            user = tags.get("mlflow.user", "unknown")
            connection.execute(
                _CREATE_RUN, (run_id, run_name, user, start_time or now(), address, int(experiment_id))
            )
            connection.executemany(_CREATE_TAG, [(key, value, run_id) for key, value in given.items()])
        info = RunInfoRow(run_id, experiment_id, run_name, address, "active", "RUNNING")
        return RunRow(info, RunDataRow(given))

    def get_run(self, run_id: str) -> RunRow:
        """Return a run with all that is read of it, which may be deleted."""
        with self._batch.change() as connection:
            return self._run(connection, run_id)

    def runs_of(self, experiment_id: str, origin: str) -> list[RunRow]:
        """Return the runs of an experiment, not deleted, with this origin: a pattern for SQL's LIKE."""
        with self._batch.change() as connection:
            found = connection.execute(_FIND, (names.ORIGIN, origin, int(experiment_id))).fetchall()
            return [self._run(connection, run_id) for (run_id,) in found]

    def finished_runs_of(self, experiment_id: str, sweep: str) -> list[RunRow]:
        """Return the FINISHED runs of an experiment, not deleted, of the sweep whose run has this id."""
        with self._batch.change() as connection:
            found = connection.execute(_FINISHED, (names.PARENT, sweep, int(experiment_id))).fetchall()
            return [self._run(connection, run_id) for (run_id,) in found]

    def update_run(self, run_id: str, status: str, end_time: int | None = None) -> None:
        """Set the status of a run, and its end if one is given."""
        with self.active(run_id) as connection:
            connection.execute(
                "update runs set status = ?, end_time = coalesce(?, end_time) where run_uuid = ?",
                (status, end_time, run_id),
            )

    def set_terminated(self, run_id: str, status: str, end_time: int | None = None) -> None:
        """End a run, by default now."""
        self.update_run(run_id, status, end_time or now())

    def delete_run(self, run_id: str) -> None:
        """Mark a run of this program as deleted; no assessment refers to one that was just made."""
        with self._batch.change() as connection:
            connection.execute(
                "update runs set lifecycle_stage = 'deleted', deleted_time = ? where run_uuid = ?",
                (now(), run_id),
            )

    # --- tags, params, metrics, data sets --------------------------------------------------------

    def set_tags(self, run_id: str, given: Mapping[str, str]) -> None:
        """Set tags on a run; the tag of its name sets its name."""
        for key in given:
            check_key(key)
        with self.active(run_id) as connection:
            connection.executemany(
                _SET_TAG, [(key, value[:TAG_LENGTH], run_id) for key, value in given.items()]
            )
            if given.get(names.RUN_NAME):
                connection.execute(
                    "update runs set name = ? where run_uuid = ?",
                    (given[names.RUN_NAME][:TAG_LENGTH], run_id),
                )

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Set one tag on a run."""
        self.set_tags(run_id, {key: value})

    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag of a run."""
        with self.active(run_id) as connection:
            if not connection.execute(
                "delete from tags where key = ? and run_uuid = ?", (key, run_id)
            ).rowcount:
                raise NotInStoreError(f"run {run_id} has no tag {key}")

    def write_rows(self, params: Sequence[Param], points: Sequence[Point]) -> None:
        """Write params and values of metrics; rows that are there do not change."""
        with self._batch.change() as connection:
            insert_rows(connection, params, points)

    def log_dataset(self, run_id: str, dataset: DatasetInput) -> None:
        """Make a data set an input of a run; those of a name and digest are one, in an experiment."""
        with self.active(run_id) as connection:
            (experiment_id,) = connection.execute(
                "select experiment_id from runs where run_uuid = ?", (run_id,)
            ).fetchone()
            its_key = (experiment_id, dataset.name, dataset.digest)
            known = connection.execute(f"select dataset_uuid {_DATASET}", its_key).fetchone()
            if not known:
                connection.execute(
                    _CREATE_DATASET,
                    (new_id(), *its_key, "local", dataset.source, dataset.schema, dataset.profile),
                )
            elif connection.execute(_INPUT, (known[0], run_id)).fetchone():
                return
            input_id = new_id()
            connection.execute(_CREATE_INPUT, (input_id, run_id, *its_key))
            connection.execute(
                "insert into input_tags (input_uuid, name, value) values (?, ?, ?) on conflict do nothing",
                (input_id, "mlflow.data.context", "training"),
            )

    # --- what is in the tables -------------------------------------------------------------------

    @contextmanager
    def active(self, run_id: str) -> Iterator[Connection]:
        """Provide the connection for a change of a run that has not been deleted."""
        with self._batch.change() as connection:
            found = connection.execute(
                "select lifecycle_stage from runs where run_uuid = ?", (run_id,)
            ).fetchone()
            if not found:
                raise NotInStoreError(f"there is no run {run_id}")
            if found != ("active",):
                raise NotActiveError(f"run {run_id} has been deleted")
            yield connection

    @staticmethod
    def _experiment(connection: Connection, experiment_id: str) -> ExperimentRow:
        found = connection.execute(f"{_EXPERIMENT} where experiment_id = ?", (int(experiment_id),)).fetchone()
        if not found:
            raise NotInStoreError(f"there is no experiment {experiment_id}")
        return _experiment(found)

    @staticmethod
    def _run(connection: Connection, run_id: str) -> RunRow:
        found = connection.execute(
            "select experiment_id, name, artifact_uri, lifecycle_stage, status from runs where run_uuid = ?",
            (run_id,),
        ).fetchone()
        if not found:
            raise NotInStoreError(f"there is no run {run_id}")
        given = connection.execute("select key, value from tags where run_uuid = ?", (run_id,))
        params = connection.execute("select key, value from params where run_uuid = ?", (run_id,))
        latest = connection.execute(
            "select key, value, timestamp, step, is_nan from latest_metrics where run_uuid = ?", (run_id,)
        )
        outputs = connection.execute(_OUTPUTS, (run_id,))
        return RunRow(
            RunInfoRow(run_id, str(found[0]), *found[1:]),
            RunDataRow(
                dict(given.fetchall()),
                dict(params.fetchall()),
                [
                    LatestMetric(key, float("nan") if nan else value, *when)
                    for key, value, *when, nan in latest
                ],
            ),
            OutputRows([ModelOutput(*each) for each in outputs]),
        )


def new_id() -> str:
    """Return a new id, as MLflow makes them."""
    return uuid.uuid4().hex


def check_key(key: str) -> None:
    """Raise ``ValueError`` if MLflow takes no tag of this name."""
    is_path = posixpath.normpath(key) == key and key != "." and not key.startswith(("..", "/"))
    if len(key) > _LONGEST_KEY or not _TAG_NAME.fullmatch(key) or not is_path:
        raise ValueError(f"{key[:_LONGEST_KEY]!r} is not the name of a tag")


def below(address: str, *parts: str) -> str:
    """Return the address of something below another address."""
    if _PLAIN_ADDRESS.fullmatch(address):
        return "/".join((address.rstrip("/"), *parts))
    from mlflow.utils.uri import append_to_uri_path  # an experiment that MLflow has made, such as in a bucket

    return str(append_to_uri_path(address, *parts))  # type: ignore[no-untyped-call]


def _experiment(row: tuple[int, str, str, str]) -> ExperimentRow:
    return ExperimentRow(str(row[0]), *row[1:])


def now() -> int:
    """Return the time in milliseconds since 1970, at least 1."""
    return max(time.time_ns() // 1_000_000, EARLIEST)
