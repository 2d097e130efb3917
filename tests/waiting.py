"""Waiting for what another process does, without telling how long it may take on a busy machine."""

import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import pytest

FoundT = TypeVar("FoundT")


def wait_for(condition: Callable[[], FoundT | Literal[False] | None], seconds: int = 120) -> FoundT:
    """What the condition gives as soon as it is true; the test fails if it never is."""
    for _ in range(seconds * 20):
        if found := condition():
            return found
        time.sleep(0.05)
    return pytest.fail("has not happened")


def wait_for_answer(address: str, process: "subprocess.Popen[Any]", seconds: int = 300) -> str:
    """What a server that has just been started says at this address, as soon as it says anything."""

    def answer() -> str | None:
        assert process.poll() is None, f"it has ended with status {process.returncode}"
        try:
            with urllib.request.urlopen(address) as said:
                return bytes(said.read()).decode()
        except OSError:
            return None

    return wait_for(answer, seconds)
