"""The flags of a command line, looked at before Hydra acts on them, which would print its usage."""

import argparse
import os
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from micrograde.errors import InputError


def check_arguments(arguments: Sequence[str], *, sweeps: bool) -> argparse.Namespace:
    """The arguments as Hydra will read them; ``sweeps`` says whether ``-m`` means anything.

    Raises
    ------
    InputError
        For a flag that there is not, flags that exclude each other, and the one that would load a pickle.
    """
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{message}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    given = parser.parse_args(arguments)
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
