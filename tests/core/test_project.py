"""Where a project is, and what to type there."""

import subprocess
from pathlib import Path

import pytest

from micrograde.core import project
from micrograde.core.errors import InputError
from micrograde.core.project import (
    MARK,
    checkout,
    command_line,
    conf_folder,
    own_conf_folder,
    project_home,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def somewhere(monkeypatch, tmp_path):
    """A working directory with nothing above it that is a project."""
    monkeypatch.delenv("MICROGRADE_HOME", raising=False)
    monkeypatch.delenv(project.STARTED_AS, raising=False)
    monkeypatch.chdir(tmp_path)
    is_marked = project.is_marked  # a folder that all tests of this machine share may well be
    monkeypatch.setattr(project, "is_marked", lambda each: each.is_relative_to(tmp_path) and is_marked(each))
    return tmp_path


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """As if the package were installed from a wheel."""
    monkeypatch.setattr(project, "_PACKAGE", tmp_path / "lib" / "site-packages" / "micrograde")


def test_without_a_mark_the_working_directory_is_the_project(somewhere):
    assert project_home() == somewhere
    (somewhere / "below").mkdir()
    assert project_home() == somewhere


@pytest.mark.parametrize("mark", ["micrograde.yaml", "mlruns"])
def test_the_nearest_marked_folder_at_or_above_is_the_project(somewhere, monkeypatch, mark):
    deep = somewhere / "a" / "b" / "c"
    deep.mkdir(parents=True)
    for folder in (somewhere, somewhere / "a" / "b"):
        (folder / "mlruns").mkdir() if mark == "mlruns" else (folder / MARK).touch()
        monkeypatch.chdir(deep)
        assert project_home() == folder
        monkeypatch.chdir(folder)
        assert project_home() == folder


def test_what_only_has_the_name_of_a_mark_is_none(somewhere, monkeypatch):
    (somewhere / "mlruns").touch()
    (somewhere / MARK).mkdir()
    (somewhere / "below").mkdir()
    monkeypatch.chdir(somewhere / "below")
    assert project_home() == somewhere / "below"


def test_what_belongs_to_another_user_marks_no_folder_but_the_working_directory(somewhere, monkeypatch):
    (somewhere / MARK).touch()
    (somewhere / "below").mkdir()
    monkeypatch.chdir(somewhere / "below")
    assert project_home() == somewhere
    monkeypatch.setattr("os.getuid", lambda: somewhere.stat().st_uid + 1)
    assert project_home() == somewhere / "below"
    monkeypatch.chdir(somewhere)
    assert project_home() == somewhere


def test_the_variable_wins(somewhere, monkeypatch):
    (somewhere / MARK).touch()
    monkeypatch.setenv("MICROGRADE_HOME", str(somewhere / "elsewhere"))
    assert project_home() == somewhere / "elsewhere"
    monkeypatch.setenv("MICROGRADE_HOME", "s3://bucket")
    with pytest.raises(InputError, match="should be a folder, not an address"):
        project_home()


@pytest.mark.usefixtures("installed")
def test_a_checkout_reads_its_own_config_files_and_a_wheel_its_copy(tmp_path):
    assert checkout() is None
    assert conf_folder() == tmp_path / "lib" / "site-packages" / "micrograde" / "conf"


def test_only_a_marked_project_has_config_files_of_its_own(somewhere, monkeypatch):
    (somewhere / "conf").mkdir()  # of another program, for all that is known
    (somewhere / "mlruns").mkdir()
    assert own_conf_folder() is None
    (somewhere / MARK).touch()
    assert own_conf_folder() == somewhere / "conf"
    monkeypatch.chdir(ROOT)
    assert own_conf_folder() is None
    assert conf_folder() == ROOT / "conf"


def test_what_to_type_is_make_in_a_checkout_alone(monkeypatch):
    assert command_line("compare", "sweep=latest") == "micrograde compare sweep=latest"
    assert command_line("compare", "where=a b") == "micrograde compare 'where=a b'"
    monkeypatch.chdir(ROOT)
    assert command_line("compare", "sweep=latest") == 'make compare ARGS="sweep=latest"'
    assert command_line("ui") == "make ui"
    monkeypatch.setenv(project.STARTED_AS, "micrograde")
    assert command_line("ui") == "micrograde ui"


@pytest.mark.usefixtures("installed")
def test_an_installed_package_knows_no_make():
    assert command_line("ui") == "micrograde ui"


@pytest.mark.parametrize(
    "argument", ["a=1", "a=[1,2]", 'a="b c"', "a=it's", "a=$HOME", "a=`ls` \\ $(ls)", "a={b: 1}", "a=(1)"]
)
def test_what_make_is_to_be_given_arrives_as_it_was(monkeypatch, tmp_path, argument):
    (tmp_path / "Makefile").write_text('show:\n\t@printf "%s\\n" $(ARGS)\n')
    monkeypatch.setenv("MICROGRADE_STARTED_AS", "make")
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of the make that runs the tests
        monkeypatch.delenv(name, raising=False)
    typed = command_line("show", argument, "b=2")
    done = subprocess.run(["sh", "-c", typed], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [argument, "b=2"]
