"""A store with runs and one with sweeps, for the tests that read them."""

from tests.stored_runs import sweep_uri, uri

__all__ = ["sweep_uri", "uri"]
