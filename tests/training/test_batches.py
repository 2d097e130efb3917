import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.nn import one_hot
from micrograde.training import BatchSampler, Samples, batch_sizes, noisy_labels, steps_per_epoch


def numbered(rows):
    """Samples whose features and label say which row it is."""
    labels = np.arange(rows)
    return Samples(labels[:, None] * 1.0, one_hot(labels, rows), labels)


@given(st.integers(1, 30), st.integers(1, 30), st.booleans(), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=50)
def test_an_epoch_shows_each_replica_every_row_once(rows, batch_size, drop_last, least, replicas):
    batch_size = min(batch_size, rows)
    generators = [np.random.default_rng(r) for r in range(replicas)]
    sampler = BatchSampler(numbered(rows), batch_size, generators, drop_last=drop_last, least_rows=least)
    batches = []
    for batch in sampler.epoch():
        shown = batch.features[..., 0].astype(int)
        np.testing.assert_array_equal(batch.targets, one_hot(shown, rows))
        batches.append(shown)
    assert [batch.shape[1] for batch in batches] == sampler.sizes
    assert len(batches) == steps_per_epoch(rows, batch_size, drop_last, least)
    seen = np.concatenate(batches, axis=1)
    for replica in range(replicas):
        assert len(set(seen[replica])) == seen.shape[1]
    assert seen.shape[1] == (rows // batch_size * batch_size if drop_last else rows)


def test_the_order_is_the_replicas_own_and_changes_from_epoch_to_epoch():
    def orders(seeds):
        sampler = BatchSampler(numbered(20), 20, [np.random.default_rng(seed) for seed in seeds])
        return [next(iter(sampler.epoch())).features.copy() for _ in range(2)]

    first, second = orders([3, 4])
    alone, _ = orders([4])
    np.testing.assert_array_equal(first[1], alone[0])
    assert (first[0] != first[1]).any()
    assert (first != second).any()


@pytest.mark.parametrize(("drop_last", "steps"), [(False, 4), (True, 3)])
def test_steps_per_epoch(drop_last, steps):
    assert steps_per_epoch(10, 3, drop_last) == steps


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 4))
def test_a_last_batch_that_is_too_small_joins_the_one_before(rows, batch_size, least):
    batch_size = min(batch_size, rows)
    *before, last = batch_sizes(rows, batch_size, least_rows=least)
    assert set(before) <= {batch_size}
    assert sum(before) + last == rows
    rest = rows % batch_size
    assert last == (batch_size + rest if rest < least else rest)
    assert len(batch_sizes(rows, batch_size)) == -(-rows // batch_size)
    assert set(batch_sizes(rows, batch_size, drop_last=True, least_rows=least)) == {batch_size}


@given(st.integers(2, 5), st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=50)
def test_noise_tells_each_replica_its_own_lies(classes, rate, seed):
    labels = np.random.default_rng(seed).integers(0, classes, 400)
    rates = np.array([0.0, rate, 1.0])
    told = noisy_labels(labels, classes, rates, [np.random.default_rng([seed, r]) for r in range(3)])
    np.testing.assert_array_equal(told[0], labels)
    assert (told[2] != labels).all()
    assert abs((told[1] != labels).mean() - rate) < 0.15  # six standard deviations
    assert told.min() >= 0
    assert told.max() < classes
    (alone,) = noisy_labels(labels, classes, rates[1:2], [np.random.default_rng([seed, 1])])
    np.testing.assert_array_equal(told[1], alone)


def test_what_a_replica_is_told_is_what_it_trains_on():
    samples, told = numbered(6), np.array([[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]])
    streams = [np.random.default_rng(r) for r in range(2)]
    sampler = BatchSampler(samples, 4, streams, labels=(told, np.eye(6)))
    shown = []
    for batch in sampler.epoch():
        rows = batch.features[..., 0].astype(int)
        np.testing.assert_array_equal(batch.targets.argmax(-1), [rows[0], 5 - rows[1]])
        shown.append(rows.shape)
    sampler.keep_replicas(np.array([1]))
    for batch in sampler.epoch():
        rows = batch.features[..., 0].astype(int)
        np.testing.assert_array_equal(batch.targets.argmax(-1), 5 - rows)
        shown.append(rows.shape)
    assert shown == [(2, 4), (2, 2), (1, 4), (1, 2)]
