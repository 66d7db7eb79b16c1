"""The coder of the compression sample: what is written is read back, and zeros cost little."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from samples.compress.coder import decode, encode
from samples.compress.decoder import pixel_shuffle

PLANES = arrays(
    np.int64,
    array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7),
    elements=st.integers(-32, 31),
)


@settings(max_examples=60, deadline=None)
@given(PLANES)
def test_every_value_is_read_back(planes: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> None:
    before = planes.copy()
    assert np.array_equal(decode(encode(planes)), planes)
    assert np.array_equal(planes, before)


@pytest.mark.parametrize("seed", range(3))
def test_a_long_code_with_carries_is_read_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    planes = np.rint(rng.laplace(0, 0.4, (20, 30, 40))).astype(np.int64).clip(-32, 31)
    written = encode(planes)
    assert np.array_equal(decode(written), planes)
    # No code can do better on average than the entropy of the values, drawn independently.
    _, counts = np.unique(planes, return_counts=True)
    entropy = -np.sum(counts * np.log2(counts / planes.size))
    assert 0.98 * entropy < 8 * len(written) < 1.1 * entropy


def test_zeros_cost_almost_nothing() -> None:
    assert len(encode(np.zeros((40, 64, 64), np.int64))) < 200


def test_pixels_stand_where_the_language_puts_them() -> None:
    x = np.arange(2 * 4 * 2 * 3, dtype=np.float32).reshape(8, 2, 3)
    y = pixel_shuffle(x, 2)
    assert y.shape == (2, 4, 6)
    assert all(
        y[c, 2 * r + a, 2 * s + b] == x[c * 4 + a * 2 + b, r, s]
        for c, r, s, a, b in np.ndindex(2, 2, 3, 2, 2)
    )
