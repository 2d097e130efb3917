"""Runs on the command line, which Hydra would take for numbers, or for nothing."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from micrograde.config.flags import named_runs_as_override
from micrograde.config.quoting import quote_texts
from micrograde.core.errors import InputError

BEGINNINGS = st.text("0123456789abcdef", min_size=6, max_size=32) | st.from_regex(
    r"[0-9]{3,4}e[0-9]{2,4}", fullmatch=True
)


def value_of(override):
    return OverridesParser.create().parse_override(override).value()


@given(st.lists(BEGINNINGS | st.just("latest"), min_size=1, max_size=4, unique=True))
def test_runs_become_the_value_of_a_key(runs):
    arguments = named_runs_as_override([runs[0], "limit=3", *runs[1:], "~where"])
    assert arguments[:2] == ["limit=3", "~where"]
    (override,) = arguments[2:]
    assert value_of(override) == runs


@given(BEGINNINGS)
def test_the_beginning_of_an_id_is_no_number(run):
    for key in ("run_id", "sweep", "training.resume"):
        assert value_of(quote_texts([f"{key}={run}"])[0]) == run


def test_other_overrides_stay_as_they_are():
    others = [
        "seed=123456",
        "run_id=latest",
        "run_id='123456'",
        "sweep=a x b",
        "data=csv",
        "~seed",
    ]
    assert quote_texts(others) == others
    assert value_of(quote_texts(["sweep=a × b"])[0]) == "a × b"
    assert named_runs_as_override(["limit=3", "--cfg", "job"]) == ["limit=3", "--cfg", "job"]


@pytest.mark.parametrize(
    "word", ["3cf", "3CF88EE7", "zzzzzz", "3cf88ee7,latest", "it's", "x" * 33, "sweep", "latest2"]
)
def test_a_word_that_is_no_run(word):
    with pytest.raises(InputError, match=r"is neither key=value nor a run; name a run by its id"):
        named_runs_as_override([word, "3cf88ee7"])


def test_a_run_that_is_named_twice_is_named_twice():
    assert value_of(named_runs_as_override(["latest", "latest"])[0]) == ["latest", "latest"]
