"""What every entry point shares, in-process: a config goes in, a line and an exit status come out."""

import logging
import os
from typing import Any

import hydra._internal.hydra
import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from tests.conftest import ROOT

from micrograde.cli import command_line
from micrograde.cli.command_line import entry_point, recording_entry_point
from micrograde.config.exit_lines import leave_with_line
from micrograde.core.errors import InputError, RunFailedError


@pytest.fixture(autouse=True)
def logging_as_it_was():
    """Hydra sets up logging for its process, to whatever stands for its output."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers.copy()
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def writers(monkeypatch):
    """The writers that were started, each with how often it was let go."""
    writers = []

    class Writer:
        """In the place of a process that imports MLflow."""

        def __init__(self, *, ahead):
            assert ahead  # the launch is not known yet
            self.discarded = 0
            writers.append(self)

        def discard(self):
            self.discarded += 1

    monkeypatch.setattr(command_line, "WriterProcess", Writer)
    return writers


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Give a command, whose ``main`` is this: its exit status and what it has printed."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setattr(hydra._internal.hydra, "ConfigLoaderImpl", ConfigLoaderImpl)
    monkeypatch.chdir(tmp_path)

    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(main, *arguments, recording=False, config="sync"):
        # Hydra finds conf/ beside the folder of the file that is run.
        main.__module__ = "__main__"
        main.__code__ = main.__code__.replace(co_filename=str(ROOT / "pipelines" / "any.py"))
        decorate = recording_entry_point if recording else entry_point
        status: str | int | None = 0
        with monkeypatch.context() as patch:
            patch.setenv("HYDRA_FULL_ERROR", os.environ.get("HYDRA_FULL_ERROR", ""))
            patch.setattr("sys.argv", ["pipelines/any.py", *arguments])
            try:
                decorate(config)(main)()
            except SystemExit as left:
                status = left.code
            finally:
                assert not GlobalHydra.instance().is_initialized()
                root.handlers[:] = handlers  # --info and --hydra-help log to what is standard output now
                root.setLevel(level)
        return status, *capsys.readouterr()

    return run


def keeping(given, error=None):
    """A main that puts what it is given into a list, and then raises the error if there is one."""

    def main(*arguments):
        given.append(arguments)
        if error:
            raise error

    return main


def test_main_is_given_plain_values_with_what_was_typed(run, tmp_path):
    given: list[tuple[Any, ...]] = []
    typed = ("seed=4", "model.hidden_size=[5,6]", "data.seed=${seed}")
    assert run(keeping(given), *typed, config="train") == (0, "", "")
    ((config,),) = given
    assert type(config) is type(config["data"]) is dict
    assert config["seed"] == config["data"]["seed"] == 4
    assert config["model"]["hidden_size"] == [5, 6]
    assert "hydra" not in config
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("config", ["compare", "replay", "predict", "export", "sync", "gc"])
def test_every_command_composes(run, config):
    given: list[tuple[Any, ...]] = []
    assert run(keeping(given), config=config) == (0, "", "")
    assert given[0][0]["tracking"]["name"] == "local"


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("seed=x: is wrong"), 2, "seed=x: is wrong\n"),
        (InputError("one\ntwo"), 2, "one\ntwo\n"),
        (RunFailedError("the run FAILED"), 1, "the run FAILED\n"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(7), 7, ""),
    ],
    ids=repr,
)
def test_how_main_ends_is_a_line_and_a_status(run, error, status, line):
    assert run(keeping([], error)) == (status, "", line)


def test_an_error_of_ours_is_no_users_line(run):
    with pytest.raises(ZeroDivisionError):
        run(keeping([], ZeroDivisionError()))


def test_whoever_wants_a_traceback_gets_it(run, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    for error in (InputError("wrong"), RunFailedError("failed")):
        with pytest.raises(type(error)):
            run(keeping([], error))
    with pytest.raises((HydraException, OmegaConfBaseException)):
        run(keeping([]), "sed=1")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["lunch=1"], "lunch: there is no such key; did you mean launch"),
        (["tracking=none"], "tracking=none: there is no such choice"),
        (["launch=${oc.env:NOT_SET}"], "launch: the environment variable NOT_SET is not set"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["-m", "launch=1,2"], "-m: is for micrograde train"),
        (["+tracking._target_=os.system"], "tracking._target_: would run Python code"),
        (["hydra.run.dir=out"], "hydra.run.dir=out: a run writes below mlruns alone"),
        (["--config-name", "nothing"], "--config-name nothing: there is no such config"),
        (["--cfg", "job", "--package", "nothing"], "package 'nothing' not found"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_with_the_command_is_a_line_and_main_is_not_called(run, arguments, line):
    given: list[tuple[Any, ...]] = []
    status, out, err = run(keeping(given), *arguments)
    assert (status, out, err.count("\n"), given) == (2, "", 1, [])
    assert err.startswith(line)


@pytest.mark.parametrize("flag", [["--help"], ["--cfg", "job"], ["--info", "defaults"]])
def test_what_only_shows_something_calls_no_main(run, flag):
    given: list[tuple[Any, ...]] = []
    status, out, err = run(keeping(given), *flag)
    assert (status, err, given) == (0, "", [])
    assert len(out.splitlines()) >= 5


def test_hydra_has_a_help_of_its_own(run):
    for arguments in (["--hydra-help"], ["launch=x", "--hydra-help"]):
        status, out, err = run(keeping([]), *arguments)
        assert (status, err) == (0, "")
        assert "== Flags ==" in out


@pytest.mark.parametrize(
    "config", ["train", "describe", "compare", "replay", "predict", "export", "sync", "gc"]
)
def test_every_command_tells_its_version(run, config):
    given: list[tuple[Any, ...]] = []
    assert run(keeping(given), "--version", config=config) == (0, "micrograde 0.1.0\n", "")
    assert given == []


@pytest.mark.parametrize(
    ("config", "typed", "offered"),
    [
        ("compare", "o", "order= output= over_seeds="),
        ("compare", "tr", "tracking. tracking="),
        ("compare", "optimizer=a", ""),
        ("compare", "runs", "runs="),
        ("gc", "", "dry_run= hydra hydra. keep_best= older_than= tracking. tracking= yes="),
        ("describe", "data=cs", "data=csv"),
        ("predict", "tracking=l", "tracking=local"),
        ("train", "optimizer=adam", "optimizer=adam optimizer=adamw"),
        ("train", "model.hid", "model.hidden_size="),
        ("compare", "where=", "where=[]"),
        ("train", "sweep.m", "sweep.metric="),
        ("train", "s", "schedule. schedule= search= seed= sweep."),
    ],
)
def test_a_shell_is_offered_what_the_command_takes(run, monkeypatch, config, typed, offered):
    monkeypatch.setenv("COMP_LINE", f"{config} {typed}")
    assert run(keeping([]), "-sc", "query=bash", config=config) == (0, f"{offered}\n", "")


def test_a_flag_may_stand_behind_an_override(run):
    status, out, err = run(keeping([]), "seed=7", "--cfg", "job", "optimizer=adam", config="train")
    assert (status, err) == (0, "")
    assert "seed: 7" in out
    assert "name: adam" in out


def test_keys_of_other_commands_are_not_offered(run):
    for config, typed in (("compare", "keep_column=1"), ("replay", "outputs=x"), ("sync", "sed=1")):
        status, _, err = run(keeping([]), typed, config=config)
        assert (status, err) == (
            2,
            f"{typed.partition('=')[0]}: there is no such key; see --help for the keys\n",
        )


def test_runs_are_recorded_where_the_command_is_given_and_nothing_is_written(run, tmp_path, monkeypatch):
    seen = []

    def main(config):  # noqa: ARG001
        seen.append((os.environ["MICROGRADE_HOME"], os.getcwd()))

    run(main)
    monkeypatch.setenv("MICROGRADE_HOME", ".")  # is where the command is given, wherever that goes later
    run(main)
    assert seen == [(str(tmp_path), str(tmp_path))] * 2
    assert list(tmp_path.iterdir()) == []


# --- commands that record ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, 0), (InputError("x"), 2), (RunFailedError("x"), 1), (KeyboardInterrupt(), 130)],
)
def test_a_run_has_a_writer_which_is_let_go_however_it_ends(run, writers, error, status):
    given: list[tuple[Any, ...]] = []
    assert run(keeping(given, error), recording=True)[0] == status
    assert [writer for _, writer in given] == writers
    assert [writer.discarded for writer in writers] == [1]


def test_the_writer_is_let_go_if_there_is_no_run_to_come_after_all(run, writers):
    assert run(keeping([]), "lunch=1", recording=True)[0] == 2
    with pytest.raises(ZeroDivisionError):
        run(keeping([], ZeroDivisionError()), recording=True)
    assert [writer.discarded for writer in writers] == [1, 1]


@pytest.mark.parametrize("flags", [["--help"], ["--cfg", "job"], ["--nonsense"]])
def test_no_writer_is_started_for_a_flag(run, writers, flags):
    given: list[tuple[Any, ...]] = []
    run(keeping(given), *flags, recording=True)
    assert (given, writers) == ([], [])


def test_v_is_short_for_verbose(run, writers):
    given: list[tuple[Any, ...]] = []
    run(keeping(given), "-v", recording=True, config="train")
    run(keeping(given), recording=True, config="train")
    assert [config["sweep"]["verbose"] for config, _ in given] == [True, False]
    assert len(writers) == 2  # for -v is no flag of Hydra's


# --- Hydra's callbacks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (InputError("wrong"), 2, "wrong\n"),
        (RunFailedError("failed"), 1, "failed\n"),
        (HydraException("of Hydra"), 2, "of Hydra\n"),
        (OmegaConfBaseException("of OmegaConf"), 2, "of OmegaConf\n"),
        (InputError("x" * 5000), 2, f"{'x' * 997}...\n"),
        (InputError("http://me:secret@host is away"), 2, "http://***@host is away\n"),
        (InputError("a \x1b[31mred\u202e name"), 2, "a \\x1b[31mred\\u202e name\n"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_mistake_in_a_callback_is_a_line_and_a_status(capsys, error, status, line):
    with pytest.raises(SystemExit) as left, leave_with_line():
        raise error
    assert left.value.code == status
    assert capsys.readouterr().err == line


def test_an_error_in_a_callback_ends_the_program_and_is_no_warning(capsys):
    with pytest.raises(SystemExit) as left, leave_with_line():
        raise ZeroDivisionError("of ours")
    assert left.value.code == 1
    assert "ZeroDivisionError: of ours" in capsys.readouterr().err


def test_ctrl_c_in_a_callback_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt), leave_with_line():
        raise KeyboardInterrupt
