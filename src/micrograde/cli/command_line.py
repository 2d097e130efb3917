"""Make commands of functions: Hydra composes the config, and each mistake becomes one line.

Exit status: 0 success, 1 a run failed, 2 the input is wrong (nothing was started), 130 stopped with Ctrl-C.
"""

import functools
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, cast

import hydra
import hydra._internal.hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from micrograde.cli.help_pages import fitted_page, with_keys
from micrograde.cli.surroundings import check_surroundings, refusal
from micrograde.config.completion import CompletionLoader
from micrograde.config.exit_lines import BAD_INPUT, INTERRUPTED, RUN_FAILED, leave, print_traceback
from micrograde.config.flags import check_arguments, flags_as_overrides, flags_first, named_runs_as_override
from micrograde.config.guard import EXECUTION_WHITELIST, GuardedLoader
from micrograde.config.hydra_versions import BEHAVIOUR, building_only, load_plugins
from micrograde.config.keys import key_of
from micrograde.core.errors import InputError, RunFailedError
from micrograde.core.project import conf_folder
from micrograde.core.redaction import without_password, without_password_in_yaml
from micrograde.core.streams import keep_output_steady, lost_output
from micrograde.core.terminal import spelled, terminal_width, use_plain_characters
from micrograde.store.library_environment import keep_warnings_warnings
from micrograde.tracking import WriterProcess

_PIPED = 100  # columns of a help page that is not printed on a terminal

Config = dict[str, Any]
"""A composed config as nested dictionaries of plain values."""

SEVERAL_RUNS = object()
"""What a command returns if its config, as with folds, stands for several runs."""


def entry_point(
    config_name: str, *, names_runs: bool = False, flags: Mapping[str, str] | None = None
) -> Callable[[Callable[[Config], Any]], Callable[[], None]]:
    """Return a decorator that makes ``main(config)`` a command.

    Its config is ``conf/<config_name>.yaml`` plus overrides. ``InputError`` and ``RunFailedError`` that it
    raises, and errors that Hydra finds in the command line, are shown without a traceback; with
    ``HYDRA_FULL_ERROR=1`` in the environment they are raised as they are.

    With ``names_runs``, arguments without ``=`` are names of runs, and become the value of the key ``runs``.
    ``flags`` are the command's own, each with the key that it stands for.
    """

    def decorate(main: Callable[[Config], Any]) -> Callable[[], None]:
        def command() -> None:
            keep_output_steady()
            use_plain_characters()
            keep_warnings_warnings()
            sys.excepthook = print_traceback
            with _saying_what_is_lost(wanted=True), _saying_what_is_refused():
                os.environ["MICROGRADE_HOME"] = str(check_surroundings())
                _run_hydra(main, config_name, sweeps=False, names_runs=names_runs, flags=flags)

        return command

    return decorate


def recording_entry_point(
    config_name: str,
) -> Callable[[Callable[[Config, WriterProcess | None], Any]], Callable[[], None]]:
    """Return a decorator like ``entry_point`` for a ``main(config, writer)`` that records a run.

    The writer process imports MLflow while Hydra composes the config. With a flag such as ``--help`` or
    ``-m`` the command does not record a single run, and ``writer`` is None. ``-v`` is short for
    ``sweep.verbose=true``. If ``main`` returns ``SEVERAL_RUNS``, the command begins again as with ``-m``.
    """

    def decorate(main: Callable[[Config, WriterProcess | None], Any]) -> Callable[[], None]:
        def command() -> None:
            keep_output_steady()
            use_plain_characters()
            keep_warnings_warnings()
            sys.excepthook = print_traceback
            sys.argv[1:] = ["sweep.verbose=true" if each == "-v" else each for each in sys.argv[1:]]
            flags = any(argument.startswith("-") for argument in sys.argv[1:])
            folds = any(key_of(argument) == "data.folds" for argument in sys.argv[1:])
            shows = flags and not {"-m", "--multirun"}.intersection(sys.argv)
            writer: WriterProcess | None = None
            several = False

            @functools.wraps(main)
            def given(config: Config) -> Any:
                nonlocal several
                returned = main(config, writer)
                several = returned is SEVERAL_RUNS
                return returned

            try:
                with _saying_what_is_lost(wanted=shows), _saying_what_is_refused():
                    os.environ["MICROGRADE_HOME"] = str(check_surroundings())
                    writer = None if flags or folds else WriterProcess(ahead=True)
                    _run_hydra(given, config_name, sweeps=True)
                    if several:
                        sys.argv.append("-m")
                        _run_hydra(given, config_name, sweeps=True)
            finally:
                if writer:
                    writer.discard()

        return command

    return decorate


class _LogRecord(logging.LogRecord):
    """A log record without passwords: if its logging is turned on, Hydra logs what was typed."""

    def getMessage(self) -> str:  # noqa: N802
        """Return the message with passwords hidden."""
        return without_password(super().getMessage())


def _run_hydra(
    main: Callable[[Config], Any],
    config_name: str,
    *,
    sweeps: bool,
    names_runs: bool = False,
    flags: Mapping[str, str] | None = None,
) -> None:
    """Compose the config and call ``main`` with it; exit with a line if the user has made a mistake."""
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"

    @functools.wraps(main)
    def task(config: DictConfig) -> Any:
        # Caught here, inside Hydra, so that it does not print its own lines about a failed job first.
        try:
            return main(cast(Config, OmegaConf.to_container(config, resolve=True)))
        except (InputError, RunFailedError, OmegaConfBaseException) as error:
            if wants_traceback:
                raise
            leave(error, config_name)
        except Exception as error:
            said = refusal(error)
            if wants_traceback or said is None:
                raise
            leave(InputError(said))

    logging.setLogRecordFactory(_LogRecord)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises instead of printing several lines
    typed: list[str] = []
    shows_config = False
    try:
        if flags:
            sys.argv[1:] = flags_as_overrides(sys.argv[1:], flags)
        if names_runs:
            sys.argv[1:] = named_runs_as_override(sys.argv[1:])
        given = check_arguments(sys.argv[1:], sweeps=sweeps)
        typed, shows_config = given.overrides, given.cfg is not None
        sys.argv[1:] = flags_first(given)
        if given.help:
            _show_help(config_name, conf_folder())
            return
        loader = type("Loader", (GuardedLoader,), {"follows_variables": not (given.hydra_help or given.info)})
        if given.shell_completion:
            loader = type("Loader", (CompletionLoader,), {"command": config_name})
        hydra._internal.hydra.ConfigLoaderImpl = loader  # type: ignore[attr-defined, assignment]
        command = hydra.main(config_path=str(conf_folder()), config_name=config_name, **BEHAVIOUR)(task)
        load_plugins()
        with building_only(EXECUTION_WHITELIST):
            if given.cfg or given.hydra_help or given.info:
                with _without_passwords():
                    command()
            else:
                command()
    except (InputError, RunFailedError, HydraException, OmegaConfBaseException) as error:
        if wants_traceback:
            raise
        leave(error, config_name, typed)
    except SystemExit as error:  # Hydra has said what is wrong with --package
        sys.exit(BAD_INPUT if shows_config and error.code == 1 else error.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


@contextmanager
def _saying_what_is_refused() -> Iterator[None]:
    """Exit with a line if the environment cannot be used, or the system refuses a resource."""
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    try:
        yield
    except Exception as error:
        said = str(error) if isinstance(error, InputError) else refusal(error)
        if wants_traceback or said is None:
            raise
        leave(InputError(said))


@contextmanager
def _saying_what_is_lost(*, wanted: bool) -> Iterator[None]:
    """Say on standard error that output could not be written.

    If the output is all that was ``wanted``, the command fails. A run does not: it is in the store, and the
    exit status says how it ended.
    """
    try:
        yield
    finally:
        reason, error = lost_output(), sys.exc_info()[1]
        if reason:
            print(f"the output could not be written ({reason})", file=sys.stderr)
            if wanted and (error is None or (isinstance(error, SystemExit) and not error.code)):
                sys.exit(RUN_FAILED)


@contextmanager
def _without_passwords() -> Iterator[None]:
    """Print what Hydra prints about the config, with passwords hidden."""
    page = io.StringIO()
    try:
        with redirect_stdout(page):
            yield
    finally:
        print(without_password_in_yaml(page.getvalue()), end="")


def _show_help(config_name: str, conf: Path) -> None:
    """Print the help page of a command with all its keys, fitted to the width of the terminal.

    Hydra, which composes the config before it prints a page, is not asked: that takes as long as the rest.
    """
    written = OmegaConf.load(conf / "hydra" / "help" / f"{config_name}.yaml")
    page = OmegaConf.create({"hydra": {"help": written}}).hydra.help.template
    text = with_keys(page.strip("\n"), config_name, conf)
    print(fitted_page(spelled(text), terminal_width() or _PIPED))
