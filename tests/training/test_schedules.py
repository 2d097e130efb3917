from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograde.training.schedules import constant, cosine, learning_rate_factors, step


def factors(schedule, warmup=0.0, epochs=10, steps=4):
    return learning_rate_factors(
        schedule, np.arange(epochs * steps), num_epochs=epochs, steps_per_epoch=steps, warmup_epochs=warmup
    )


def test_constant_and_step():
    np.testing.assert_array_equal(factors(constant), np.ones(40))
    halved = factors(partial(step, step_epochs=3, factor=0.5))
    np.testing.assert_array_equal(halved[::4], [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125])


def test_cosine_starts_at_one_and_ends_near_the_final_fraction():
    values = factors(partial(cosine, final_fraction=0.1))
    assert values[0] == 1
    assert values[20] == pytest.approx(0.55)
    assert 0.1 < values[-1] < 0.11
    assert (np.diff(values) < 0).all()


def test_warm_up_grows_linearly_to_the_full_rate():
    values = factors(constant, warmup=2)
    np.testing.assert_allclose(values[:9], [1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8, 1, 1])
    warm_cosine = factors(partial(cosine, warmup_epochs=2.0), warmup=2)
    assert np.argmax(warm_cosine) in (7, 8)


@given(
    st.sampled_from(
        [constant, partial(step, step_epochs=2, factor=0.7), partial(cosine, final_fraction=0.2)]
    ),
    st.floats(0, 20),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_every_factor_is_positive_and_at_most_one(schedule, warmup, epochs, steps):
    values = factors(schedule, warmup, epochs, steps)
    assert values.shape == (epochs * steps,)
    assert (values > 0).all()
    assert (values <= 1).all()


@given(
    st.one_of(
        st.just(constant),
        st.builds(lambda n, f: partial(step, step_epochs=n, factor=f), st.integers(1, 9), st.floats(0.01, 2)),
        st.builds(
            lambda w, f: partial(cosine, warmup_epochs=w, final_fraction=f), st.floats(0, 9), st.floats(0, 1)
        ),
    ),
    st.floats(0, 20),
    st.integers(1, 10**12),
    st.integers(1, 200),
    st.integers(0, 10**9),
    st.lists(st.integers(1, 17), min_size=1, max_size=5),
)
def test_a_steps_factor_does_not_depend_on_the_steps_beside_it(
    schedule, warmup, epochs, per_epoch, start, cuts
):
    plan = {"num_epochs": epochs, "steps_per_epoch": per_epoch, "warmup_epochs": warmup}
    steps = np.arange(start, start + sum(cuts))
    whole = learning_rate_factors(schedule, steps, **plan)
    parts = [learning_rate_factors(schedule, part, **plan) for part in np.split(steps, np.cumsum(cuts)[:-1])]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
