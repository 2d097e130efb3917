"""Which run is meant by what is typed: the same everywhere."""

import pytest

from micrograde.analysis import load_history, load_runs, load_sweeps
from micrograde.core.errors import InputError
from micrograde.store import find_run, find_run_id, find_run_ids, load_run, make_command, tags


@pytest.mark.parametrize("length", [6, 7, 8, 12, 31, 32])
def test_a_beginning_means_its_run_or_sweep(sweep_uri, length):
    for frame in (load_runs(sweep_uri), load_sweeps(sweep_uri)):
        for run_id in frame["run_id"]:
            assert find_run_id(sweep_uri, run_id[:length]) == run_id
            assert load_run(sweep_uri, run_id[:length]).about.run_id == run_id


def test_latest_is_the_run_that_began_last_of_those_that_finished(uri, sweep_uri):
    assert load_run(sweep_uri, "latest").about.run_name == "alone"
    assert find_run(uri, "latest").about.run_name == "run 5"  # later ones failed, or go on
    assert set(load_history(sweep_uri, run_ids=["latest"])["run_id"]) == {find_run_id(sweep_uri, "latest")}


def test_several_are_found_in_the_order_in_which_they_were_typed(sweep_uri):
    ids = list(load_runs(sweep_uri)["run_id"])
    assert find_run_ids(sweep_uri, [ids[3][:8], ids[0], "latest"]) == [ids[3], ids[0], ids[0]]
    history = load_history(sweep_uri, run_ids=[ids[3][:8], ids[2][:10], ids[3]])
    assert set(history["run_id"]) == {ids[3], ids[2]}


def test_within_a_sweep_only_its_runs_are_meant(sweep_uri):
    newest, moons, first, _ = load_sweeps(sweep_uri)["run_id"]
    of_first = load_runs(sweep_uri, sweep=first)
    last = of_first[of_first["status"] == "FINISHED"]["run_id"].iloc[0]
    assert find_run_id(sweep_uri, "latest", sweep=first) == last
    for other in (load_runs(sweep_uri, sweep=newest)["run_id"][0], moons):
        with pytest.raises(InputError, match=f"there is no such run in the sweep {first[:8]}"):
            find_run_id(sweep_uri, other[:8], sweep=first)


def test_a_sweep_means_its_best_run_or_says_that_it_has_none(sweep_uri):
    sweep = load_sweeps(sweep_uri)["run_id"][0]
    with pytest.raises(InputError, match=f"run_id={sweep}: is a sweep that has no best run"):
        find_run(sweep_uri, sweep[:8])
    assert tags.SWEEP_DIGEST in load_run(sweep_uri, sweep[:8]).tags


@pytest.mark.parametrize(
    "typed", ["", "abc", "zzzzzz", "Latest", "3CF88EE7", "0" * 33, "a" * 7 + "%", "'; --"]
)
def test_what_is_no_id_is_refused_in_a_line(sweep_uri, typed):
    with pytest.raises(InputError, match=r"is no run id; .*or latest"):
        find_run_id(sweep_uri, typed)


def test_a_beginning_of_several_lists_them(sweep_uri, monkeypatch):
    from micrograde.store import run_ids
    from micrograde.store.records import RunAbout

    runs = [RunAbout(f"abcdef{i:026d}", "", "e", "FINISHED", i, None, None) for i in range(9)]
    monkeypatch.setattr(
        run_ids, "store_of", lambda _: type("Store", (), {"read_about": staticmethod(lambda *_: runs)})
    )
    with pytest.raises(InputError, match=r"run_id=abcdef: several runs begin like that:( \w{32}){5}$"):
        find_run_id(sweep_uri, "abcdef")


def test_a_command_looks_into_the_store_that_is_meant_and_shows_no_password():
    assert make_command("compare", "sqlite:///x.db") == "make compare"
    assert make_command("compare", "sqlite:///x.db", "sweep=latest") == 'make compare ARGS="sweep=latest"'
    assert make_command("compare", "https://ann:p@ss@host:1/x", "sweep=latest") == (
        'make compare ARGS="tracking=server tracking.uri=https://host:1/x sweep=latest"'
    )
