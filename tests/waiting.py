"""Waiting for what another process does, without telling how long it may take on a busy machine."""

import time
import urllib.request

import pytest


def wait_for(condition, seconds=120):
    """What the condition gives as soon as it is true; the test fails if it never is."""
    for _ in range(seconds * 20):
        if found := condition():
            return found
        time.sleep(0.05)
    return pytest.fail("has not happened")


def wait_for_answer(address, process, seconds=300):
    """What a server that has just been started says at this address, as soon as it says anything."""

    def answer():
        assert process.poll() is None, f"it has ended with status {process.returncode}"
        try:
            with urllib.request.urlopen(address) as said:
                return said.read().decode()
        except OSError:
            return None

    return wait_for(answer, seconds)
