"""What of a sweep's keys may be swept or typed: what would change nothing is refused before anything starts."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from micrograde.config.commands import SweepConfig
from micrograde.config.schema import OUTSIDE_RECIPE
from micrograde.core.errors import InputError
from micrograde.sweeps.options import MOST_RUNS_OF_SWEEP, check_alone, check_count, check_options, check_swept

NOT_SWEPT = [
    *OUTSIDE_RECIPE, "tracking.pictures", "run.name", "run.tags.team", "sweep", "sweep.metric", "hydra/launcher", "hydra.verbose",
]  # fmt: skip


@pytest.mark.parametrize("key", NOT_SWEPT)
def test_what_changes_no_run_is_not_swept(key):
    with pytest.raises(InputError) as error:
        check_swept({"seed": "1,2", key: "one,two"})
    assert str(error.value).startswith(f"{key}=one,two: changes nothing in what is trained")


def test_what_changes_a_run_is():
    check_swept(
        {
            "seed": "1,2",
            "data": "iris,wine",
            "training.batch_size": "1,2",
            "training": "x",
            "experiment": "a,b",
        }
    )


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"seed": "range(0,1e12)"}, "makes 1000000000000 runs; a sweep may have 100000"),
        ({"seed": f"range({10**12})"}, "makes 1000000000000 runs"),
        ({"seed": f"range({10**400})"}, "makes over 10**18 runs"),
        ({"seed": "range(0,1,1e-300)"}, "makes over 10**18 runs"),
        ({"seed": "range(1000)", "data.seed": "range(1000)"}, "makes 1000000 runs"),
        ({"seed": "range(0,inf)"}, "should be a range of numbers with an end, in steps other than 0"),
        ({"seed": "range(0,nan)"}, "should be a range of numbers with an end"),
        ({"seed": "range(0,9,0)"}, "in steps other than 0"),
        ({"seed": "range(0,1,0.0)"}, "in steps other than 0"),
    ],
)
def test_a_sweep_without_end_is_refused_before_a_job_is_made(space, message):
    with pytest.raises(InputError) as error:
        check_count(space)
    assert message in str(error.value)
    assert len(str(error.value)) < 300


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 9))
def test_the_runs_of_a_range_are_counted_as_hydra_makes_them(start, stop, step):
    text = f"x=range({start!r},{stop!r},{step!r})"
    made = list(OverridesParser.create().parse_override(text).sweep_iterator())
    most = MOST_RUNS_OF_SWEEP // len(made) if made else 10**9
    check_count({"x": text[2:], "seed": f"range({most})"})
    if made:
        with pytest.raises(InputError):
            check_count({"x": text[2:], "seed": f"range({most + 1})"})


@pytest.mark.parametrize("key", ["members", "parent_run_id"])
def test_what_a_sweep_tells_its_jobs_is_typed_by_nobody(key):
    given: dict[str, Any] = {key: "zzz"}
    for check in (check_options, check_alone):
        with pytest.raises(InputError) as error:
            check(SweepConfig(**given))
        assert str(error.value) == f"sweep.{key}=zzz: is what a sweep tells its own jobs; leave it out"


@pytest.mark.parametrize(
    ("key", "value", "more"),
    [
        ("name", "a", ", or write run.name"),
        ("tags", {"team": "a"}, ", or write run.tags"),
        ("note", "why", ", or write run.note"),
        ("metric", "val/loss", ""),
        ("order", "ascending", ""),
        ("resume", False, ""),
        ("runs_per_job", 3, ""),
    ],
)
def test_one_run_has_no_keys_of_a_sweep(key, value, more):
    options = SweepConfig(**{key: value})
    check_options(options)
    with pytest.raises(InputError) as error:
        check_alone(options)
    assert str(error.value) == f"sweep.{key}: is for sweeps, and this is a single run; add -m{more}"


def test_one_run_may_be_verbose():
    check_alone(SweepConfig())
    check_alone(SweepConfig(verbose=True))
