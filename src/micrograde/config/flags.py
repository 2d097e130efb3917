"""Check the flags of a command line before Hydra does, which would print its usage for each mistake."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from micrograde.config.keys import key_of, shorten
from micrograde.core.errors import InputError
from micrograde.core.project import command_line
from micrograde.core.version import VERSION

_LONGEST = 2**17  # characters; Linux passes no longer argument to a process
_MOST_DIGITS = 4000  # Python reads integers of at most 4,300 digits
_DEEPEST = 20
_ID = re.compile(r"[0-9a-f]{6,32}")
_RUN = re.compile(rf"latest|{_ID.pattern}")


def named_runs_as_override(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the runs that they name (``compare 3cf88ee7 latest``) as the key ``runs``.

    Hydra accepts only ``key=value``, and would read the beginnings of some ids as numbers.

    Raises
    ------
    InputError
        If a word is neither ``key=value`` nor a run.
    """
    words = [each for each in _parser().parse_intermixed_args(arguments).overrides if "=" not in each]
    runs = [each for each in words if not each.startswith("~")]
    for run in runs:
        if not _RUN.fullmatch(run):
            raise InputError(
                f"{shorten(run)}: is neither key=value nor a run; name a run by its id, by 6 characters "
                "or more of its beginning, or by latest"
            )
    if not runs:
        return [*arguments]
    quoted = ",".join(f"'{run}'" for run in runs)
    return [*(each for each in arguments if each not in runs), f"runs=[{quoted}]"]


def flags_as_overrides(arguments: Sequence[str], flags: Mapping[str, str]) -> list[str]:
    """Return the arguments with a command's flags as overrides, ``--older-than 30d`` as ``older_than=30d``.

    Parameters
    ----------
    flags
        The key of each flag. One that is followed by no value, or by another flag, is ``true``.
    """
    found: list[str] = []
    rest = list(arguments)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if flag not in flags:
            found.append(flag + equals + value)
        elif equals:
            found.append(f"{flags[flag]}={value}")
        else:
            has_value = bool(rest) and not rest[0].startswith("--") and "=" not in rest[0]
            found.append(f"{flags[flag]}={rest.pop(0) if has_value else 'true'}")
    return found


def check_arguments(arguments: Sequence[str], *, sweeps: bool) -> argparse.Namespace:
    """Return the parsed arguments, after checking them; ``sweeps`` is whether the command takes ``-m``.

    Raises
    ------
    InputError
        For an unknown flag, flags that exclude each other, and the flag that would load a pickle.
    """
    given = _parser().parse_intermixed_args(arguments)
    refuse_endless(given.overrides)
    if given.experimental_rerun is not None:
        raise InputError(
            "--experimental-rerun: would load a pickle, which can run any code; "
            f"to run a recorded run again: {command_line('replay', 'run_id=latest')}"
        )
    if not sweeps and (given.multirun or any(key_of(each) == "hydra.mode" for each in given.overrides)):
        raise InputError(f"-m: is for {command_line('train')}; there is nothing to sweep here")
    refuse_mode(given.overrides)
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
    if given.shell_completion and not _is_completion(given.overrides):
        raise InputError(
            "--shell-completion: needs install=SHELL or uninstall=SHELL; SHELL is bash, fish or zsh"
        )
    if given.resolve and not (given.cfg or given.help):
        raise InputError("--resolve: is for --cfg; give both")
    if given.package is not None and not given.cfg:
        raise InputError(f"--package {given.package}: is for --cfg; give both")
    if given.config_dir is not None and not os.path.isdir(given.config_dir):
        raise InputError(f"--config-dir {given.config_dir}: there is no such folder")
    return given


def _parser() -> argparse.ArgumentParser:
    """Return Hydra's parser, changed to raise ``InputError`` instead of printing its usage."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise InputError(f"{message}; see --help")

    parser.error = refuse  # type: ignore[method-assign]
    for action in parser._actions:
        if isinstance(action, argparse._VersionAction):  # it shows Hydra's version
            action.version = f"micrograde {VERSION}"
    return parser


def refuse_endless(overrides: Sequence[str]) -> None:
    """Raise ``InputError`` for an override that Hydra would parse for minutes, or could not parse at all."""
    for override in overrides:
        if len(override) > _LONGEST:
            raise InputError(
                f"{shorten(override)}: has more than {_LONGEST} characters, which is more than a shell takes"
            )
        if re.search(rf"[\d_]{{{_MOST_DIGITS + 1}}}", override):
            raise InputError(f"{shorten(override)}: has a number of more than {_MOST_DIGITS} digits")
        if _depth(override) > _DEEPEST:
            raise InputError(f"{shorten(override)}: has brackets within brackets, more than {_DEEPEST} deep")


def _depth(text: str) -> int:
    """Return how deep the brackets in a text are nested."""
    deepest = depth = 0
    for bracket in re.findall(r"[\[{(\]})]", text):
        depth += 1 if bracket in "[{(" else -1
        deepest = max(deepest, depth)
    return deepest


def refuse_mode(overrides: Sequence[str]) -> None:
    """Raise ``InputError`` for an override of ``hydra.mode``, which chooses between one run and a sweep."""
    for override in overrides:
        if key_of(override) == "hydra.mode":
            raise InputError(f"{override}: cannot be set; -m makes a sweep, and without it there is one run")


def _is_completion(overrides: Sequence[str]) -> bool:
    return len(overrides) == 1 and bool(
        re.fullmatch(r"(install|uninstall|query)=(bash|fish|zsh)", overrides[0])
    )


def flags_first(given: argparse.Namespace) -> list[str]:
    """Return the arguments with flags before overrides, as Hydra needs them."""
    flags = []
    for action in get_args_parser()._get_optional_actions():
        value = getattr(given, action.dest, None)
        if value:
            flags.append(action.option_strings[0])
            flags += [value] if isinstance(value, str) else []
    overrides = [] if given.hydra_help else given.overrides  # --hydra-help knows only Hydra's own keys
    return [*flags, "--", *overrides] if overrides else flags
