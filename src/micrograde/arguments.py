"""The flags of a command line, looked at before Hydra acts on them, which would print its usage."""

import argparse
import os
import re
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from micrograde.config_parsing import shorten
from micrograde.errors import InputError

_ID = re.compile(r"[0-9a-f]{6,32}")
_RUN = re.compile(rf"latest|{_ID.pattern}")
_OF_RUNS = ("run_id", "sweep", "training.resume")  # keys whose value may be the beginning of an id


def named_runs_as_override(arguments: Sequence[str]) -> list[str]:
    """The arguments with the runs that they name (``compare 3cf88ee7 latest``) as the value of ``runs``.

    Hydra knows no words but ``key=value``, and would take some beginnings of ids for numbers.

    Raises
    ------
    InputError
        For a word that can be neither.
    """
    words = [each for each in _parser().parse_args(arguments).overrides if "=" not in each]
    runs = [each for each in words if not each.startswith("~")]
    for run in runs:
        if not _RUN.fullmatch(run):
            raise InputError(
                f"{shorten(run)}: is neither key=value nor a run; a run is called by its id, by 6 characters "
                "or more of its beginning, or latest"
            )
    if not runs:
        return [*arguments]
    quoted = ",".join(f"'{run}'" for run in runs)
    return [*(each for each in arguments if each not in runs), f"runs=[{quoted}]"]


def quoted_id(override: str) -> str:
    """The override, a run's id in quotes: Hydra would take ``12e45678`` for a number."""
    key, _, value = override.partition("=")
    return f"{key}='{value}'" if key in _OF_RUNS and _ID.fullmatch(value) else override


def check_arguments(arguments: Sequence[str], *, sweeps: bool) -> argparse.Namespace:
    """The arguments as Hydra will read them; ``sweeps`` says whether ``-m`` means anything.

    Raises
    ------
    InputError
        For a flag that there is not, flags that exclude each other, and the one that would load a pickle.
    """
    given = _parser().parse_args(arguments)
    if given.experimental_rerun is not None:
        raise InputError(
            "--experimental-rerun: would load a pickle, which can run any code; "
            "to run a recorded run again: python pipelines/replay.py run_id=..."
        )
    if not sweeps and (given.multirun or any(each.startswith("hydra.mode=") for each in given.overrides)):
        raise InputError("-m: is for pipelines/train.py; there is nothing to sweep here")
    commands = {
        "--run": given.run,
        "--multirun": given.multirun,
        "--cfg": given.cfg,
        "--info": given.info,
        "--shell-completion": given.shell_completion,
    }
    asked = [flag for flag, value in commands.items() if value]
    if len(asked) > 1:
        raise InputError(f"{' and '.join(asked)}: exclude each other; give one of them")
    if given.resolve and not (given.cfg or given.help):
        raise InputError("--resolve: is for --cfg; give both")
    if given.config_dir is not None and not os.path.isdir(given.config_dir):
        raise InputError(f"--config-dir {given.config_dir}: there is no such folder")
    return given


def _parser() -> argparse.ArgumentParser:
    """Hydra's own, which raises instead of printing its usage."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{message}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    return parser
