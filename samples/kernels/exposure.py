"""Exposure: a histogram of the grey values, and the share of pixels at both ends."""

from pathlib import Path

from PIL import Image

from tdsl import U8, L, histogram, kernel

HERE = Path(__file__).parent


@kernel
def exposure(img: U8[L]) -> (list[int], int, int):
    """Pixels in 16 equal parts of 0..255; how many are black, how many white."""
    return histogram(img, 16), sum(img == 0), sum(img == 255)


def main() -> None:
    """A picture -> its histogram as text."""
    counts, black, white = exposure(Image.open(HERE / "street_2.png"))
    for part, count in enumerate(counts):
        print(f"{16 * part:3}..{16 * part + 15:3} {'#' * round(200 * count / sum(counts))}")
    print(f"{black} black, {white} white, {exposure.cost.cycles:,} cycles")


if __name__ == "__main__":
    main()
