"""Integer thresholds -> a straight line that folds back to them."""

import numpy as np
from numpy.typing import NDArray

from tdsl.train.exact_fold import Range

STEPS = 200
NO_LINE = "has thresholds that no scale and shift give"


def fit_line(
    thresholds: NDArray[np.int64], levels: NDArray[np.float64], x: Range
) -> tuple[float, float]:
    """Return (a, b), a >= 0, with a t + b <= level < a (t + 1) + b for each threshold and level.

    Thresholds below x.low are passed by every x, those from x.high on by none; such are bound on
    one side only. Raises ValueError where there is no such line.
    """
    a = _widest(thresholds, levels, x)
    below, above = _offsets(a, thresholds, levels, x)
    if not below < above:
        raise ValueError(NO_LINE)
    if np.isinf(below):
        return a, (above - 1 if np.isfinite(above) else 0.0)
    return a, (below + 1 if np.isinf(above) else (below + above) / 2)


def _offsets(
    a: float, thresholds: NDArray[np.int64], levels: NDArray[np.float64], x: Range
) -> tuple[float, float]:
    """The open interval of offsets that slope `a` allows."""
    ever_above, ever_below = thresholds < x.high, thresholds >= x.low
    below = (levels - a * (thresholds.clip(x.low - 1) + 1))[ever_above]
    above = (levels - a * thresholds.clip(max=x.high))[ever_below]
    return float(below.max(initial=-np.inf)), float(above.min(initial=np.inf))


def _widest(thresholds: NDArray[np.int64], levels: NDArray[np.float64], x: Range) -> float:
    """The slope that allows the widest interval, which is a concave function of it.

    Two neighbouring integers are at most as far apart as all levels and one more.
    """
    if len(levels) == 1:
        return 1.0
    low, high = 0.0, float(levels[-1] - levels[0] + 1)
    for _ in range(STEPS):
        first, second = low + (high - low) / 3, high - (high - low) / 3
        if _width(first, thresholds, levels, x) < _width(second, thresholds, levels, x):
            low = first
        else:
            high = second
    return (low + high) / 2


def _width(a: float, thresholds: NDArray[np.int64], levels: NDArray[np.float64], x: Range) -> float:
    below, above = _offsets(a, thresholds, levels, x)
    return above - below
