"""What MLflow shows of a sweep."""

from hypothesis import given
from hypothesis import strategies as st

from micrograde.sweeps.description import Best, describe_sweep, with_words, words_of

SPACE = {"optimizer.learning_rate": "0.1,0.3", "seed": "range(2)"}


def test_what_was_swept_what_came_of_it_and_the_best_run():
    best = Best("ab12", "val/loss", 0.25, {"optimizer.learning_rate": 0.3, "seed": 1})
    assert describe_sweep(SPACE, {"FINISHED": 3, "FAILED": 1}, best, metric="val/loss", note="Why *so*?") == (
        "Why *so*?\n\n"
        "**Swept**\n\n- `optimizer.learning_rate`: `0.1,0.3`\n- `seed`: `range(2)`\n\n"
        "**4 runs: 3 FINISHED, 1 FAILED**\n\n"
        "**Best `val/loss`: 0.2500**, run `ab12`\n\n- `optimizer.learning_rate=0.3`\n- `seed=1`"
    )


def test_before_its_runs_and_without_a_best_one():
    assert describe_sweep(SPACE, metric="val/loss").endswith("The best run will be chosen by `val/loss`.")
    none = describe_sweep(SPACE, {"FAILED": 1}, metric="val/loss")
    assert none.endswith("**1 run: 1 FAILED**\n\nNo run has finished with `val/loss`.")


@given(
    st.dictionaries(st.text(), st.text(), max_size=60),
    st.text(st.characters(exclude_characters="*")).map(str.strip),
)
def test_a_users_own_words_are_kept_whatever_was_swept_and_it_fits(space, note):
    best = Best("ab12", "val/loss", 0.25, {key: value * 99 for key, value in space.items()})
    text = describe_sweep(space, {"FINISHED": 1}, best, metric="val/loss", note=note)
    assert words_of(text) == note
    other = with_words(text, "other")
    assert words_of(other) == "other"
    assert with_words(other, note).strip() == text
    assert len(text) - len(note) < 4000
