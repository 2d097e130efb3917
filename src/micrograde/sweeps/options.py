"""Check the options of a sweep's command line, and that a single run has none of them."""

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

from micrograde.config.commands import SweepConfig
from micrograde.config.keys import OF_SWEEPS, shorten
from micrograde.config.schema import OUTSIDE_RECIPE
from micrograde.core.errors import InputError

MOST_RUNS_OF_SWEEP = 100_000
"""The most runs of one sweep: all its jobs are composed before the first begins."""
_OF_NO_RUN = ("hydra", "sweep", "data.repeats", *OUTSIDE_RECIPE)
_FOR_ONE_RUN_TOO = ("verbose",)  # -v, which changes nothing there
_WORDS = ("name", "tags", "note")


def check_swept(space: Mapping[str, str]) -> None:
    """Raise ``InputError`` if a key is swept on which no run depends.

    Parameters
    ----------
    space
        The values of each swept key, as they were typed: ``{"seed": "range(10)"}``.
    """
    for key, values in space.items():
        name = key.replace("/", ".")
        if any(name == each or name.startswith(f"{each}.") for each in _OF_NO_RUN):
            raise InputError(
                f"{shorten(f'{key}={values}')}: changes nothing in what is trained, so all of these would be "
                "one run; give one value, or a command for each"
            )


def check_count(space: Mapping[str, str]) -> None:
    """Raise ``InputError`` if the combinations of the swept values are endless or too many; make none."""
    parser = OverridesParser.create()
    runs = 1
    for key, values in space.items():
        swept = parser.parse_override(f"{key}={values}").value()
        if isinstance(swept, RangeSweep):
            runs *= length_of(swept, f"{key}={values}")
        elif isinstance(swept, ChoiceSweep):
            runs *= len(swept.list)
        if runs > MOST_RUNS_OF_SWEEP:
            number = str(runs) if runs < 10**18 else "over 10**18"
            raise InputError(
                f"{shorten(f'{key}={values}')}: makes {number} runs; a sweep may have {MOST_RUNS_OF_SWEEP}. "
                "To try some of very many: hydra/sweeper=optuna hydra.sweeper.n_trials=100"
            )


def length_of(swept: RangeSweep, typed: str) -> int:
    """Return how many values a range has; raise ``InputError`` if it has no end, or steps of 0."""
    ends = (swept.start or 0, swept.stop or 0, swept.step)
    if not all(isinstance(each, int) or math.isfinite(each) for each in ends) or not swept.step:
        raise InputError(f"{shorten(typed)}: should be a range of numbers with an end, in steps other than 0")
    start, stop, step = map(Fraction, ends)
    return max(0, math.ceil((stop - start) / step))


def check_options(options: SweepConfig) -> None:
    """Raise ``InputError`` for options that a sweep passes to its own jobs, and that no user should type."""
    for key in OF_SWEEPS:
        value = getattr(options, key.removeprefix("sweep."))
        if value is not None:
            raise InputError(f"{shorten(f'{key}={value}')}: is what a sweep tells its own jobs; leave it out")


def check_retest(options: SweepConfig, tracking: str, *, keeps: bool) -> None:
    """Raise ``InputError`` if the retests are too many, or nothing could be read back (``keeps``)."""
    if options.retest is None:
        return
    if not keeps:
        raise InputError(
            f"sweep.retest={options.retest}: reads the runs back, and tracking={tracking} keeps none; "
            "leave one of the two out"
        )
    if (most := options.retest * options.retest_settings) > MOST_RUNS_OF_SWEEP:
        raise InputError(
            f"sweep.retest={options.retest}: may make {most} runs with "
            f"sweep.retest_settings={options.retest_settings}; at most {MOST_RUNS_OF_SWEEP}"
        )


def check_alone(options: SweepConfig) -> None:
    """Raise ``InputError`` if an option of sweeps is given for a single run."""
    check_options(options)
    for field in dataclasses.fields(SweepConfig):
        value = getattr(options, field.name)
        if value != field.default and field.name not in _FOR_ONE_RUN_TOO:
            own = f", or write run.{field.name}" if field.name in _WORDS else ""
            raise InputError(f"sweep.{field.name}: is for sweeps, and this is a single run; add -m{own}")
