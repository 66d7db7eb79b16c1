"""Three pictures (clean, noisy, denoised) -> their PSNR beside that of the best classic filters.

    python -m samples.denoise.compare astronaut.png astronaut_noisy.png astronaut_denoised.png
The filters are given an advantage: the width that suits each picture best is chosen for them.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

GAUSSIAN_SIGMAS = [tenths / 10 for tenths in range(5, 26)]
MEDIAN_SIZES = [3, 5, 7]

Picture = NDArray[np.uint8]


def psnr(picture: Picture, clean: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB, for a peak of 255."""
    error = np.mean((picture.astype(float) - clean) ** 2)
    return float(10 * np.log10(255**2 / error))


def gaussian(picture: Picture, sigma: float) -> Picture:
    """Blur, with the picture mirrored at its border."""
    reach = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    blurred = np.pad(picture.astype(float), reach, mode="symmetric")
    for axis in (0, 1):
        blurred = sliding_window_view(blurred, len(taps), axis=axis) @ taps
    return np.rint(blurred).astype(np.uint8)


def median(picture: Picture, size: int) -> Picture:
    """Take the median of each size x size window, the picture mirrored at its border."""
    padded = np.pad(picture, size // 2, mode="symmetric")
    return np.median(sliding_window_view(padded, (size, size)), axis=(2, 3)).astype(np.uint8)


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clean", "noisy", "denoised"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    clean, noisy, denoised = (
        np.asarray(Image.open(path).convert("L"))
        for path in (args.clean, args.noisy, args.denoised)
    )
    best_gaussian = max(psnr(gaussian(noisy, sigma), clean) for sigma in GAUSSIAN_SIGMAS)
    best_median = max(psnr(median(noisy, size), clean) for size in MEDIAN_SIZES)
    print(
        f"noisy {psnr(noisy, clean):.2f} dB, median {best_median:.2f} dB, "
        f"Gaussian {best_gaussian:.2f} dB, denoised {psnr(denoised, clean):.2f} dB"
    )


if __name__ == "__main__":
    main()
