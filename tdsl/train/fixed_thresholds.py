"""Thresholds as integers: the exact activation, and that of thresholds which are not trained."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tdsl.ir.ops import Binarize, Parameter, Quantize, Step, Ternarize
from tdsl.train.exact_fold import Range
from tdsl.train.line_fit import fit_line
from tdsl.train.straight_through import Activation, activate, activation_levels

Thresholds = NDArray[np.int64]


def parameters_by_role(op: Activation) -> dict[str, Parameter]:
    """The parameters of an activation: `lo` and `hi`, `t`, or `th`."""
    match op:
        case Ternarize():
            return {"lo": op.lo, "hi": op.hi}
        case Binarize() | Step():
            return {"t": op.t}
        case Quantize():
            return {"th": op.th}


def rising(op: Activation, arrays: Mapping[str, Thresholds]) -> Thresholds:
    """All thresholds of an activation as x > t, in rising order: (..., levels - 1)."""
    match op:
        case Ternarize():
            return np.stack(np.broadcast_arrays(arrays["lo"] - 1, arrays["hi"]), axis=-1)
        case Binarize() | Step():
            return arrays["t"][..., None]
        case Quantize():
            return arrays["th"]


def exact_levels(op: Activation, x: Tensor, arrays: Mapping[str, Thresholds]) -> Tensor:
    """The activation of integers `x` [N, C] or [N, C, H, W], by comparison."""
    thresholds = torch.tensor(rising(op, arrays)).to(x)
    count = torch.zeros_like(x)
    for t in thresholds.unbind(-1):
        count += x > (t.view(-1, *(1,) * (x.dim() - 2)) if t.dim() else t)
    match op:
        case Ternarize():
            return count - 1
        case Binarize():
            return 2 * count - 1
        case Step():
            return count
        case Quantize(element=element):
            return count + element.low


class FixedThreshold(nn.Module):
    """Thresholds written in the source: exact values, and the gradient of a line near them."""

    slope: Tensor
    offset: Tensor

    def __init__(self, op: Activation, arrays: Mapping[str, Thresholds], x: Range) -> None:
        super().__init__()
        self.op, self.arrays = op, dict(arrays)
        levels = np.array([float(level) for level in activation_levels(op)])
        rows = rising(op, arrays)
        lines = [_line(row, levels, x) for row in rows.reshape(-1, rows.shape[-1])]
        self.register_buffer("slope", torch.tensor([a for a, _ in lines]), persistent=False)
        self.register_buffer("offset", torch.tensor([b for _, b in lines]), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """The activations of a batch."""
        shape = (-1, *(1,) * (x.dim() - 2))
        soft = activate(x * self.slope.view(shape) + self.offset.view(shape), self.op)
        hard = exact_levels(self.op, x.detach(), self.arrays)
        return soft + (hard - soft).detach()


def _line(row: Thresholds, levels: NDArray[np.float64], x: Range) -> tuple[float, float]:
    """A line through the thresholds, or through the first and the last of uneven ones."""
    try:
        return fit_line(row, levels, x)
    except ValueError:
        a = float(levels[-1] - levels[0]) / float(row[-1] - row[0])
        return a, float(levels[0] - a * (row[0] + 0.5))
