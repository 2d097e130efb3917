"""What tests of several rooms share: no deadlines, and a store that need not be made anew each time."""

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from micrograde.tracking import local_store, make_store

# No test asserts a time, so no example has a deadline either.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A home with a store in which nothing is recorded; MLflow takes two seconds to make one."""
    home = tmp_path_factory.mktemp("empty-store")
    make_store(local_store(home))
    return home


@pytest.fixture
def home(empty_store, tmp_path) -> Path:
    """A home of the test's own, with an empty store."""
    home = tmp_path / "home"
    shutil.copytree(empty_store, home)
    return home
