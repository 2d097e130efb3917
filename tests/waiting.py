"""Waiting for what another process does, without telling how long it may take on a busy machine."""

import time

import pytest


def wait_for(condition, seconds=120):
    """What the condition gives as soon as it is true; the test fails if it never is."""
    for _ in range(seconds * 20):
        if found := condition():
            return found
        time.sleep(0.05)
    return pytest.fail("has not happened")
