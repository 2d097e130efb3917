from contextlib import contextmanager

from micrograde.core.shared_contexts import shared


def test_the_first_enters_and_the_last_leaves():
    told = []

    @shared
    @contextmanager
    def context():
        told.append("entered")
        try:
            yield
        finally:
            told.append("left")

    one, other = context(), context()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert told == ["entered"]
    other.__exit__(None, None, None)
    assert told == ["entered", "left"]
    with context():
        pass
    assert told == ["entered", "left"] * 2
