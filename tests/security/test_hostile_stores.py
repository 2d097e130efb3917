"""A store that somebody else has made cannot break a command, hold it up, or take other runs with it."""

import sqlite3
import time
from contextlib import closing, suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.hostile_store import (
    ENDLESS,
    ESCAPES,
    LONG,
    NESTED,
    SCHEMAS,
    TABLES,
    break_file,
    broken_files,
    change_rows,
    changed_rows,
    check_line,
    drawn,
    values,
)

from micrograde.analysis import list_run_ids, load_history, load_runs, load_sweeps, order_runs, table_of_runs
from micrograde.core.bounds import QUERY_SECONDS
from micrograde.core.errors import InputError
from micrograde.runs.side_by_side import compare_runs
from micrograde.store import check_experiment, find_run, find_sweep, left_out, load_run
from micrograde.store.stored_run import last_run_of, last_stopped_run
from micrograde.sweeps.earlier import find_earlier
from micrograde.tracking import recover


@pytest.fixture
def store(made, tmp_path, monkeypatch):
    monkeypatch.setattr(left_out, "_said", set())
    return made.copied_to(tmp_path / "home")


def readings(store):
    """Everything that a command reads of a store before it does something with it."""
    location, honest = store.location, sorted(store.honest)
    uri = location.tracking_uri
    return [
        lambda: recover(location),
        lambda: check_experiment("digits", location),
        lambda: table_of_runs(order_runs(load_runs(uri), "duration"), "duration", list_run_ids(uri)),
        lambda: load_sweeps(uri),
        lambda: find_sweep(uri, "latest"),
        lambda: load_history(uri),
        lambda: load_history(uri, sweep=store.sweep, metrics=["train/loss"]),
        lambda: find_run(uri, "latest"),
        lambda: load_run(uri, store.victim),
        lambda: load_run(uri, honest[0][:10]),
        lambda: compare_runs(uri, [honest[0], store.victim]),
        lambda: last_run_of(uri, "digits", "c"),
        lambda: last_stopped_run(uri),
        lambda: find_earlier(uri, "d", "val/accuracy"),
    ]


def check_readings(store, capsys):
    """Each returns, or refuses in one line; what was said on the way is lines, too."""
    start = time.monotonic()
    for read in readings(store):
        try:
            read()
        except InputError as error:
            check_line(str(error))
    took = time.monotonic() - start
    said = capsys.readouterr()
    for line in (said.out + said.err).splitlines():
        check_line(line)
    return took, said.err


quick, thorough = drawn(12), drawn(50)


def check_changed_rows(store, made, data, capsys):
    left_out._said.clear()
    store = made.copied_to(store.home)
    change_rows(store, data.draw(changed_rows(made)))
    _, said = check_readings(store, capsys)
    ids = set(load_runs(store.location.tracking_uri)["run_id"])
    assert store.honest <= ids
    gone = {store.victim} - ids
    history = load_history(store.location.tracking_uri)
    assert store.honest <= set(history["run_id"])
    for run_id in gone:
        with closing(sqlite3.connect(store.database)) as connection:
            connection.text_factory = bytes
            there = connection.execute("select lifecycle_stage from runs where run_uuid = ?", (run_id,))
            rows = there.fetchall()
        active = rows == [(b"active",)] and " left out: " not in said
        assert not active or run_id in said or hidden(store)


def hidden(store):
    """Whether the victim has become what is never listed: a sweep, superseded, or of no experiment."""
    with closing(sqlite3.connect(store.database)) as connection:
        found = connection.execute(
            "select 1 from tags where run_uuid = ?1 and key in "
            "('micrograde.sweep_digest', 'micrograde.superseded') union all "
            "select 1 from runs where run_uuid = ?1 and coalesce(experiment_id, -1) not in (select experiment_id from experiments)",
            (store.victim,),
        )
        return found.fetchone() is not None


@quick
@given(data=st.data())
def test_a_run_that_cannot_be_read_does_not_take_others_with_it(store, made, data, capsys):
    check_changed_rows(store, made, data, capsys)


@pytest.mark.slow
@thorough
@given(data=st.data())
def test_nor_does_it_in_many_examples(store, made, data, capsys):
    check_changed_rows(store, made, data, capsys)


@quick
@given(change=broken_files())
@example(change=("overwritten", 0.99999, b"\x80"))  # in the schema, which SQLite then repeats
def test_a_broken_file_is_read_or_refused_in_a_line(store, made, change, capsys):
    store = made.copied_to(store.home)
    break_file(store, change)
    check_readings(store, capsys)


@quick
@given(table=st.sampled_from(TABLES), data=st.data())
def test_any_value_in_any_row_is_read_or_refused_in_a_line(store, made, table, data, capsys):
    store = made.copied_to(store.home)
    column = data.draw(st.sampled_from(made.columns(table)))
    store.execute(f"update {table} set {column} = ?", data.draw(values))
    check_readings(store, capsys)


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("table", ["runs", "tags", "metrics"])
def test_a_schema_of_somebody_elses_is_read_or_refused_in_a_line(store, schema, table, capsys):
    with suppress(sqlite3.OperationalError):  # such as no room for a column in this version of SQLite
        store.execute(schema.format(table))
    took, _ = check_readings(store, capsys)
    assert took < QUERY_SECONDS + 5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("runs set start_time = 'abc'", "its start_time is no time"),
        ("runs set start_time = -5", "its start_time is no time"),
        ("runs set end_time = 1e30", "its end_time is no time"),
        ("runs set status = 5", "its status is none of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED"),
        ("runs set name = x'ff00'", "its name is no text"),
        (f"runs set name = '{LONG}'", "its name has more than 20,000 characters"),
        (f"params set value = '{LONG}'", "its param seed has more than 20,000 characters"),
        ("params set value = x'00'", "its param seed is no text"),
        ("latest_metrics set value = 'abc'", "its metric train/loss is no number"),
        (f"tags set key = '{LONG}'", "the name of a tag has more than 1,000 characters"),
    ],
)
def test_the_line_says_which_run_and_why(store, change, reason, capsys):
    store.execute(f"update {change} where run_uuid = ?", store.victim)
    uri = store.location.tracking_uri
    assert set(load_runs(uri)["run_id"]) == store.honest
    assert capsys.readouterr().err.splitlines() == [f"run {store.victim} left out: {reason}"]
    load_runs(uri)
    assert capsys.readouterr().err == ""  # once is enough


@pytest.mark.parametrize("value", ["'abc'", "x'00'", "1.5", "null"])
def test_a_run_with_a_step_that_is_none_is_left_out_of_histories_whole(store, value, capsys):
    store.execute(
        f"update metrics set step = {value} where rowid = (select max(rowid) from metrics where run_uuid = ?)",
        store.victim,
    )
    history = load_history(store.location.tracking_uri)
    assert set(history["run_id"]) == store.honest
    assert set(history["run_id"].cat.categories) == store.honest
    assert f"run {store.victim} left out: a step of its metric" in capsys.readouterr().err
    with pytest.raises(InputError, match=f"run {store.victim}: cannot be read: a step of its metric"):
        load_run(store.location.tracking_uri, store.victim)


def test_escapes_in_names_are_shown_as_text(store, capsys):
    store.execute("update experiments set name = ?", ESCAPES)
    store.execute("update runs set name = ?", ESCAPES)
    store.execute("update metrics set step = 'x', key = ?", ESCAPES)
    check_readings(store, capsys)


def test_text_that_is_no_utf_8_is_read_with_signs_in_its_place(store):
    store.execute("update params set value = cast(x'61ff62' as text) where key = 'seed'")
    assert set(load_runs(store.location.tracking_uri)["seed"]) == {"a\N{REPLACEMENT CHARACTER}b"}


def test_columns_that_few_runs_have_are_left_out_beyond_the_bound(store, capsys, monkeypatch):
    monkeypatch.setattr("micrograde.store.sound_records.MOST_COLUMNS", 20)
    for number in range(30):
        store.execute(
            "insert into params (run_uuid, key, value) values (?, ?, '1')", store.victim, f"p{number}"
        )
    runs = load_runs(store.location.tracking_uri)
    assert "seed" in runs
    assert "val/accuracy" in runs
    assert "params, metrics and tags that fewest of these runs have" in capsys.readouterr().err


def test_a_view_that_does_not_end_is_refused_before_it_is_read(store):
    store.execute(f"drop table latest_metrics; create view latest_metrics as {ENDLESS} i from n")
    with pytest.raises(InputError, match="its latest_metrics is a view"):
        load_runs(store.location.tracking_uri)


def test_a_query_that_does_not_end_is_ended(store, monkeypatch):
    """What no check of the schema sees: SQLite's own processor time is bounded."""
    monkeypatch.setattr("micrograde.store.sqlite_files.QUERY_SECONDS", 0.05)
    monkeypatch.setattr("micrograde.store.sql_reader._ACTIVE", f"({ENDLESS} count(*) from n) > 0")
    with pytest.raises(InputError, match="a query takes too long"):
        load_runs(store.location.tracking_uri)


def test_names_that_are_nested_without_end_are_no_names(store):
    store.execute("update tags set value = ? where key = 'micrograde.sweep_varies'", NESTED[:15_000])
    assert find_sweep(store.location.tracking_uri, "latest").varies == ()


def test_a_trigger_is_no_way_to_have_code_run_by_a_launch(store):
    store.execute("create trigger t after update on runs begin delete from runs; end")
    with pytest.raises(InputError, match="has a trigger on runs that is not MLflow's"):
        check_experiment("digits", store.location)
    store.execute("update runs set status = 'RUNNING' where run_uuid = ?", "nothing")
    recover(store.location)
    assert set(load_runs(store.location.tracking_uri)["run_id"]) >= store.honest
