"""The images on which imported networks are compared with what qonnx computed once."""

import numpy as np
from numpy.typing import NDArray

FRAMES = 1000
SIDE = 8


def images(seed: int) -> NDArray[np.float32]:
    """`FRAMES` images (1, SIDE, SIDE) of 0 to 1: blots on a slope, with noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    slope = random.normal(0, 0.6, (2, FRAMES, 1, 1, 1))
    shift = random.uniform(0, 1, (FRAMES, 1, 1, 1))
    blots = np.hypot(x - random.random((FRAMES, 1, 1, 1)), y - random.random((FRAMES, 1, 1, 1)))
    made = shift + slope[0] * x + slope[1] * y + (blots < 0.3) * 0.5
    noisy: NDArray[np.float64] = made + random.normal(0, 0.08, made.shape)
    result: NDArray[np.float32] = noisy.clip(0, 1).astype(np.float32)
    return result
