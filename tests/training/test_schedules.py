import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from micrograde.training import SCHEDULES, learning_rate_factors
from micrograde.training.schedules.constant import Constant
from micrograde.training.schedules.cosine import Cosine
from micrograde.training.schedules.exponential import Exponential
from micrograde.training.schedules.one_cycle import OneCycle
from micrograde.training.schedules.step import Step


def factors(schedule, epochs=10, steps=4):
    return learning_rate_factors(
        schedule, np.arange(epochs * steps), num_epochs=epochs, steps_per_epoch=steps
    )


def test_constant_and_step():
    np.testing.assert_array_equal(factors(Constant()), np.ones(40))
    halved = factors(Step(step_epochs=3, factor=0.5))
    np.testing.assert_array_equal(halved[::4], [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125])


def test_cosine_starts_at_one_and_ends_near_the_final_fraction():
    values = factors(Cosine(final_fraction=0.1))
    assert values[0] == 1
    assert values[20] == pytest.approx(0.55)
    assert 0.1 < values[-1] < 0.11
    assert (np.diff(values) < 0).all()


def test_warm_up_grows_linearly_to_the_full_rate():
    values = factors(Constant(warmup_epochs=2))
    np.testing.assert_allclose(values[:9], [1 / 8, 2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8, 1, 1])
    assert np.argmax(factors(Cosine(warmup_epochs=2.0))) in (7, 8)


def test_exponential_changes_once_an_epoch_from_the_start_of_training():
    np.testing.assert_allclose(factors(Exponential(factor=0.9)), np.repeat(0.9 ** np.arange(10), 4))
    warm = factors(Exponential(factor=0.9, warmup_epochs=2))
    np.testing.assert_allclose(warm[8:], np.repeat(0.9 ** np.arange(2, 10), 4))


def test_one_cycle_has_the_rates_of_pytorchs():
    """OneCycleLR of PyTorch 2.13: highest 0.4, 20 steps."""
    rates = 0.4 * factors(OneCycle(), 10, 2)
    assert rates[0] == pytest.approx(0.016, rel=1e-12)
    assert rates.max() == rates[5] == 0.4
    assert rates[-1] == pytest.approx(1.6e-6, rel=1e-12)
    assert (np.diff(rates)[:5] > 0).all()
    assert (np.diff(rates)[5:] < 0).all()


@pytest.mark.parametrize("share", [0.0, 0.25, 0.3, 1.0])
@given(st.integers(1, 9), st.integers(1, 5))
def test_one_cycle_of_any_length_stays_between_its_lowest_and_its_peak(share, epochs, steps):
    values = factors(OneCycle(pct_start=share), epochs, steps)
    assert np.isfinite(values).all()
    assert (values <= 1).all()
    assert (values >= 1 / 25e4 * (1 - 1e-9)).all()
    if share < 1:
        assert values[-1] == pytest.approx(1 / 25e4)


@pytest.mark.parametrize("name", ["step", "exponential"])
@pytest.mark.parametrize("factor", [0, -0.5, np.nan, np.inf, True, "half"])
def test_a_factor_is_a_number_above_0(name, factor):
    with pytest.raises(ValidationError):
        TypeAdapter(SCHEDULES[name]).validate_python({"factor": factor})
    assert vars(TypeAdapter(SCHEDULES[name]).validate_python({"factor": 1.5}))["factor"] == 1.5


@pytest.mark.parametrize("name", SCHEDULES)
@given(st.floats(0, 20), st.integers(1, 12), st.integers(1, 9))
def test_every_factor_is_positive_and_at_most_one(name, warmup, epochs, steps):
    kind = SCHEDULES[name]
    given = {"warmup_epochs": warmup} if "warmup_epochs" in kind.__dataclass_fields__ else {}
    values = factors(kind(**given), epochs, steps)
    assert values.shape == (epochs * steps,)
    assert (values > 0).all()
    assert (values <= 1).all()


@given(
    st.one_of(
        st.builds(SCHEDULES.__getitem__, st.sampled_from(list(SCHEDULES))).map(lambda kind: kind()),
        st.builds(Step, step_epochs=st.integers(1, 9), factor=st.floats(0.01, 2)),
        st.builds(Cosine, warmup_epochs=st.floats(0, 9), final_fraction=st.floats(0, 1)),
        st.builds(Exponential, factor=st.floats(0.01, 2), warmup_epochs=st.floats(0, 9)),
        st.builds(OneCycle, pct_start=st.floats(0, 1), div_factor=st.floats(1, 100)),
    ),
    st.integers(1, 10**12),
    st.integers(1, 200),
    st.integers(0, 10**9),
    st.lists(st.integers(1, 17), min_size=1, max_size=5),
)
def test_a_steps_factor_does_not_depend_on_the_steps_beside_it(schedule, epochs, per_epoch, start, cuts):
    plan = {"num_epochs": epochs, "steps_per_epoch": per_epoch}
    steps = np.arange(start, start + sum(cuts))
    whole = learning_rate_factors(schedule, steps, **plan)
    parts = [learning_rate_factors(schedule, part, **plan) for part in np.split(steps, np.cumsum(cuts)[:-1])]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
