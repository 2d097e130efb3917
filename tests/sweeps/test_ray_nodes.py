"""What nodes of a Ray cluster say of themselves, and for what they are refused."""

import re
import socket
from dataclasses import replace

import pytest

from micrograde.core.errors import InputError
from micrograde.store import StoreLocation
from micrograde.store.reaching import why_not_reached
from micrograde.sweeps import ray_nodes
from micrograde.sweeps.ray_node import versions
from micrograde.sweeps.ray_nodes import Node, check, check_nodes

URI = "http://me:secret@10.0.0.1:5000"
GOOD = Node(versions(), socket.gethostname(), same_store=False, cannot_write="", cannot_reach="")


@pytest.fixture
def server(tmp_path):
    return StoreLocation(URI, None, tmp_path / "mlruns")


def test_a_node_on_which_all_is_well_is_not_spoken_of(server):
    check({"a": GOOD}, server, "server")
    check({"a": replace(GOOD, cannot_write="nothing is written")}, None, "disabled")


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"versions": "no micrograde"}, "node b has no micrograde, and this machine micrograde "),
        (
            {"cannot_write": "/a/mlruns: is a file"},
            "node b cannot keep what it trains: /a/mlruns: is a file; ",
        ),
        (
            {"cannot_reach": "a pool (Caused by: [Errno 111] Connection refused'))"},
            "tracking.uri=http://***@10.0.0.1:5000: node b does not reach it (Connection refused); ",
        ),
    ],
)
def test_a_node_that_cannot_do_its_part_is_named_with_what_it_lacks(server, wrong, line):
    with pytest.raises(InputError, match=re.escape(line)) as caught:
        check({"a": GOOD, "b": replace(GOOD, **wrong)}, server, "server")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("here", "again", "refused"),
    [("", "no route", True), ("", "", False), ("no route", "no route", False)],
    ids=["the node alone", "for a moment", "nobody"],
)
def test_a_server_that_is_away_is_waited_for(server, monkeypatch, here, again, refused):
    answers = [{"a": replace(GOOD, cannot_reach=each)} for each in ("no route", again)]
    monkeypatch.setattr(ray_nodes, "_ask", lambda *_: answers.pop(0))
    monkeypatch.setattr(ray_nodes, "why_not_reached", lambda _: here)
    if refused:
        with pytest.raises(InputError, match="does not reach it"):
            check_nodes(server, "server")
    else:
        check_nodes(server, "server")


def test_a_server_is_reached_if_anybody_answers():
    with socket.create_server(("127.0.0.1", 0)) as here:
        address = f"http://127.0.0.1:{here.getsockname()[1]}"
    assert "refused" in why_not_reached(address)
