"""The command ``micrograde``: its commands, and what it says to a mistake."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from micrograde.cli.main import command_names, help_page, main
from micrograde.core.project import STARTED_AS

ROOT = Path(__file__).parents[2]


def started(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["micrograde", *arguments])
    monkeypatch.setenv(STARTED_AS, "micrograde")  # which main() sets, and which has to be gone afterwards
    status: object = 0
    try:
        main()
    except SystemExit as error:
        status = error.code
    said = capsys.readouterr()
    return status, said.out, said.err


def test_every_file_of_a_command_is_a_command_and_a_file_of_pipelines():
    names = command_names()
    assert names[:3] == ["train", "describe", "compare"]
    assert {path.stem for path in (ROOT / "pipelines").glob("*.py")} == set(names)
    for name in names:
        assert callable(import_module(f"micrograde.cli.commands.{name}").main)


def test_the_help_page_has_a_sentence_for_each(monkeypatch, capsys):
    for arguments in ([], ["--help"], ["-h"]):
        assert started(monkeypatch, capsys, *arguments) == (0, f"{help_page()}\n", "")
    lines = [line.split(maxsplit=1) for line in help_page().splitlines()]
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    for name in command_names():
        assert len(said[name]) > 20
        assert not said[name].endswith(".")
    assert max(map(len, help_page().splitlines())) <= 100


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (["trian"], "trian: there is no such command; did you mean train?"),
        (
            ["data=moons"],
            "data=moons: there is no such command; keys follow a command: micrograde train data=moons",
        ),
        (["-m", "seed=1,2"], "-m: there is no such command; give the command first: micrograde train -m ..."),
        (["\x1b[31m"], "there is no such command; there are train, describe, compare, "),
    ],
)
def test_a_mistake_is_a_line_with_what_to_type(monkeypatch, capsys, typed, line):
    status, out, err = started(monkeypatch, capsys, *typed)
    assert (status, out) == (2, "")
    assert line in err
    assert err.count("\n") == 1
    assert err.strip("\n").isprintable()


def test_version_and_help_import_nothing_slow():
    code = (
        "import sys; sys.argv = ['micrograde', sys.argv[1]]; from micrograde.cli.main import main; main();"
        "print(sorted({'numpy', 'hydra', 'pydantic', 'mlflow', 'yaml'} & set(sys.modules)))"
    )
    for flag in ("--version", "--help"):
        done = subprocess.run([sys.executable, "-c", code, flag], capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_names_every_command(monkeypatch, capsys, shell):
    status, out, _ = started(monkeypatch, capsys, "completion", shell)
    assert status == 0
    assert " ".join(command_names()) in out


def test_bash_completes_commands_groups_and_keys(tmp_path):
    script = """
eval "$("$1" -m micrograde completion bash)"
micrograde() { "$PYTHON" -m micrograde "$@"; }
complete_line() {
    COMP_LINE="$1"; COMP_POINT=${#1}; read -ra COMP_WORDS <<< "$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    _micrograde_completion; echo "${COMPREPLY[*]}"
}
complete_line "micrograde tr"
complete_line "micrograde train data=mo"
complete_line "micrograde train optimizer=adam optimizer.be"
"""
    done = subprocess.run(
        ["bash", "-c", script, "bash", sys.executable],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT / "src"),
            "HOME": str(tmp_path),
        },
    )
    assert done.stdout.splitlines() == ["train ", "data=moons", "optimizer.beta1= optimizer.beta2="]


def test_init_makes_a_project_and_changes_nothing_that_is_there(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gitignore").write_text("mine\n")
    status, out, _ = started(monkeypatch, capsys, "init")
    assert status == 0
    written = [line.split()[1] for line in out.splitlines() if line.startswith("written")]
    assert written == ["micrograde.yaml", "conf/experiment/example.yaml", "conf/README.md"]
    assert "kept     .gitignore" in out
    assert out.splitlines()[-1] == "next     micrograde train experiment=example"
    (tmp_path / "conf" / "README.md").write_text("mine\n")
    status, out, _ = started(monkeypatch, capsys, "init")
    assert status == 0
    assert "written" not in out
    assert (tmp_path / "conf" / "README.md").read_text() == "mine\n"


def test_init_where_nothing_can_be_written_is_a_line(monkeypatch, capsys, tmp_path):
    (tmp_path / "conf").write_text("a file")
    monkeypatch.chdir(tmp_path)
    status, _, err = started(monkeypatch, capsys, "init")
    assert (status, err) == (2, "conf/experiment/example.yaml: cannot be written (Not a directory)\n")
