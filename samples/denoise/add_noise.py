"""A clean picture -> the same in grey with Gaussian noise, rounded and clipped to 0..255.

python -m samples.denoise.add_noise clean.png noisy.png --sigma 25 --seed 1
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def add_noise(clean: NDArray[np.uint8], sigma: float, seed: int) -> NDArray[np.uint8]:
    """Return the u8 picture with noise of standard deviation `sigma` grey levels."""
    noise = np.random.default_rng(seed).normal(0, sigma, clean.shape)
    return np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)


def main() -> None:
    """Read, add, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clean", type=Path)
    parser.add_argument("noisy", type=Path)
    parser.add_argument("--sigma", type=float, default=25.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with Image.open(args.clean) as picture:
        clean = np.asarray(picture.convert("L"))
    Image.fromarray(add_noise(clean, args.sigma, args.seed)).save(args.noisy)


if __name__ == "__main__":
    main()
