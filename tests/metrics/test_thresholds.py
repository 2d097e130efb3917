"""The threshold of a class: every one there can be, and the best of them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from micrograde.metrics.thresholds import (
    EVEN,
    best_threshold,
    f1_of,
    saved_cost_of,
    threshold_text,
    thresholds,
)

costs = st.sampled_from([0.5, 1.0, 3.0, 20.0])
tied = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
rows = st.lists(
    st.tuples(tied | st.floats(0, 1, allow_subnormal=True), st.booleans()), min_size=1, max_size=25
).filter(lambda found: any(is_it for _, is_it in found))


def the_best(scores, worth_of):
    """The best threshold and what it is worth, found by trying one between any two neighbouring scores."""
    ends = sorted({0.0, 1.0, *scores.tolist()})
    tried = []
    for low, high in itertools.pairwise(ends):
        middle = low + (high - low) / 2
        threshold = EVEN if low <= EVEN < high else middle if middle < high else low
        if 0 < threshold < 1:
            tried.append((-round(worth_of(threshold), 12), abs(threshold - EVEN), threshold))
    worth, _, threshold = min(tried)
    return threshold, -worth


def check_is_best(scores, found, worth_of):
    assert (found.threshold, round(found.worth, 12)) == the_best(scores, worth_of)
    assert found.at_even == pytest.approx(worth_of(EVEN), abs=1e-12)
    assert 0 < found.threshold < 1


@given(rows)
@example([(1.0, True), (1.0, False)])
@example([(0.0, True), (5e-324, False)])
@example([(float(np.nextafter(1, 0)), False), (0.2, True)])
@example([(0.5, True), (float(np.nextafter(0.5, 1)), False)])
def test_of_all_thresholds_it_has_the_greatest_f1_by_scikit_learn(found_rows):
    scores, positive = (np.array(each) for each in zip(*found_rows, strict=True))
    found = best_threshold(scores, positive, f1_of(int(positive.sum())))
    check_is_best(scores, found, lambda each: f1_score(positive, scores > each, zero_division=0))


@given(rows, costs, costs)
def test_of_all_thresholds_it_has_the_least_cost(found_rows, missed, alarm):
    scores, positive = (np.array(each) for each in zip(*found_rows, strict=True))
    found = best_threshold(scores, positive, saved_cost_of(int(positive.sum()), missed=missed, alarm=alarm))

    def saved(threshold):
        taken = scores > threshold
        return -(missed * np.sum(positive & ~taken) + alarm * np.sum(taken & ~positive))

    check_is_best(scores, found, saved)


@pytest.mark.parametrize(
    ("scores", "positive", "threshold"),
    [
        ([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1], 0.5),  # all from 0.4 to 0.6 are as good
        ([0.2, 0.4, 0.6, 0.8], [0, 1, 1, 1], 0.3),  # the middle
        ([0.1, 0.2, 0.3], [0, 1, 1], 0.15),
        ([0.8, 0.9], [0, 1], 0.85),
        ([0.6, 0.2], [1, 1], 0.1),  # below the least score
        ([0.3, 0.4, 0.6, 0.7], [1, 0, 0, 1], 0.65),  # 0.15 is as good, and farther from 0.5
    ],
)
def test_it_is_the_middle_between_two_scores_or_even(scores, positive, threshold):
    is_it = np.array(positive, np.bool_)
    found = best_threshold(np.array(scores), is_it, f1_of(int(is_it.sum())))
    assert found.threshold == pytest.approx(threshold, abs=1e-15)


def test_of_equally_good_thresholds_it_is_the_nearest_to_even_and_of_two_such_the_smaller():
    # Taking the first two, or the first five: an F1 of 2 / 3 both.
    scores, positive = np.array([0.9, 0.75, 0.55, 0.4, 0.3, 0.1]), np.array([1, 1, 0, 0, 1, 0], np.bool_)
    counts = thresholds(scores, positive)
    worth = f1_of(4)(counts.hits, counts.alarms)
    assert worth[2] == worth[5] == worth.max()
    assert best_threshold(scores, positive, f1_of(4)).threshold == pytest.approx(0.65)
    mirrored = saved_cost_of(2, missed=1, alarm=1)
    scores, positive = np.array([0.875, 0.625, 0.375, 0.125]), np.array([1, 0, 1, 0], np.bool_)
    assert best_threshold(scores, positive, mirrored).threshold == 0.25  # 0.75 costs as much


def test_rows_without_a_score_are_missed():
    scores, positive = np.array([0.9, 0.4, 0.2]), np.array([True, True, False])
    assert best_threshold(scores, positive, f1_of(3)).worth == f1_score([1, 1, 1, 0], [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("threshold", "text"),
    [(0.5, "0.5"), (0.31249, "0.312"), (1e-9, "1e-09"), (0.99999, "0.99999"), (0.9987, "0.999")],
)
def test_a_threshold_never_reads_0_or_1(threshold, text):
    assert threshold_text(threshold) == text


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_any_threshold_as_text_is_between_0_and_1(threshold):
    assert 0 < float(threshold_text(threshold)) < 1
    assert math.isclose(float(threshold_text(threshold)), threshold, rel_tol=1e-2)
