"""Flags are looked at before Hydra sees them: what is wrong is one line, what is right comes back as given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.arguments import check_arguments
from micrograde.errors import InputError


def refusal(*arguments, sweeps=True):
    with pytest.raises(InputError) as error:
        check_arguments(arguments, sweeps=sweeps)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@given(
    st.lists(st.text().filter(lambda text: not text.startswith(("-", "hydra.mode="))), max_size=4),
    st.booleans(),
)
def test_overrides_come_back_as_they_were_typed(overrides, sweeps):
    given = check_arguments(overrides, sweeps=sweeps)
    assert given.overrides == overrides
    assert not given.multirun
    assert given.cfg is None


@pytest.mark.parametrize(
    ("flag", "name"), [(["-m"], "multirun"), (["--cfg", "job"], "cfg"), (["--help"], "help")]
)
def test_a_flag_may_stand_first_or_last(flag, name):
    overrides = ["seed=1", "data=iris", "+x=2"]
    for arguments in ([*flag, *overrides], [*overrides, *flag]):
        given = check_arguments(arguments, sweeps=True)
        assert given.overrides == overrides
        assert getattr(given, name)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--nonsense"], "unrecognized arguments: --nonsense; see --help"),
        (["-x", "seed=1"], "unrecognized arguments: -x"),
        (["--cfg", "nothing"], "argument --cfg/-c: invalid choice: 'nothing'"),
        (["--cfg"], "argument --cfg/-c: expected one argument"),
        (["--config-dir"], "argument --config-dir/-cd: expected one argument"),
        (["--info", "nothing"], "argument --info/-i: invalid choice: 'nothing'"),
    ],
)
def test_what_argparse_refuses_is_a_line_and_no_usage(arguments, line, capsys):
    assert refusal(*arguments).startswith(line)
    assert capsys.readouterr() == ("", "")


def test_a_pickle_is_never_loaded(tmp_path):
    for sweeps in (True, False):
        line = refusal("--experimental-rerun", str(tmp_path / "evil.pickle"), sweeps=sweeps)
        assert line.startswith("--experimental-rerun: would load a pickle")


COMMANDS = {
    "--run": ["--run"],
    "--multirun": ["-m"],
    "--cfg": ["--cfg", "job"],
    "--info": ["--info"],
    "--shell-completion": ["--shell-completion"],
}


@pytest.mark.parametrize("first", COMMANDS)
@pytest.mark.parametrize("second", COMMANDS)
def test_of_the_flags_that_say_what_to_do_one_is_taken(first, second):
    arguments = [*COMMANDS[first], *COMMANDS[second]]
    if first == second:
        assert check_arguments(COMMANDS[first], sweeps=True)
        return
    line = refusal(*arguments)
    assert line.endswith(": exclude each other; give one of them")
    assert set(line.partition(":")[0].split(" and ")) == {first, second}


@pytest.mark.parametrize("arguments", [["-m"], ["--multirun"], ["seed=1,2", "-m"], ["hydra.mode=MULTIRUN"]])
def test_only_what_trains_can_sweep(arguments):
    assert check_arguments(arguments, sweeps=True)
    assert refusal(*arguments, sweeps=False).startswith("-m: is for pipelines/train.py")


def test_resolve_is_for_what_is_shown():
    assert check_arguments(["--cfg", "job", "--resolve"], sweeps=False).resolve
    assert refusal("--resolve").startswith("--resolve: is for --cfg")
    assert refusal("--resolve", "-m").startswith("--resolve: is for --cfg")


def test_a_folder_of_configs_must_be_there(tmp_path):
    assert check_arguments(["--config-dir", str(tmp_path)], sweeps=True).config_dir == str(tmp_path)
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "file"):
        assert refusal("--config-dir", str(path)) == f"--config-dir {path}: there is no such folder"
