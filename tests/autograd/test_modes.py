import threading

import numpy as np
import pytest

from micrograde import Variable
from micrograde.autograd import detect_anomaly, no_grad


def test_no_grad_records_nothing():
    x = Variable(2.0)
    with no_grad():
        y = x * 3
        z = (Variable(np.ones(2)) @ np.ones(2)).exp()
    assert (y.value, y._prev, y.requires_grad) == (6.0, (), False)
    assert z._prev == ()
    (x * 3).backward()
    assert x.grad == 3.0


def test_no_grad_nests_and_ends_with_an_exception():
    x = Variable(2.0)
    with no_grad():
        with pytest.raises(ZeroDivisionError), no_grad():
            raise ZeroDivisionError
        assert (x * 2)._prev == ()
    assert (x * 2)._prev != ()


def test_no_grad_is_a_matter_of_its_thread():
    x, seen = Variable(2.0), []
    inside, done = threading.Event(), threading.Event()

    def other():
        with no_grad():
            inside.set()
            done.wait()
            seen.append((x * 2)._prev)

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    recorded = (x * 2)._prev
    done.set()
    thread.join()
    assert recorded[0] is x
    assert seen == [()]


def test_the_operation_that_made_the_first_nan_is_named():
    x = Variable(-1.0)
    with np.errstate(all="ignore"):
        with detect_anomaly(), pytest.raises(FloatingPointError, match=r"^log made NaN from -1.0$"):
            (x * 1.0).log().exp() + 2.0
        with detect_anomaly(), pytest.raises(FloatingPointError, match=r"^/ made NaN from .*0.* and .*0"):
            Variable(np.array([1.0, 0.0])) / np.array([1.0, 0.0])
        assert np.isnan(x.log().value)  # outside nobody looks
        old = x.log()
        with detect_anomaly():
            old + 1  # made before the block, so not its fault


def test_a_nan_of_the_backward_pass_is_named():
    x = Variable(0.0)
    y = x.sqrt() * 0.0  # the gradient of sqrt at 0 is infinite, times 0
    with (
        np.errstate(all="ignore"),
        detect_anomaly(),
        pytest.raises(FloatingPointError, match=r"^the backward pass of sqrt made NaN from the gradient 0.0"),
    ):
        y.backward()
    z = x * 3
    z.backward()  # the walk that broke off left nothing behind
    assert x.grad == 3.0
