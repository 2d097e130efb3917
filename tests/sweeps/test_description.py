"""What MLflow shows of a sweep."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from micrograde.analysis import BestSetting
from micrograde.sweeps.description import describe_sweep, with_words, words_of


def a_setting(params: dict[str, object], **changed: object) -> BestSetting:
    """A best setting of three runs, of which some can be changed."""
    known: dict[str, Any] = {
        "mean": 0.25,
        "std": 0.01,
        "ci_low": 0.24,
        "ci_high": 0.26,
        "count": 3,
        "failed": 1,
    }
    known |= {"run_id": "ab12", "run_name": "seed=1", "value": 0.251, "settings": 2, "most": 4} | changed
    return BestSetting("val/loss", params, **known)


SPACE = {"optimizer.learning_rate": "0.1,0.3", "seed": "range(2)"}


def test_what_was_swept_what_came_of_it_and_the_best_setting():
    best = a_setting({"optimizer.learning_rate": 0.3, "data.noise": None})
    assert describe_sweep(SPACE, {"FINISHED": 3, "FAILED": 1}, best, metric="val/loss", note="Why *so*?") == (
        "Why *so*?\n\n"
        "**Swept**\n\n- `optimizer.learning_rate`: `0.1,0.3`\n- `seed`: `range(2)`\n\n"
        "**4 runs: 3 FINISHED, 1 FAILED**\n\n"
        "**Best `val/loss`: 0.2500 ± 0.0100**, mean of 3 of 4 runs, 95 % interval 0.2400 to 0.2600\n\n"
        "- `optimizer.learning_rate=0.3`\n\n"
        "Its model is that of run `ab12`, in the middle with 0.2510."
    )


def test_a_setting_of_one_run_is_that_run():
    nothing = dict.fromkeys(("std", "ci_low", "ci_high"), math.nan)
    best = a_setting({"optimizer.learning_rate": 0.3}, count=1, failed=0, most=1, value=0.25, **nothing)
    assert describe_sweep(SPACE, {"FINISHED": 2}, best, metric="val/loss").endswith(
        "**Best `val/loss`: 0.2500**, run `ab12`\n\n- `optimizer.learning_rate=0.3`\n\n"
        "Each setting was run once, so how much of the best is luck is not known."
    )


def test_before_its_runs_and_without_a_best_one():
    assert describe_sweep(SPACE, metric="val/loss").endswith("The best setting will be chosen by `val/loss`.")
    none = describe_sweep(SPACE, {"FAILED": 1}, metric="val/loss")
    assert none.endswith("**1 run: 1 FAILED**\n\nNo run has finished with `val/loss`.")


@given(
    st.dictionaries(st.text(), st.text(), max_size=60),
    st.text(st.characters(exclude_characters="*")).map(str.strip),
)
def test_a_users_own_words_are_kept_whatever_was_swept_and_it_fits(space, note):
    best = a_setting({key: value * 99 for key, value in space.items()})
    text = describe_sweep(space, {"FINISHED": 1}, best, metric="val/loss", note=note)
    assert words_of(text) == note
    other = with_words(text, "other")
    assert words_of(other) == "other"
    assert with_words(other, note).strip() == text
    assert len(text) - len(note) < 4000
