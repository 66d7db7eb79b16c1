"""The images on which imported networks are compared with what qonnx computed once."""

import numpy as np
from numpy.typing import NDArray

FRAMES = 1000
SIDE = 8


def images(seed: int) -> NDArray[np.float32]:
    """`FRAMES` images (1, SIDE, SIDE) of 0 to 1: blots on a slope, with noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    y, x = np.asarray(y, np.float64), np.asarray(x, np.float64)
    slope = random.normal(0, 0.6, (2, FRAMES, 1, 1, 1))
    shift = random.uniform(0, 1, (FRAMES, 1, 1, 1))
    blots = np.hypot(x - random.random((FRAMES, 1, 1, 1)), y - random.random((FRAMES, 1, 1, 1)))
    made = shift + slope[0] * x + slope[1] * y + (blots < 0.3) * 0.5
    noise = random.normal(0, 0.08, (FRAMES, 1, SIDE, SIDE))
    noisy: NDArray[np.float64] = np.clip(made + noise, 0, 1, dtype=np.float64)
    return noisy.astype(np.float32)
