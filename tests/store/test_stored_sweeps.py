import re
from types import SimpleNamespace

import pandas as pd
import pytest
from tests.hostile_server import of_store, serving

from micrograde.analysis import load_runs, load_sweeps
from micrograde.analysis.joining import joined
from micrograde.core.errors import InputError
from micrograde.store import find_sweep, stored_sweeps
from micrograde.store import server_reader as server
from micrograde.store.records import RunAbout, Selection, SweepAbout


def test_sweeps_newest_first(sweep_uri):
    table = load_sweeps(sweep_uri)
    assert list(table) == ["run_id", "name", "experiment", "status", "started", "varies", "runs"]
    assert list(table["name"]) == ["learning_rate × seed", "seed", "learning_rate × seed", "edited"]
    assert list(table["experiment"]) == ["digits", "moons", "digits", "moons"]
    assert list(table["varies"]) == [
        ("optimizer.learning_rate", "seed"),
        ("seed",),
        ("optimizer.learning_rate", "seed"),
        (),
    ]
    assert list(table["runs"]) == [1, 1, 5, 0]
    assert table["started"].iloc[0] == pd.Timestamp(1_700_000_000_200, unit="ms", tz="UTC")
    assert list(load_sweeps(sweep_uri, experiment_name="moons")["name"]) == ["seed", "edited"]


def test_a_store_without_sweeps(uri, tmp_path):
    for address in (uri, f"sqlite:///{tmp_path}/mlflow.db"):
        assert load_sweeps(address).empty
        assert list(load_sweeps(address)) == list(load_sweeps(uri))
        with pytest.raises(InputError, match="sweep=latest: there are no sweeps yet"):
            load_runs(address, sweep="latest")


def test_runs_are_those_of_no_sweep_too_but_neither_sweeps_nor_superseded_attempts(sweep_uri):
    runs = load_runs(sweep_uri)
    assert len(runs) == 8
    assert "alone" in set(runs["run_name"])
    assert set(runs["experiment_name"]) == {"digits", "moons"}
    assert not runs["tags.micrograde.config_digest"].isin(["2.0 1", "3.0 0"]).any()
    assert "tags.micrograde.sweep_digest" not in runs
    assert runs["parent_run_id"].isna().sum() == 1
    assert set(runs["parent_run_id"].dropna()) == set(load_sweeps(sweep_uri)["run_id"][:3])


def test_a_sweep_is_found_by_latest_id_prefix_and_name(sweep_uri):
    newest, _, oldest, _ = load_sweeps(sweep_uri)["run_id"]
    for sweep, found in (
        ("latest", newest),
        (oldest, oldest),
        (oldest[:6], oldest),
        ("learning_rate × seed", newest),
    ):
        assert find_sweep(sweep_uri, sweep).run_id == found
        assert set(load_runs(sweep_uri, sweep=sweep)["parent_run_id"]) == {found}
    assert find_sweep(sweep_uri, "latest", experiment_name="moons").name == "seed"
    runs = load_runs(sweep_uri, sweep=oldest)
    assert list(runs["seed"]) == [0, 1, 0, 1, 0]
    assert list(runs["optimizer.learning_rate"]) == [2.0, 0.5, 0.5, 0.1, 0.1]
    assert list(load_runs(sweep_uri, sweep=oldest, status="FAILED", where=["seed=0"])["seed"]) == [0]


def test_what_is_no_sweep_gives_a_line_with_those_there_are(sweep_uri):
    ids = list(load_sweeps(sweep_uri)["run_id"])
    for sweep in ("nothing", ids[0][:5], load_runs(sweep_uri)["run_id"][0]):
        with pytest.raises(InputError, match=f"sweep={sweep}: there is no such sweep; there are ") as caught:
            load_runs(sweep_uri, sweep=sweep)
        message = str(caught.value)
        assert "\n" not in message
        assert [run_id[:8] in message for run_id in ids] == [True] * 4
        assert "(learning_rate × seed, 2023-11-14 22:13)" in message
    with pytest.raises(
        InputError, match="there is no such sweep in experiment_name=moons; there are"
    ) as caught:
        find_sweep(sweep_uri, ids[0], experiment_name="moons")
    assert ids[0][:8] not in str(caught.value).partition("there are")[2]


def test_a_beginning_that_fits_several_is_refused_and_ten_at_most_are_listed(monkeypatch):
    found = [
        SweepAbout(
            RunAbout(f"abcdef{number:026d}", f"n{number}", "e", "FINISHED", number, None, None), "", None
        )
        for number in range(12)
    ]
    monkeypatch.setattr(stored_sweeps, "store_of", lambda _: SimpleNamespace(read_sweeps=lambda _: found))
    with pytest.raises(InputError, match="several sweeps begin like that") as caught:
        find_sweep("", "abcdef")
    assert str(caught.value).endswith("and 2 more")
    listed = re.findall(r"([0-9a-f]+) \(n", str(caught.value))
    assert len(set(listed)) == 10
    assert find_sweep("", f"abcdef{3:026d}").name == "n3"


def test_a_server_says_the_same(sweep_uri, monkeypatch):
    monkeypatch.setattr(server, "_PAGE", 2)
    with serving(of_store(sweep_uri)) as address:
        check_that_it_says_the_same(sweep_uri, address)


def check_that_it_says_the_same(sweep_uri, address):
    from micrograde.store import sql_reader

    sweep = find_sweep(sweep_uri, "latest").run_id
    for selection in (
        Selection(),
        Selection("digits"),
        Selection(None, "FAILED"),
        Selection(None, None, sweep),
    ):
        pd.testing.assert_frame_equal(
            joined(server.read_runs(address, selection)), joined(sql_reader.read_runs(sweep_uri, selection))
        )
    assert sorted(server.read_sweeps(address)) == sorted(sql_reader.read_sweeps(sweep_uri))
    assert server.count_runs(address) == sql_reader.count_runs(sweep_uri)


def test_the_latest_is_the_one_that_was_launched_last(monkeypatch):
    def about(number, launched=None):
        run = RunAbout(f"{number:032x}", f"n{number}", "e", "FINISHED", number, None, None)
        return SweepAbout(run, "", None, launched)

    found = [about(1, "25"), about(2), about(3, "edited"), about(30), about(20, "40")]
    monkeypatch.setattr(stored_sweeps, "store_of", lambda _: SimpleNamespace(read_sweeps=lambda _: found))
    assert [each.name for each in stored_sweeps.list_sweeps("")] == ["n20", "n30", "n1", "n3", "n2"]
    assert find_sweep("", "latest").name == "n20"
