"""A table is described, and the command that is told trains on it, both as a user types them."""

import shlex

import pytest
from tests.records import trees

pytestmark = pytest.mark.slow  # it runs commands


def test_the_command_that_is_told_trains_and_describing_records_nothing(make_user):
    user = make_user("describe")
    table = trees().rename(columns={"kind": "the kind, of tree"})
    table.to_csv(user.folder / "my trees (1).csv", index=False)
    before = user.files()
    done = user.run("describe", "data.path='my trees (1).csv'")
    (page,) = set(user.files()) - set(before)
    assert str(page).endswith("my trees (1)_columns.html")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("next ")]
    program, command, *arguments = shlex.split(line)[1:]
    assert (program, command) == ("micrograde", "train")
    user.run(command, *arguments, "training.num_epochs=2")
    (run,) = user.runs()
    assert run.data.params["data.name"] == "csv"
    assert run.data.params["data.target"] == "the kind, of tree"
