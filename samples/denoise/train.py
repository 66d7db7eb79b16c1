"""Train the denoising sample: a folder of photographs -> `denoise.safetensors`.

Run from the repository root:
    python -m samples.denoise.train --photographs FOLDER --out samples/denoise
Photographs are turned grey and made small; Gaussian noise of sigma 25 is added while training.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from samples.cifar.train import rate
from tdsl.train import Twin, twin

SIGMA = 25.0
# Grey levels a unit of the last sum is worth. A power of two: the machine spaces the thresholds
# of `quantize` by shifts.
GREY_PER_UNIT = 0.25
SHORT_SIDES = (600, 400)


def denoiser() -> Twin:
    """The twin of `denoise.tnn`, whose sums are grey levels from the start."""
    net = twin("samples/denoise/denoise.tnn")
    noise = net.threshold("noise")
    noise.plain(GREY_PER_UNIT)
    noise.scale.requires_grad_(False)
    return net


def load_photographs(folder: Path, sides: Sequence[int] = SHORT_SIDES) -> list[NDArray[np.uint8]]:
    """Read every picture in grey, reduced to each of the short sides."""
    pictures = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as opened:
            grey = opened.convert("L")
        for side in sides:
            factor = side / min(grey.size)
            size = (round(grey.width * factor), round(grey.height * factor))
            pictures.append(np.asarray(grey.resize(size, Image.Resampling.BOX)))
    return pictures


def sample_patches(
    pictures: list[NDArray[np.uint8]], count: int, size: int, rng: np.random.Generator
) -> Tensor:
    """Cut random squares, mirrored and turned: [count, 1, size, size]."""
    weights = np.array([p.size for p in pictures], float)
    patches = []
    for index in rng.choice(len(pictures), count, p=weights / weights.sum()):
        picture = pictures[index]
        y = rng.integers(picture.shape[0] - size + 1)
        x = rng.integers(picture.shape[1] - size + 1)
        patch = np.rot90(picture[y : y + size, x : x + size], rng.integers(4))
        patches.append(patch if rng.random() < 0.5 else patch[:, ::-1])
    return torch.from_numpy(np.stack(patches)).unsqueeze(1).float()


def add_noise(clean: Tensor) -> Tensor:
    """Return pictures as a noisy sensor would give them: rounded and clipped to 0..255."""
    return (clean + SIGMA * torch.randn(clean.shape)).round().clamp(0, 255)


def train(model: Twin, pictures: list[NDArray[np.uint8]], args: argparse.Namespace) -> None:
    """Fit the model; prints a line every 50 steps."""
    rng = np.random.default_rng(args.seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate)
    began, total, step = time.time(), 0.0, 0
    model.train()
    while (done := (time.time() - began) / (60 * args.minutes)) < 1:
        optimiser.param_groups[0]["lr"] = rate(args.rate, done)
        clean = sample_patches(pictures, args.batch, args.patch, rng)
        noisy = add_noise(clean)
        with torch.autocast("cpu", torch.bfloat16):
            restored = model(noisy.to(torch.uint8))["clean"]
        loss = F.mse_loss(restored, clean)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        model.clip_latents()
        total += loss.item()
        step += 1
        if step % 50 == 0:
            quality = 10 * math.log10(255**2 / (total / 50))
            print(f"step {step} PSNR {quality:.2f} {time.time() - began:.0f} s", flush=True)
            total = 0.0
            torch.save(model.state_dict(), args.checkpoint)


def main() -> None:
    """Train, fold and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--checkpoint", type=Path, default=Path("denoise.pt"))
    parser.add_argument("--sides", type=int, nargs="+", default=SHORT_SIDES)
    parser.add_argument("--start", type=Path, help="begin with this checkpoint")
    parser.add_argument("--minutes", type=float, default=40, help="0 only exports `--start`")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--patch", type=int, default=80)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    pictures = load_photographs(args.photographs, args.sides)
    model = denoiser()
    if args.start:
        model.load_state_dict(torch.load(args.start))
    if args.minutes:
        train(model, pictures, args)
    rng = np.random.default_rng(args.seed + 1)
    batches = (add_noise(sample_patches(pictures, 4, 256, rng)).to(torch.uint8) for _ in range(10))
    model.average_statistics(batches)
    model.eval().export(args.out / "denoise.safetensors")


if __name__ == "__main__":
    main()
