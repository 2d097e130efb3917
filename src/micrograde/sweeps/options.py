"""What a sweep's command line may hold, and what that of one run may not."""

import dataclasses
from collections.abc import Mapping

from micrograde.command_configs import SweepConfig
from micrograde.config import OUTSIDE_RECIPE
from micrograde.errors import InputError
from micrograde.keys import OF_SWEEPS, shorten

_OF_NO_RUN = ("hydra", "sweep", *OUTSIDE_RECIPE)
_FOR_ONE_RUN_TOO = ("verbose",)  # -v, which changes nothing there
_WORDS = ("name", "tags", "note")


def check_swept(space: Mapping[str, str]) -> None:
    """Raise ``InputError`` for a key that is swept and of which no run depends.

    Parameters
    ----------
    space
        What each swept key takes, as it was typed: ``{"seed": "range(10)"}``.
    """
    for key, values in space.items():
        name = key.replace("/", ".")
        if any(name == each or name.startswith(f"{each}.") for each in _OF_NO_RUN):
            raise InputError(
                f"{shorten(f'{key}={values}')}: changes nothing in what is trained, so all of these would be "
                "one run; give one value, or a command for each"
            )


def check_options(options: SweepConfig) -> None:
    """Raise ``InputError`` for what a sweep tells its jobs; nobody else can know it."""
    for key in OF_SWEEPS:
        value = getattr(options, key.removeprefix("sweep."))
        if value is not None:
            raise InputError(f"{shorten(f'{key}={value}')}: is what a sweep tells its own jobs; leave it out")


def check_alone(options: SweepConfig) -> None:
    """Raise ``InputError`` for any key of a sweep, where there is only one run."""
    check_options(options)
    for field in dataclasses.fields(SweepConfig):
        value = getattr(options, field.name)
        if value != field.default and field.name not in _FOR_ONE_RUN_TOO:
            own = f", or write run.{field.name}" if field.name in _WORDS else ""
            raise InputError(f"sweep.{field.name}: is of a sweep, and this is one run; add -m{own}")
