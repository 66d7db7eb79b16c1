"""Write first.npz: three 3x3 kernels of -1, 0 and +1, one for each direction of an edge."""

from pathlib import Path

import numpy as np

VERTICAL = [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]
HORIZONTAL = [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]
DIAGONAL = [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]]

kernels = np.array([VERTICAL, HORIZONTAL, DIAGONAL], dtype=np.int8)
np.savez(Path(__file__).with_name("first.npz"), **{"e.w": kernels[:, None]})
