"""An activation with trainable thresholds: batch norm and levels, or the integers they fold to."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from tdsl.diagnostics import CompileError
from tdsl.ir.ops import Binarize, Quantize, Step, Ternarize
from tdsl.ir.tensor_type import Kind
from tdsl.refusal import refusal
from tdsl.train.exact_fold import (
    Normalisation,
    Range,
    fold_levels,
    lowest_at_least,
)
from tdsl.train.fixed_thresholds import Thresholds, rising
from tdsl.train.line_fit import NO_LINE, fit_line
from tdsl.train.straight_through import HALF, Activation, activate, activation_levels

EPS, MOMENTUM = 1e-5, 0.1


@dataclass(frozen=True, slots=True)
class Folded:
    """The integer thresholds of all channels by role, and the sign for each channel's weights."""

    arrays: dict[str, Thresholds]
    signs: NDArray[np.int8]


class Threshold(nn.Module):
    """y = scale (x - mean) / sqrt(var + eps) + shift of each channel, then the levels of `op`.

    Where the sign of a channel can go into its weights (`signed`) the scale may be negative;
    elsewhere its size counts. A scale of 0 makes a constant channel. After `plain()` there is no
    batch norm: y = scale x + shift.
    """

    scale: nn.Parameter
    shift: nn.Parameter
    mean: Tensor
    var: Tensor
    normalised: Tensor

    def __init__(self, name: str, op: Activation, channels: int, signed: bool, x: Range) -> None:
        super().__init__()
        self.name, self.op, self.signed, self.range = name, op, signed, x
        self.eps, self.momentum = EPS, MOMENTUM
        self.scale = nn.Parameter(torch.full((channels,), _initial_scale(op)))
        self.shift = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))
        self.register_buffer("normalised", torch.tensor(True))

    def plain(self, scale: float | Tensor, shift: float | Tensor = 0.0) -> None:
        """Leave batch norm out, with this scale and shift: one number, or one a channel."""
        with torch.no_grad():
            self.scale.copy_(torch.as_tensor(scale).expand_as(self.scale))
            self.shift.copy_(torch.as_tensor(shift).expand_as(self.shift))
            self.normalised.fill_(False)

    def forward(self, x: Tensor) -> Tensor:
        """The activations of a training batch [N, C] or [N, C, H, W]; updates the statistics."""
        y: Tensor
        slope = self.scale if self.signed else self.scale.abs()
        if self.normalised:
            y = F.batch_norm(
                x, self.mean, self.var, slope, self.shift, True, self.momentum, self.eps
            )
        else:
            shape = (-1, *(1,) * (x.dim() - 2))
            y = x * slope.view(shape) + self.shift.view(shape)
        return activate(y, self.op)

    def fold(self) -> Folded:
        """Fold every channel exactly. Raises CompileError (E0721): no finite number."""
        norms = self._normalisations()
        signs = np.array([-1 if norm.gamma < 0 else 1 for norm in norms], np.int8)
        levels = activation_levels(self.op)
        rows = [fold_levels(norm.rising, levels, self.range) for norm in norms]
        th = np.array(rows, np.int64).reshape(len(norms), len(levels))
        match self.op:
            case Ternarize():
                lo = [lowest_at_least(norm.rising, -HALF, self.range) for norm in norms]
                arrays = {"lo": np.array(lo, np.int64), "hi": th[:, 1]}
            case Binarize() | Step():
                arrays = {"t": th[:, 0]}
            case Quantize():
                arrays = {"th": th}
        return Folded({role: values for role, values in arrays.items()}, signs)

    def unfold(self, arrays: Mapping[str, Thresholds]) -> None:
        """Take integer thresholds by role, and leave batch norm out.

        Raises ValueError where no scale and shift give them.
        """
        th = rising(self.op, arrays)
        rows = np.broadcast_to(th, (len(self.scale), th.shape[-1]))
        levels = np.array([float(level) for level in activation_levels(self.op)])
        lines = [fit_line(row, levels, self.range) for row in rows]
        self.plain(torch.tensor([a for a, _ in lines]), torch.tensor([b for _, b in lines]))
        within = rows.clip(self.range.low - 1, self.range.high)
        if not np.array_equal(rising(self.op, self.fold().arrays), within):
            raise ValueError(NO_LINE)

    def _normalisations(self) -> list[Normalisation]:
        parameters = torch.stack([self.scale, self.shift, self.mean, self.var]).detach().cpu()
        broken = (~parameters.isfinite().all(0)).nonzero().flatten()
        if len(broken):
            raise _not_finite(self.name, int(broken[0]))
        rows = parameters.double().T.numpy()
        channels = [[Fraction(float(value)) for value in row] for row in rows]
        eps = Fraction(self.eps)
        normalised = bool(self.normalised)
        return [
            Normalisation(
                gamma=scale if self.signed else abs(scale),
                beta=shift,
                mean=mean if normalised else Fraction(0),
                variance=var + eps if normalised else Fraction(1),
            )
            for scale, shift, mean, var in channels
        ]


def _not_finite(name: str, channel: int) -> CompileError:
    return refusal(
        "E0721",
        f"`{name}` has no integer thresholds: a parameter of channel {channel} is no finite number",
        note="training has diverged",
        remedy="go back to an earlier checkpoint, and lower the learning rate",
    )


def _initial_scale(op: Activation) -> float:
    """A scale that spreads a normal distribution over the values of `op`."""
    if not isinstance(op, Quantize):
        return 1.0
    # The best uniform quantiser of a normal distribution covers about 2.6 + 0.69 bits deviations.
    unsigned = op.element.kind is Kind.UNSIGNED
    bits = op.element.bits + (1 if unsigned else 0)
    return float(2**bits / (2.6 + 0.69 * bits))
