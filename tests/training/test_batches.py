import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograde.training import BatchSampler, Samples, steps_per_epoch


def numbered(rows):
    """Samples whose every array says which row it is."""
    labels = np.arange(rows)
    return Samples(labels[:, None] * 1.0, labels[:, None] * 2.0, labels)


@given(st.integers(1, 30), st.integers(1, 30), st.booleans(), st.integers(1, 3))
@settings(max_examples=50)
def test_an_epoch_shows_each_replica_every_row_once(rows, batch_size, drop_last, replicas):
    batch_size = min(batch_size, rows)
    generators = [np.random.default_rng(r) for r in range(replicas)]
    sampler = BatchSampler(numbered(rows), batch_size, generators, drop_last=drop_last)
    batches = []
    for batch in sampler.epoch():
        np.testing.assert_array_equal(batch.features[..., 0], batch.labels)
        np.testing.assert_array_equal(batch.targets[..., 0], batch.labels * 2)
        batches.append(batch.labels.copy())
    assert len(batches) == steps_per_epoch(rows, batch_size, drop_last)
    seen = np.concatenate(batches, axis=1)
    for replica in range(replicas):
        assert len(set(seen[replica])) == seen.shape[1]
    assert seen.shape[1] == (rows // batch_size * batch_size if drop_last else rows)


def test_the_order_is_the_replicas_own_and_changes_from_epoch_to_epoch():
    def orders(seeds):
        sampler = BatchSampler(numbered(20), 20, [np.random.default_rng(seed) for seed in seeds])
        return [next(iter(sampler.epoch())).labels.copy() for _ in range(2)]

    first, second = orders([3, 4])
    alone, _ = orders([4])
    np.testing.assert_array_equal(first[1], alone[0])
    assert (first[0] != first[1]).any()
    assert (first != second).any()


@pytest.mark.parametrize(("drop_last", "steps"), [(False, 4), (True, 3)])
def test_steps_per_epoch(drop_last, steps):
    assert steps_per_epoch(10, 3, drop_last) == steps
