import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from micrograde.nn import CrossEntropyLoss, calculate_accuracy, one_hot, predicted_classes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exact_for_logits_far_apart(dtype):
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], dtype)
    loss = CrossEntropyLoss(dtype=dtype)
    wrong = one_hot(np.array([1, 0]), 3, dtype)
    assert loss.forward(logits, wrong) == 2e4
    np.testing.assert_array_equal(loss.backward(), np.array([[0.5, -0.5, 0], [-0.5, 0.5, 0]]))
    right = one_hot(np.array([0, 1]), 3, dtype)
    assert loss.forward(logits, right) == 0
    np.testing.assert_array_equal(loss.backward(), np.zeros((2, 3)))


@given(
    arrays(np.float64, (4, 3), elements=st.floats(-1e4, 1e4)),
    arrays(np.int64, 4, elements=st.integers(0, 2)),
    st.floats(-1e4, 1e4),
)
@settings(max_examples=50)
def test_a_shift_of_all_logits_changes_nothing_and_the_gradient_sums_to_zero(logits, labels, shift):
    loss, targets = CrossEntropyLoss(), one_hot(labels, 3)
    first = loss.forward(logits, targets)
    assert np.isfinite(first)
    np.testing.assert_allclose(loss.backward().sum(axis=-1), 0, atol=1e-15)
    np.testing.assert_allclose(loss.forward(logits + shift, targets), first, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(loss.evaluate(logits, targets), first, rtol=1e-12, atol=1e-15)


def test_the_notebooks_epsilon_saturates_the_loss_and_leaves_the_gradient():
    logits, targets = np.array([[1e4, 0.0]]), np.array([[0.0, 1.0]])
    bent, exact = CrossEntropyLoss(1e-15), CrossEntropyLoss()
    assert bent.forward(logits, targets) == pytest.approx(-np.log(1e-15))
    assert exact.forward(logits, targets) == 1e4
    np.testing.assert_array_equal(bent.backward(), exact.backward())


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"targets \(4, 2\) do not fit predictions \(5, 2\)"):
        CrossEntropyLoss().forward(np.zeros((5, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="epsilon must not be negative"):
        CrossEntropyLoss(-1.0)
    with pytest.raises(ValueError, match=r"\(3, 2\) and targets \(3,\)"):
        calculate_accuracy(np.zeros((3, 2)), np.zeros(3))


def test_accuracy_is_in_per_cent_and_equal_logits_are_no_luck():
    targets = one_hot(np.array([0, 1, 1, 1]), 2)
    assert calculate_accuracy(np.zeros((4, 2)), targets) == 25.0
    assert calculate_accuracy(targets, targets) == 100.0


@given(
    arrays(np.float64, (2, 6, 3), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, np.nan])),
    arrays(np.int64, (2, 6), elements=st.integers(0, 2)),
)
@settings(max_examples=200)
def test_what_is_correct_is_what_argmax_says_also_among_equals(logits, labels):
    loss = CrossEntropyLoss()
    loss.forward(logits, one_hot(labels, 3))
    expected = (logits.argmax(axis=-1) == labels) & ~np.isnan(logits).any(axis=-1)
    np.testing.assert_array_equal(loss.correct(), expected)


def test_a_row_that_is_not_finite_is_of_no_class():
    nan, inf = np.nan, np.inf
    logits = np.array([[nan, 0, 1], [0, nan, 1], [inf, 0, 1], [-inf] * 3, [-inf, 2, 1], [0, 2, 2], [0, 1, 2]])
    np.testing.assert_array_equal(predicted_classes(logits), [-1, -1, -1, -1, 1, 1, 2])
    np.testing.assert_array_equal(predicted_classes(np.stack([logits] * 2))[1], predicted_classes(logits))
    loss = CrossEntropyLoss()
    for label in range(3):
        with np.errstate(all="ignore"):
            loss.forward(logits, one_hot(np.full(7, label), 3))
        np.testing.assert_array_equal(loss.correct(), predicted_classes(logits) == label)
    # As the notebook has it: per cent of any predictions.
    assert calculate_accuracy(np.array([[nan, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])) == 50
