"""PyTorch layers with ternary weights and activations, trained by straight-through estimators.

In and out: float tensors whose values are -1, 0, +1 (activations) or integers (sums).
The gradient of a threshold is 1 wherever |x| <= 1, the dead zone included: with a zero gradient
there a unit that is 0 could never leave it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from samples.training.exact_fold import fold_layer


class TernaryWeight(torch.autograd.Function):
    """Latent weights [out, ...] -> {-1, 0, +1}; zero up to 0.7 of the channel's mean size."""

    @staticmethod
    def forward(ctx: Any, latent: Tensor) -> Tensor:
        """Ternarise; the gradient passes unchanged (the optimiser keeps latents in -1..1)."""
        dims = tuple(range(1, latent.dim()))
        delta = 0.7 * latent.abs().mean(dim=dims, keepdim=True)
        return torch.where(latent.abs() > delta, latent.sign(), torch.zeros_like(latent))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Pass the gradient to the latent weights."""
        return grads[0]


class TernaryActivation(torch.autograd.Function):
    """+1 above 1/2, -1 below -1/2, else 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Apply the thresholds; remember where the gradient passes."""
        ctx.save_for_backward(x.abs() <= 1)
        return (x > 0.5).to(x.dtype) - (x < -0.5).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Pass the gradient inside -1..1, dead zone included."""
        (inside,) = ctx.saved_tensors
        return grads[0] * inside


def thermometer_levels(levels: int) -> tuple[Tensor, Tensor]:
    """Return (lo, hi) of `thermometer(levels)` on u8, each of shape [levels, 1, 1]."""
    n, k = 256, levels
    hi = [-(-n * (k + 1 + j) // (2 * k + 1)) - 1 for j in range(k)]
    lo = [-(-n * (k - j) // (2 * k + 1)) for j in range(k)]
    return torch.tensor(lo).view(-1, 1, 1), torch.tensor(hi).view(-1, 1, 1)


class Thermometer(nn.Module):
    """Images [N, 1, H, W] with values 0..255 -> ternary planes [N, levels, H, W]."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        lo, hi = thermometer_levels(levels)
        self.register_buffer("lo", lo, persistent=False)
        self.register_buffer("hi", hi, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Encode an integer image; the result has the default type of the caller's layers."""
        x = image.to(torch.int16)
        return (x > self.hi).to(torch.int8) - (x < self.lo).to(torch.int8)


def ternary_latent(*shape: int) -> nn.Parameter:
    """Fresh latent weights, spread over -1/2..1/2."""
    return nn.Parameter(torch.empty(*shape).uniform_(-0.5, 0.5))


@dataclass(frozen=True)
class FoldedConv:
    """A trained layer as integers: `w` [out, in, 3, 3] ternary, `lo` and `hi` [out]."""

    w: NDArray[np.int8]
    lo: NDArray[np.int32]
    hi: NDArray[np.int32]


class TernaryConv(nn.Module):
    """Ternary convolution -> optional max-pooling of the sums -> batch norm -> ternary activation.

    The batch norm scale is kept positive (softplus), so max-pooling may stand before the
    thresholds; every threshold then folds to two integers a channel (`exact_fold`).
    """

    def __init__(
        self, inputs: int, outputs: int, pool: int = 1, padding: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.latent = ternary_latent(outputs, inputs, 3, 3)
        self.raw_gamma = nn.Parameter(torch.full((outputs,), 0.5413))
        self.beta = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("var", torch.ones(outputs))
        self.pool, self.padding, self.dilation = pool, padding * dilation, dilation
        self.eps, self.momentum = 1e-5, 0.1

    @property
    def gamma(self) -> Tensor:
        """The positive scale of each channel."""
        return F.softplus(self.raw_gamma)

    def sums(self, x: Tensor) -> Tensor:
        """Return the (pooled) integer sums."""
        w = TernaryWeight.apply(self.latent).to(x.dtype)
        s = F.conv2d(x, w, padding=self.padding, dilation=self.dilation)
        return F.max_pool2d(s, self.pool) if self.pool > 1 else s

    def forward(self, x: Tensor) -> Tensor:
        """Return the ternary activations [N, outputs, H', W']."""
        normal = F.batch_norm(
            self.sums(x),
            self.mean,
            self.var,
            self.gamma,
            self.beta,
            self.training,
            self.momentum,
            self.eps,
        )
        return TernaryActivation.apply(normal)

    def fold(self) -> FoldedConv:
        """Fold batch norm and activation into two integer thresholds a channel."""
        w = TernaryWeight.apply(self.latent).detach().numpy().astype(np.int8)
        gamma, beta, mean, var = (
            t.detach().double().numpy() for t in (self.gamma, self.beta, self.mean, self.var)
        )
        lo, hi, sign = fold_layer(gamma, beta, mean, var, self.eps, bound=w[0].size)
        return FoldedConv(w * sign[:, None, None, None], lo, hi)

    def integer_forward(self, x: Tensor, folded: FoldedConv) -> Tensor:
        """Run the folded layer on ternary x; every value is an integer, so float32 is exact."""
        w = torch.from_numpy(folded.w).to(x.dtype)
        s = F.conv2d(x, w, padding=self.padding, dilation=self.dilation)
        s = F.max_pool2d(s, self.pool) if self.pool > 1 else s
        lo, hi = (torch.from_numpy(t).view(-1, 1, 1) for t in (folded.lo, folded.hi))
        return (s > hi).to(x.dtype) - (s < lo).to(x.dtype)


def average_statistics(model: nn.Module, passes: Iterable[Callable[[], object]]) -> None:
    """Replace the running statistics by the plain mean over the given forward passes."""
    model.train()
    layers = [layer for layer in model.modules() if isinstance(layer, TernaryConv)]
    for count, forward_pass in enumerate(passes, start=1):
        for layer in layers:
            layer.momentum = 1 / count
        with torch.no_grad():
            forward_pass()
    model.eval()


def clip_latents(model: nn.Module) -> None:
    """Keep latent weights in -1..1, so that none drifts too far to change its mind."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("latent"):
                parameter.clamp_(-1, 1)
