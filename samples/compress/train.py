"""Train the compression sample: photographs -> `compress.safetensors` and `decoder.npz`.

Run from the repository root:
    python -m samples.compress.train --photographs FOLDER --out samples/compress
Encoder and decoder are trained together, for little error at a wanted rate. The rate is estimated
by Laplace distributions whose widths follow the surroundings, as the arithmetic coder's do.
"""

import argparse
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from samples.compress.decoder import BLOCKS, GREY
from samples.denoise.train import load_photographs, sample_patches
from tdsl.frontend.weights import save_packed
from tdsl.train.straight_through import ternary_weight

CHANNELS, LEVELS = 40, 64
ROUND_UP = 0.62
"""From this fraction on sizes are rounded up; above 1/2, so that more values become 0."""
WIDTH, FINE_WIDTH, FINEST_WIDTH = 96, 64, 32


def cosine(u: int, v: int) -> NDArray[np.float64]:
    """The 8x8 cosine of frequencies u down and v across, of length 1."""
    lines = [np.cos(np.pi * (np.arange(8) + 0.5) * k / 8) / (2 if k else 8**0.5) for k in (u, v)]
    return np.outer(*lines)


class Quantise(torch.autograd.Function):
    """Round towards zero from `ROUND_UP`; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return whole numbers of 6 bits."""
        return (x.sign() * torch.floor(x.abs() + 1 - ROUND_UP)).clamp(-LEVELS // 2, LEVELS // 2 - 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Pass the gradient."""
        return grads[0]


class Encoder(nn.Module):
    """Pictures [N, 1, 8 H, 8 W] -> codes [N, 40, H, W]; begins as a cosine transform."""

    def __init__(self) -> None:
        super().__init__()
        order = sorted(np.ndindex(8, 8), key=lambda uv: (sum(uv), uv[0]))[:CHANNELS]
        waves = torch.tensor(np.stack([cosine(*uv) for uv in order])).float().unsqueeze(1)
        self.latent = nn.Parameter(waves / waves.abs().mean((1, 2, 3), keepdim=True) * 0.35)
        kernels = ternary_weight(self.latent).detach()
        self.log_step = nn.Parameter(torch.log(32 * kernels.flatten(1).norm(dim=1)))
        self.register_buffer("mean", kernels.flatten(1).sum(1) * 128)
        self.log_width = nn.Parameter(torch.linspace(0.5, -1.5, CHANNELS))
        self.surroundings = nn.Parameter(torch.full((3,), -1.0))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the codes."""
        sums = F.conv2d(pictures.float(), ternary_weight(self.latent), stride=8)
        mean, step = self.get_buffer("mean"), self.log_step.exp()
        x = (sums - mean.view(-1, 1, 1)) / step.view(-1, 1, 1)
        coded: Tensor = Quantise.apply(x)
        return coded

    def bits(self, code: Tensor) -> Tensor:
        """Estimate the bits of all codes: a Laplace distribution for every value."""
        first = _before(code[:, :1])
        x = torch.cat([code[:, :1] - (first[0] + first[1]) / 2, code[:, 1:]], 1)
        size = code.detach().abs()
        above = sum(_before(size)) / 2
        near = F.avg_pool2d(F.pad(size, (1, 1, 1, 1)), 3, 1) * 2
        earlier = F.pad(near, (0, 0, 0, 0, 2, 0))
        parts = (1.0, above, earlier[:, 1:-1] + earlier[:, :-2])
        weighed = sum(w * part for w, part in zip(self.surroundings.exp(), parts, strict=True))
        width = self.log_width.exp().view(-1, 1, 1) * weighed
        likely = _laplace(x + 0.5, width) - _laplace(x - 0.5, width)
        return -torch.log2(likely.clamp_min(1e-7)).sum()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The integer network: ternary kernels, and 63 thresholds for each channel."""
        step, mean = self.log_step.exp().detach().double(), self.get_buffer("mean").double()
        values = np.arange(-LEVELS // 2 + 1, LEVELS // 2)
        # x is coded as v or more from v - 1 + ROUND_UP on, and for v <= 0 above v - ROUND_UP.
        edges = np.where(values > 0, values - 1 + ROUND_UP, values - ROUND_UP)
        sums = edges * step.numpy()[:, None] + mean.numpy()[:, None]
        thresholds = np.where(values > 0, np.ceil(sums) - 1, np.floor(sums)).astype(np.int32)
        kernels = ternary_weight(self.latent).detach().numpy().astype(np.int8)
        return {"code.w": kernels, "code.th": thresholds}


def _before(x: Tensor) -> tuple[Tensor, Tensor]:
    """The values to the left and above, 0 outside."""
    padded = F.pad(x, (1, 0, 1, 0))
    return padded[:, :, 1:, :-1], padded[:, :, :-1, 1:]


def _laplace(x: Tensor, width: Tensor) -> Tensor:
    return 0.5 + 0.5 * x.sign() * (1 - torch.exp(-x.abs() / width))


def conv(inputs: int, outputs: int, *, silent: bool = False) -> nn.Conv2d:
    """A 3x3 convolution; a silent one begins with weights of 0."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    if silent:
        nn.init.zeros_(layer.weight)
    return layer


class Decoder(nn.Module):
    """Codes -> pictures: the layers of `decoder.py`; begins as the inverse of the encoder."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {"linear": conv(CHANNELS, 64), "first": conv(CHANNELS, WIDTH)}
            | {f"block{b}/a": conv(WIDTH, WIDTH) for b in range(BLOCKS)}
            | {f"block{b}/b": conv(WIDTH, WIDTH, silent=True) for b in range(BLOCKS)}
            | {"finer": conv(WIDTH, FINE_WIDTH * 4)}
            | {"fine/a": conv(FINE_WIDTH, FINE_WIDTH)}
            | {"fine/b": conv(FINE_WIDTH, FINE_WIDTH, silent=True)}
            | {"finest": conv(FINE_WIDTH, FINEST_WIDTH * 4)}
            | {"last": conv(FINEST_WIDTH, 4, silent=True)}
        )
        kernels = ternary_weight(encoder.latent).detach().flatten(1)
        inverse = torch.linalg.pinv(kernels / encoder.log_step.detach().exp()[:, None])
        linear = self.layers["linear"]
        with torch.no_grad():
            linear.weight.zero_()[:, :, 1, 1] = inverse / GREY
            linear.bias.fill_(128 / GREY)

    def forward(self, code: Tensor) -> Tensor:
        """Return pictures."""
        with torch.autocast("cpu", torch.bfloat16):
            x = self.layers["first"](code.contiguous(memory_format=torch.channels_last))
            for block in range(BLOCKS):
                x = self._residual(f"block{block}", x)
            x = self._residual("fine", F.pixel_shuffle(self.layers["finer"](x), 2))
            x = F.relu(F.pixel_shuffle(self.layers["finest"](x), 2))
            detail = F.pixel_shuffle(self.layers["last"](x), 2)
        return GREY * (F.pixel_shuffle(self.layers["linear"](code), 8) + detail.float())

    def _residual(self, name: str, x: Tensor) -> Tensor:
        return x + self.layers[f"{name}/b"](F.relu(self.layers[f"{name}/a"](x)))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The weights in 8 bits, with a scale for each output channel."""
        found: dict[str, NDArray[Any]] = {}
        for name, layer in self.layers.items():
            key, weight = name.replace("/", "."), layer.weight.detach().flatten(1).numpy()
            scale = np.abs(weight).max(1) / 127
            found[f"{key}.w"] = np.rint(weight / scale[:, None]).astype(np.int8)
            found[f"{key}.scale"] = scale
            found[f"{key}.bias"] = layer.bias.detach().numpy()
        return found


def train(encoder: Encoder, decoder: Decoder, args: argparse.Namespace) -> None:
    """Fit both; the price of a bit follows the rate; prints a line every 100 steps."""
    pictures = load_photographs(args.photographs)
    rng = np.random.default_rng(args.seed)
    floats = [p for p in (*encoder.parameters(), *decoder.parameters()) if p is not encoder.latent]
    optimiser = torch.optim.Adam([{"params": floats}, {"params": [encoder.latent]}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [args.rate, args.kernel_rate], total_steps=args.steps, pct_start=0.03
    )
    began, error_sum, price, recent = time.time(), 0.0, args.price, args.bits
    for step in range(1, args.steps + 1):
        clean = sample_patches(pictures, args.batch, args.patch, rng)
        code = encoder(clean)
        rate = encoder.bits(code) / clean.numel()
        error = F.mse_loss(decoder(code), clean)
        optimiser.zero_grad(set_to_none=True)
        ((error + price * rate) / 100).backward()
        for network in (encoder, decoder):
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            encoder.latent.clamp_(-1, 1)
        recent += (rate.item() - recent) / 50
        price *= math.exp(0.003 * math.tanh(20 * (recent - args.bits)))
        error_sum += error.item()
        if step % 100 == 0:
            quality = 10 * math.log10(255**2 / (error_sum / 100))
            print(
                f"step {step} PSNR {quality:.2f} bits {recent:.3f} price {price:.1f}"
                f" {time.time() - began:.0f} s",
                flush=True,
            )
            error_sum = 0.0
            states = {"encoder": encoder.state_dict(), "decoder": decoder.state_dict()}
            torch.save(states, args.checkpoint)


def main() -> None:
    """Train, and write the sample's files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sample's files")
    parser.add_argument("--checkpoint", type=Path, default=Path("compress.pt"))
    parser.add_argument("--start", type=Path, help="begin with this checkpoint")
    parser.add_argument("--steps", type=int, default=8000, help="0 only exports `--start`")
    parser.add_argument("--bits", type=float, default=0.4, help="wanted bits a pixel, estimated")
    parser.add_argument("--price", type=float, default=100.0, help="first price of a bit")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--patch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--kernel-rate", type=float, default=3e-3, help="0 keeps the kernels")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    encoder = Encoder()
    decoder = Decoder(encoder).to(memory_format=torch.channels_last)
    if args.start:
        states = torch.load(args.start)
        encoder.load_state_dict(states["encoder"])
        decoder.load_state_dict(states["decoder"])
    if args.steps:
        train(encoder, decoder, args)
    save_packed(args.out / "compress.safetensors", encoder.arrays())
    np.savez_compressed(args.out / "decoder.npz", **decoder.arrays())


if __name__ == "__main__":
    main()
