"""Several processes that record into one store at the same time; `benchmarks/crowd.py` has more of them."""

import pytest
from benchmarks.crowd import launch_crowd, what_is_wrong


@pytest.mark.slow
@pytest.mark.parametrize("processes", [3, pytest.param(6, marks=pytest.mark.matrix)])
def test_nothing_of_what_several_processes_record_at_once_is_lost(home, processes):
    crowd = launch_crowd(home, processes, 0)
    assert what_is_wrong(home, crowd) == []
    assert (len(crowd.runs), len(crowd.sweeps)) == (processes, processes)
