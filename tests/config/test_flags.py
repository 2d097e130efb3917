"""Flags are looked at before Hydra sees them: what is wrong is one line, what is right comes back as given."""

from importlib.metadata import version

import pytest
from hydra._internal.utils import get_args_parser
from hypothesis import given
from hypothesis import strategies as st

import micrograde as mg
from micrograde.config.flags import check_arguments, flags_as_overrides, flags_first
from micrograde.core.errors import InputError


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
    "--shell-completion": ["--shell-completion", "install=bash"],
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


@pytest.mark.parametrize(
    "arguments", [["-m"], ["--multirun"], ["seed=1,2", "-m"], ["seed=1,2", "-m", "data=iris"]]
)
def test_only_what_trains_can_sweep(arguments):
    assert check_arguments(arguments, sweeps=True).multirun
    assert refusal(*arguments, sweeps=False).startswith("-m: is for make train")


@pytest.mark.parametrize(
    "override", ["hydra.mode=MULTIRUN", "hydra.mode=RUN", "+hydra.mode=multirun", "++hydra.mode=x"]
)
def test_whether_it_is_a_sweep_is_said_by_a_flag(override):
    assert (
        refusal("seed=1", override)
        == f"{override}: cannot be set; -m makes a sweep, and without it there is one run"
    )


@pytest.mark.parametrize(
    "flag", [["-m"], ["--cfg", "job"], ["-c", "all", "--resolve"], ["--config-name", "x"], ["--info"]]
)
@given(
    st.lists(st.text().filter(lambda text: not text.startswith(("-", "hydra.mode="))), max_size=4), st.data()
)
def test_a_flag_may_stand_between_overrides(flag, overrides, data):
    place = len(overrides) if flag == ["--info"] else data.draw(st.integers(0, len(overrides)))
    given = check_arguments([*overrides[:place], *flag, *overrides[place:]], sweeps=True)
    assert given.overrides == overrides
    # Hydra's own parser reads them alike.
    assert get_args_parser().parse_args(flags_first(given)) == given


def test_the_version_is_ours(capsys):
    for arguments in (["--version"], ["seed=1", "--version"]):
        with pytest.raises(SystemExit) as left:
            check_arguments(arguments, sweeps=False)
        assert left.value.code == 0
        assert capsys.readouterr() == (f"micrograde {version('micrograde')}\n", "")


def test_a_package_is_of_what_is_shown():
    assert refusal("--package", "x") == "--package x: is for --cfg; give both"
    assert check_arguments(["--package", "x", "--cfg", "job"], sweeps=False).package == "x"


@pytest.mark.parametrize("overrides", [[], ["install=foo"], ["seed=1"], ["install=bash", "uninstall=bash"]])
def test_completion_is_of_a_shell(overrides):
    assert refusal("--shell-completion", *overrides).startswith("--shell-completion: needs install=SHELL")


def test_resolve_is_for_what_is_shown():
    assert check_arguments(["--cfg", "job", "--resolve"], sweeps=False).resolve
    assert refusal("--resolve").startswith("--resolve: is for --cfg")
    assert refusal("--resolve", "-m").startswith("--resolve: is for --cfg")


def test_a_folder_of_configs_must_be_there(tmp_path):
    assert check_arguments(["--config-dir", str(tmp_path)], sweeps=True).config_dir == str(tmp_path)
    (tmp_path / "file").touch()
    for path in (tmp_path / "nothing", tmp_path / "file"):
        assert refusal("--config-dir", str(path)) == f"--config-dir {path}: there is no such folder"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (f"seed={'9' * 5000}", "has a number of more than 4000 digits"),
        (f"experiment_name={'9' * 5000}", "has a number of more than 4000 digits"),
        (f"seed={'1_' * 3000}1", "has a number of more than 4000 digits"),
        (f"model.hidden_size={'[' * 3000}", "has brackets within brackets, more than 20 deep"),
        (f"x={'{a:' * 21}", "has brackets within brackets"),
        (f"seed=choice({','.join(map(str, range(50_000)))})", "has more than 131072 characters, which is more than a shell takes"),
    ],
)  # fmt: skip
def test_an_override_that_hydra_would_choke_on(override, message):
    assert message in refusal(override)
    assert len(refusal(override)) < 300
    with pytest.raises(InputError, match=message):
        mg.run(override)


@pytest.mark.parametrize(
    ("typed", "overrides"),
    [
        ("--older-than 30d --yes", "older_than=30d yes=true"),
        ("--older-than=30d older_than=2h", "older_than=30d older_than=2h"),
        ("--yes --older-than 30d", "yes=true older_than=30d"),
        ("--older-than -1d", "older_than=-1d"),
        ("--older-than", "older_than=true"),
        ("--yes yes=false --help", "yes=true yes=false --help"),
        ("--yes=false --olderthan 3", "yes=false --olderthan 3"),
    ],
)
def test_a_commands_own_flags_are_its_keys(typed, overrides):
    flags = {"--older-than": "older_than", "--yes": "yes"}
    assert flags_as_overrides(typed.split(), flags) == overrides.split()
