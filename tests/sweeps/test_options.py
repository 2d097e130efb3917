"""What of a sweep's keys may be swept or typed: what would change nothing is refused before anything starts."""

import pytest

from micrograde.command_configs import SweepConfig
from micrograde.config import OUTSIDE_RECIPE
from micrograde.errors import InputError
from micrograde.sweeps.options import check_alone, check_options, check_swept

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


@pytest.mark.parametrize("key", ["members", "parent_run_id"])
def test_what_a_sweep_tells_its_jobs_is_typed_by_nobody(key):
    for check in (check_options, check_alone):
        with pytest.raises(InputError) as error:
            check(SweepConfig(**{key: "zzz"}))
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
    assert str(error.value) == f"sweep.{key}: is of a sweep, and this is one run; add -m{more}"


def test_one_run_may_be_verbose():
    check_alone(SweepConfig())
    check_alone(SweepConfig(verbose=True))
