import dataclasses
import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.narrowing import of_type

from micrograde.tracking.events import (
    _SOUND,
    AnswerAwaited,
    DatasetInput,
    Event,
    LaunchEnded,
    MetricsLogged,
    ModelLogged,
    RunAdopted,
    RunEnded,
    RunStarted,
    StackMetricsLogged,
    StepMetricsLogged,
    TagsSet,
    from_json_line,
    to_json_line,
)

texts = st.text(max_size=8)
names = st.dictionaries(texts, texts, max_size=3)
counts = st.integers(0, 2**53)
ids = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
events = st.one_of(
    st.builds(
        RunStarted,
        counts,
        counts,
        texts,
        texts,
        names,
        names,
        st.none() | st.builds(DatasetInput, *[texts] * 5),
        st.none() | counts,
    ),
    st.builds(RunAdopted, counts, ids),
    st.just(AnswerAwaited()),
    st.builds(MetricsLogged, counts, counts, counts, st.dictionaries(texts, st.floats(allow_nan=False))),
    st.builds(
        StackMetricsLogged,
        st.lists(counts),
        counts,
        counts,
        st.dictionaries(texts, st.lists(st.floats(allow_nan=False), max_size=3)),
    ),
    st.builds(
        lambda runs, time, steps, metrics, value: StepMetricsLogged(
            runs, time, steps, {name: [[value] * len(runs) for _ in steps] for name in metrics}
        ),
        st.lists(counts, max_size=3),
        counts,
        st.lists(counts, max_size=3),
        st.lists(texts, max_size=2),
        st.floats(allow_nan=False),
    ),
    st.builds(TagsSet, counts, names),
    st.builds(RunEnded, counts, counts, st.sampled_from(["FINISHED", "FAILED", "KILLED"])),
    st.builds(ModelLogged, counts, st.none() | ids, st.none() | texts),
    st.just(LaunchEnded()),
)


@given(events)
def test_an_event_survives_being_a_line(event):
    line = to_json_line(event)
    assert "\n" not in line
    assert from_json_line(line) == event


def test_nan_survives():
    event = of_type(MetricsLogged, from_json_line(to_json_line(MetricsLogged(0, 0, 0, {"a": float("nan")}))))
    assert event.values["a"] != event.values["a"]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "{}", '{"event": "RunEnded"}', json.dumps({"event": "Popen", "args": "ls"})]
)
def test_what_is_no_event_is_refused(line):
    with pytest.raises((ValueError, AttributeError, TypeError)):
        from_json_line(line)


@pytest.mark.parametrize("run_id", ["", "..", "../../x", "/etc", "a" * 1000])
def test_an_id_that_is_a_path_is_refused(run_id):
    for event in (RunAdopted(0, run_id), ModelLogged(0, run_id)):
        with pytest.raises(ValueError, match="no event, by its "):
            from_json_line(to_json_line(event))


def test_each_field_of_each_event_is_looked_at():
    fields = {field.name for kind in get_args(Event) for field in dataclasses.fields(kind)}
    assert fields == set(_SOUND)
