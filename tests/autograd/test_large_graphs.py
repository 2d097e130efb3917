"""Depth and memory: nothing recurses, nothing is left for the garbage collector."""

import resource
import subprocess
import sys
import textwrap

import numpy as np

from micrograde import Variable


def test_a_chain_of_a_million_nodes_forward_backward_and_freed():
    code = textwrap.dedent(
        """
        from pathlib import Path
        from micrograde import Variable
        x = Variable(1.0)
        y, one = x, Variable(1.0)
        for _ in range(1_000_000):
            y = y + one
        y.backward()
        assert (y.value, x.grad, one.grad) == (1_000_001.0, 1.0, 1_000_000.0)
        y.zero_grad()
        assert one.grad == 0.0
        del y
        # Not getrusage: on Linux it starts from the peak of the process that started this one.
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        print(int(status["VmHWM"].split()[0]) / 1024)
        """
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 600


def test_graphs_are_freed_at_once_without_the_collector():
    code = textwrap.dedent(
        """
        import gc
        import numpy as np
        from micrograde import Variable

        def count():
            return sum(type(each) is Variable for each in gc.get_objects())

        gc.collect()
        gc.disable()
        x = Variable(np.ones((3, 4)))
        for _ in range(5):
            y = ((x * 2).tanh() @ np.ones((4, 2))).softmax()[0].sum() / 3
            y.backward()
        assert count() > 5
        del x, y
        assert count() == 0
        assert gc.collect() == 0
        """
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # a process of its own: other tests make garbage


def test_memory_does_not_grow_from_step_to_step():
    x = Variable(np.ones(1000))

    def steps(number):
        for _ in range(number):
            (x * x).sum().backward()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    first = steps(50)
    assert steps(2000) - first < 5 * 1024  # KiB
