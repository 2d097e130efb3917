import pytest

from micrograde.core.errors import InputError
from micrograde.data.files import existing_file


def test_relative_and_home_paths_are_found(tmp_path, monkeypatch):
    (tmp_path / "here.csv").write_text("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert existing_file("here.csv", "data.path").read_text() == "x"
    assert existing_file("~/here.csv", "data.path") == tmp_path / "here.csv"


def test_a_missing_file_is_named_with_the_folder_it_was_looked_for_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        existing_file("gone.csv", "data.path")
    assert str(caught.value) == f"data.path=gone.csv: there is no such file in {tmp_path}"


def test_a_directory_is_named(tmp_path):
    with pytest.raises(InputError, match=f"data.images={tmp_path}: is a directory"):
        existing_file(str(tmp_path), "data.images")


def test_what_is_no_regular_file_is_named():
    with pytest.raises(InputError, match=r"data.path=/dev/null: cannot be read"):
        existing_file("/dev/null", "data.path")
