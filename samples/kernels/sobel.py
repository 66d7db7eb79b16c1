"""Sobel edges: how steep the grey values are, from the eight neighbours of every pixel."""

from pathlib import Path

from PIL import Image

from tdsl import U8, L, kernel

HERE = Path(__file__).parent


@kernel
def sobel(img: U8[L, "edge"]) -> U8[L]:
    """(|gx| + |gy|) / 2, at most 255; outside the image its nearest pixel counts."""
    left = img[-1, -1] + 2 * img[0, -1] + img[1, -1]
    right = img[-1, 1] + 2 * img[0, 1] + img[1, 1]
    above = img[-1, -1] + 2 * img[-1, 0] + img[-1, 1]
    below = img[1, -1] + 2 * img[1, 0] + img[1, 1]
    return min(abs(right - left) + abs(below - above) >> 1, 255)


def main() -> None:
    """A picture -> its edges."""
    edges = sobel(Image.open(HERE / "street_2.png"))
    Image.fromarray(edges).save(HERE / "sobel.png", optimize=True)
    print(f"{sobel.cost.cycles:,} cycles")


if __name__ == "__main__":
    main()
