"""What is said while no job of a sweep can begin on a Ray cluster."""

import pytest
from tests.sweeps.test_ray_cluster import options

from micrograde.sweeps.ray_waiting import Waiting, what_no_node_has

SMALL = {"CPU": 1.0, "memory": 100.0}


@pytest.mark.parametrize(
    ("needs", "nodes", "line"),
    [
        ({"CPU": 1.0}, [{}, SMALL], ""),
        ({"CPU": 1.0}, [], "no node of the cluster has a CPU for jobs"),
        ({"CPU": 1.0}, [{"memory": 1.0}], "no node of the cluster has a CPU for jobs"),
        ({"CPU": 8.0}, [SMALL], "a job reserves 8 CPUs, and no node has so much (the most is 1)"),
        (
            {"CPU": 1.0, "GPU": 2.0},
            [SMALL, {"GPU": 1.0}],
            "a job reserves 2 GPUs, and no node has so much (the most is 1)",
        ),
        (  # each on a node, but not both on one
            {"CPU": 1.0, "fast": 1.0},
            [SMALL, {"fast": 1.0}],
            "a job reserves 1 CPU, 1 fast, and no node has so much (the most is 1, 1)",
        ),
    ],
)
def test_what_a_job_reserves_and_no_node_has_is_named(needs, nodes, line):
    assert what_no_node_has(needs, nodes) == line


def test_what_a_job_reserves_is_known_by_rays_names():
    more = options("num_cpus=2", "ray.remote.num_gpus=1", "ray.remote.resources.fast=0.5")
    assert more.needs() == {"CPU": 2.0, "GPU": 1.0, "fast": 0.5}


def test_that_nothing_begins_is_said_once_and_again_after_something_has_begun():
    said: list[str] = []
    waiting = Waiting({"CPU": 1.0}, said.append, seconds=0)
    for begun in (False, False, True, False):
        waiting.look([SMALL], begun=begun)
    assert len(said) == 2
    assert all(line.startswith("no job has begun for 0 s, as when others use all CPUs") for line in said)
    waiting.look([], begun=False)
    assert said[2].startswith("no node of the cluster has a CPU for jobs; ")


def test_a_moment_in_which_nothing_begins_is_not_spoken_of():
    said: list[str] = []
    Waiting({"CPU": 1.0}, said.append, seconds=60).look([SMALL], begun=False)
    assert said == []
