"""The wake-up sample on its shipped clip: squares against plain NumPy, asleep where none moved."""

from itertools import pairwise

import numpy as np
import pytest

from samples.wakeup.watcher import Seen, Watch, shipped_frames


@pytest.fixture(scope="module")
def frames() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return shipped_frames()


def test_the_clip_is_whole(frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    assert frames.shape == (100, 120, 160)


def test_motion_is_that_of_numpy_and_wakes_the_recogniser(
    frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    watch = Watch()
    results: list[Seen] = []
    for before, now in pairwise(frames[::6]):
        seen = watch(now, before)
        results.append(seen)
        changed = np.abs(now.astype(int) - before) > 16
        squares = changed.reshape(15, 8, 20, 8).sum((1, 3)) > 3
        assert np.array_equal(seen.moved, squares)
        assert (seen.heat is not None) == squares.any()
        assert seen.motion_energy > 0
        assert (seen.person_energy > 0) == squares.any()
    awake = [seen.heat is not None for seen in results]
    people = [watch.people(seen) for seen in results]
    assert any(awake)
    assert not all(awake)
    assert any(people)
    assert all(a or not p for a, p in zip(awake, people, strict=True))
