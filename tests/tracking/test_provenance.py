import os
import subprocess

import pytest

from micrograde.tracking.provenance import provenance_tags

ENVIRONMENT = "python 3.11.7, numpy 2.3.1"


def git(folder, *arguments):
    name = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(
        ["git", *name, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "train.py").write_text("one = 1")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_the_commit_and_what_differs_from_it(repository):
    tags = provenance_tags(repository, str(repository / "train.py"), ENVIRONMENT)
    assert tags["mlflow.source.name"] == "train.py"
    assert tags["micrograde.environment"] == ENVIRONMENT
    assert tags["mlflow.source.git.commit"] == git(repository, "rev-parse", "HEAD")
    assert tags["micrograde.git_dirty"] == "false"
    (repository / "new.py").write_text("two = 2")
    assert provenance_tags(repository, "train.py", ENVIRONMENT)["micrograde.git_dirty"] == "true"


def test_looking_leaves_the_index_as_it_is(repository):
    os.utime(repository / "train.py", (1, 1))  # git would note the new time in its index
    index = (repository / ".git" / "index").read_bytes()
    assert provenance_tags(repository, "train.py", ENVIRONMENT)["micrograde.git_dirty"] == "false"
    assert (repository / ".git" / "index").read_bytes() == index


def test_what_git_does_not_tell_is_left_out(tmp_path, repository, monkeypatch):
    def git_tags(folder):
        return {tag for tag in provenance_tags(folder, "train.py", ENVIRONMENT) if "git" in tag}

    assert git_tags(None) == set()
    (repository / ".git" / "index").write_text("broken")  # the commit can be told, the changes cannot
    assert git_tags(repository) == {"mlflow.source.git.commit"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_tags(repository) == set()


def test_the_source_of_a_command_is_what_is_typed_and_no_path_that_is_not_there(repository):
    assert (
        provenance_tags(repository, "micrograde train", ENVIRONMENT)["mlflow.source.name"]
        == "micrograde train"
    )
