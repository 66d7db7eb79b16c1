"""What is not differentiable, with the gradients that training uses instead.

The gradient of a threshold is 1 wherever y is near its levels, the dead zone included: with a zero
gradient there a unit that is 0 could never leave it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from tdsl.ir.ops import Binarize, Quantize, Step, Ternarize

HALF = Fraction(1, 2)
Activation = Ternarize | Binarize | Step | Quantize


@dataclass(frozen=True, slots=True)
class Window:
    """Where the gradient of an activation passes, and by what it is multiplied."""

    low: float
    high: float
    slope: float


def window(op: Activation) -> Window:
    """From half a level below the lowest value to half a level above the highest."""
    match op:
        case Ternarize() | Binarize():
            return Window(-1.0, 1.0, 1.0)
        case Step():
            return Window(-1.0, 1.0, 0.5)
        case Quantize(element=element):
            return Window(element.low - 0.5, element.high + 0.5, 1.0)


def levels(op: Activation, y: Tensor) -> Tensor:
    """The values of an activation with its thresholds at 0, or half-way between its values."""
    match op:
        case Ternarize():
            return y.clamp(-1, 1).round()
        case Binarize():
            return (y > 0).to(y.dtype) * 2 - 1
        case Step():
            return (y > 0).to(y.dtype)
        case Quantize(element=element):
            return (y - 0.5).ceil().clamp(element.low, element.high)


def activation_levels(op: Activation) -> list[Fraction]:
    """What y is compared with, in rising order: one level fewer than values."""
    match op:
        case Ternarize():
            return [-HALF, HALF]
        case Binarize() | Step():
            return [Fraction(0)]
        case Quantize(element=element):
            return [k + HALF for k in range(element.low, element.high)]


def activate(y: Tensor, op: Activation) -> Tensor:
    """`levels` with the gradient of `window`."""
    return _call(_Levels, y, op)


def ternary_weight(latent: Tensor) -> Tensor:
    """Latent weights [out, ...] -> {-1, 0, +1}; zero up to 0.7 of the channel's mean size.

    The gradient passes unchanged.
    """
    return _call(_TernaryWeight, latent)


def floor_divide(x: Tensor, divisor: int) -> Tensor:
    """floor(x / divisor) of integers; the gradient is that of the exact quotient."""
    return _call(_FloorDivide, x, divisor)


def _call(function: type[torch.autograd.Function], *operands: object) -> Tensor:
    # `function.apply` is partially typed, which no annotation here can complete.
    apply: Callable[..., Tensor] = getattr(function, "apply")  # noqa: B009
    return apply(*operands)


class _Levels(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, op: Activation) -> Tensor:
        """Apply the levels; remember where the gradient passes."""
        ctx.save_for_backward(y)
        ctx.window = window(op)
        return levels(op, y)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Pass the gradient inside the window."""
        (y,) = ctx.saved_tensors
        inside = ctx.window
        # One pass over memory instead of four, which is what this step costs.
        passed = torch.ops.aten.hardtanh_backward(grads[0], y, inside.low, inside.high)
        return (passed if inside.slope == 1 else passed * inside.slope), None


class _TernaryWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, latent: Tensor) -> Tensor:
        """Ternarise."""
        dims = tuple(range(1, latent.dim()))
        size = latent.abs()
        zero = size <= 0.7 * size.mean(dim=dims, keepdim=True)
        return latent.sign().masked_fill_(zero, 0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Pass the gradient to the latent weights unchanged."""
        return grads[0]


class _FloorDivide(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, divisor: int) -> Tensor:
        """Divide and round down."""
        ctx.divisor = divisor
        return torch.div(x, divisor, rounding_mode="floor")

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Divide the gradient."""
        return grads[0] / ctx.divisor, None
