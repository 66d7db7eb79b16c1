"""Three pictures (clean, noisy, denoised) -> their PSNR beside that of the best classic filters.

    python -m samples.denoise.compare astronaut.png astronaut_noisy.png astronaut_denoised.png
The filters (two of SciPy, one written out here, one of scikit-image) are given an advantage: the
settings that suit each picture best are chosen for them, with knowledge of the clean one.
"""

import argparse
import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, median_filter
from skimage.restoration import denoise_nl_means

SIGMA = 25.0
GAUSSIAN_SIGMAS = [tenths / 10 for tenths in range(5, 26)]
MEDIAN_SIZES = [3, 5, 7]
BILATERAL_COLOURS = [45, 60, 75, 90, 120]
BILATERAL_SIGMAS = [1.0, 1.4, 2.0, 2.6, 3.2]
MEANS_STRENGTHS = [0.3, 0.4, 0.5, 0.6, 0.8]
MEANS_PATCHES = [5, 7]

Picture = NDArray[np.uint8]
Pixels = NDArray[np.float64]


def psnr(picture: Picture, clean: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB, for a peak of 255."""
    error = np.mean((picture.astype(float) - clean) ** 2)
    return float(10 * np.log10(255**2 / error))


def gaussian(noisy: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Blur with every width."""
    for sigma in GAUSSIAN_SIGMAS:
        yield f"sigma {sigma}", gaussian_filter(noisy, sigma)


def median(noisy: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Take the median of windows of every size."""
    for size in MEDIAN_SIZES:
        yield f"{size}x{size}", median_filter(noisy, size)


def bilateral(noisy: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Average over near pixels of like brightness."""
    for colour, sigma in product(BILATERAL_COLOURS, BILATERAL_SIGMAS):
        yield f"sigma {sigma}, {colour} grey levels", bilateral_once(noisy, sigma, colour)


def bilateral_once(noisy: Pixels, sigma: float, colour: float) -> Pixels:
    """Weigh every near pixel by its distance and by its difference, both by Gaussians.

    Written out, as scikit-image 0.26's `denoise_bilateral` is weaker: below its own Gaussian
    where any difference is allowed.
    """
    reach = math.ceil(3 * sigma)
    high, wide = noisy.shape
    padded = np.pad(noisy, reach, mode="symmetric")
    total, weights = np.zeros_like(noisy), np.zeros_like(noisy)
    for y, x in np.ndindex(2 * reach + 1, 2 * reach + 1):
        near = padded[y : y + high, x : x + wide]
        far = ((y - reach) ** 2 + (x - reach) ** 2) / sigma**2
        weight = np.exp(-0.5 * (far + ((near - noisy) / colour) ** 2))
        total += weight * near
        weights += weight
    return total / weights


def non_local_means(noisy: Pixels) -> Iterator[tuple[str, Pixels]]:
    """Average over pixels in like surroundings; the strength of the noise is told."""
    for strength, patch in product(MEANS_STRENGTHS, MEANS_PATCHES):
        result = denoise_nl_means(
            noisy / 255,
            patch_size=patch,
            patch_distance=10,
            h=strength * SIGMA / 255,
            sigma=SIGMA / 255,
            fast_mode=True,
        )
        yield f"h {strength} sigma, patches {patch}x{patch}", result * 255


FILTERS = {
    "median": median,
    "Gaussian": gaussian,
    "bilateral": bilateral,
    "non-local means": non_local_means,
}


def best(results: Iterator[tuple[str, Pixels]], clean: Picture) -> tuple[float, str]:
    """Return the highest PSNR and the settings that gave it."""
    return max(
        (psnr(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), clean), settings)
        for settings, pixels in results
    )


def main() -> None:
    """Print one line for the noisy picture, one for each filter, one for the denoised picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clean", "noisy", "denoised"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()
    clean, noisy, denoised = (
        np.asarray(Image.open(path).convert("L"))
        for path in (args.clean, args.noisy, args.denoised)
    )
    print(f"noisy            {psnr(noisy, clean):.2f} dB")
    for name, run in FILTERS.items():
        quality, settings = best(run(noisy.astype(float)), clean)
        print(f"{name:<16} {quality:.2f} dB ({settings})")
    print(f"denoised         {psnr(denoised, clean):.2f} dB")


if __name__ == "__main__":
    main()
