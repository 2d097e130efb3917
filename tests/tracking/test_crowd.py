"""Several processes that record into one store at the same time; `benchmarks/crowd.py` has more of them."""

import pytest
from benchmarks.crowd import launch_crowd, what_is_wrong


@pytest.mark.slow
def test_nothing_of_what_several_processes_record_at_once_is_lost(home):
    crowd = launch_crowd(home, 6, 0)
    assert what_is_wrong(home, crowd) == []
    assert (len(crowd.runs), len(crowd.sweeps)) == (6, 6)
