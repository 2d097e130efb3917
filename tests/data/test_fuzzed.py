"""The readers that `make fuzz` tries for minutes, here on some hundred mutations that Hypothesis thinks of."""

import pytest
from fuzz.target import PRETENDED_MEMORY, Target
from fuzz.targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograde.data import memory

# A place in the input, in thousandths, how many bytes go away there, and what comes instead.
EDITS = st.tuples(st.integers(0, 1000), st.integers(0, 4), st.binary(max_size=4))


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "physical_memory", lambda: PRETENDED_MEMORY)
    return tmp_path


def edited(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    content = bytearray(seed)
    for place, length, piece in edits:
        start = len(content) * place // 1000
        content[start : start + length] = piece
    return bytes(content)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_one_line(target, folder, data):
    seed = data.draw(st.sampled_from(target.seeds()))
    words = st.tuples(st.integers(0, 1000), st.integers(0, 9), st.sampled_from([b"", *target.words]))
    target.try_out(folder, edited(seed, data.draw(st.lists(EDITS | words, max_size=4))))


def test_some_of_what_is_mutated_can_be_read(target, folder):
    lines = [target.try_out(folder, seed) for seed in target.seeds()]
    assert None in lines


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TARGETS if TARGETS[name].bombs is not tuple])
def test_a_file_that_claims_too_much_is_refused_in_one_line(name, folder):
    lines = [TARGETS[name].try_out(folder, bomb) for bomb in TARGETS[name].bombs()]
    assert any(lines)
