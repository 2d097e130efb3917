"""What an earlier launch of the same sweep has left in the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from micrograde.live_run import SETTLED
from micrograde.tracking import StoreLocation, quiet_environment

SWEEP_DIGEST = "micrograde.sweep_digest"
SWEEP_VARIES = "micrograde.sweep_varies"
CONFIG_DIGEST = "micrograde.config_digest"
SUPERSEDED = "micrograde.superseded"
PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class EarlierRun:
    """A run of the sweep; ``value`` is its metric, ``settled`` whether it would end the same way again."""

    run_id: str
    digest: str
    status: str
    settled: bool
    value: float | None


@dataclass(frozen=True)
class EarlierSweep:
    """The parent run and its children, those in front that began first; superseded ones are left out."""

    run_id: str
    experiment_name: str
    runs: tuple[EarlierRun, ...]


def find_earlier(location: StoreLocation, digest: str, metric: str) -> EarlierSweep | None:
    """The latest sweep of this digest in the store, if there is one."""
    if location.tracking_uri.startswith(("http://", "https://")):
        return _ask_server(location.tracking_uri, digest, metric)
    database = location.folder / "mlflow.db"
    if not database.exists() or database.stat().st_size == 0:
        return None
    return _query(location.tracking_uri, digest, metric)


def _query(uri: str, digest: str, metric: str) -> EarlierSweep | None:
    import sqlalchemy

    tag = "(select value from tags t where t.run_uuid = r.run_uuid and t.key = '{}')"
    parents = (
        "select r.run_uuid, e.name from tags t join runs r on r.run_uuid = t.run_uuid "
        "join experiments e on e.experiment_id = r.experiment_id "
        "where t.key = :key and t.value = :digest and r.lifecycle_stage = 'active' "
        "and e.lifecycle_stage = 'active' order by r.start_time desc"
    )
    children = (
        f"select r.run_uuid, {tag.format(CONFIG_DIGEST)}, r.status, {tag.format(SETTLED)}, "
        "(select case when m.is_nan then null else m.value end from latest_metrics m "
        "where m.run_uuid = r.run_uuid and m.key = :metric) "
        "from tags p join runs r on r.run_uuid = p.run_uuid "
        "where p.key = :parent_key and p.value = :parent and r.lifecycle_stage = 'active' "
        f"and {tag.format(SUPERSEDED)} is null order by r.start_time, r.run_uuid"
    )
    engine = sqlalchemy.create_engine(uri)
    try:
        with engine.connect() as connection:
            ask = {"key": SWEEP_DIGEST, "digest": digest}
            parent = connection.execute(sqlalchemy.text(parents), ask).first()
            if parent is None:
                return None
            ask = {"parent_key": PARENT, "parent": parent[0], "metric": metric}
            rows = connection.execute(sqlalchemy.text(children), ask).all()
    finally:
        engine.dispose()
    runs = tuple(EarlierRun(row[0], row[1] or "", row[2], row[3] is not None, row[4]) for row in rows)
    return EarlierSweep(parent[0], parent[1], runs)


def _ask_server(uri: str, digest: str, metric: str) -> EarlierSweep | None:
    import os

    os.environ.update(quiet_environment())
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiments = {each.experiment_id: each.name for each in _paged(client.search_experiments)}

    def search(key: str, value: str) -> list[Any]:
        return list(_paged(client.search_runs, list(experiments), f"tags.`{key}` = '{value}'"))

    parents = search(SWEEP_DIGEST, digest)
    if not parents:
        return None
    parent = max(parents, key=lambda run: run.info.start_time).info
    children = sorted(search(PARENT, parent.run_id), key=lambda run: (run.info.start_time, run.info.run_id))
    runs = tuple(
        EarlierRun(
            run.info.run_id,
            run.data.tags.get(CONFIG_DIGEST, ""),
            run.info.status,
            SETTLED in run.data.tags,
            run.data.metrics.get(metric),
        )
        for run in children
        if SUPERSEDED not in run.data.tags
    )
    return EarlierSweep(parent.run_id, experiments[parent.experiment_id], runs)


def _paged(search: Any, *arguments: object) -> Iterator[Any]:
    token = None
    while token != "":
        page = search(*arguments, max_results=1000, page_token=token)
        yield from page
        token = page.token or ""
