"""A store with runs and one with sweeps, for the tests that read them, and a clock that stands still."""

import time

import pytest
from tests.stored_runs import sweep_uri, uri

__all__ = ["one_time", "sweep_uri", "uri"]

NOW = 1_790_000_000


@pytest.fixture
def one_time(monkeypatch):
    """The clock stands still, as stores that are compared would have times of their own."""
    monkeypatch.setattr(time, "time", lambda: float(NOW))
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1_000_000_000)
