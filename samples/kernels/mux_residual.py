"""A mux-residual block on trits: a filter's answer where it has one, else the pixel itself."""

from pathlib import Path

import numpy as np
from PIL import Image

from tdsl import I8, Const, L, Trits, kernel, mux

HERE = Path(__file__).parent


@kernel
def sign(x: I8[L], above: Const[int]) -> Trits[L]:
    """+1 above `above`, -1 below `-above`, else 0."""
    return mux(x > above, 1, mux(x < -above, -1, 0))


@kernel
def mux_residual(x: Trits[L], above: Const[int] = 1) -> Trits[L]:
    """A vertical edge of the trits where there is one, else the trit."""
    right = x[-1, 1] + x[0, 1] + x[1, 1]
    left = x[-1, -1] + x[0, -1] + x[1, -1]
    edge = sign(right - left, above)
    return mux(edge != 0, edge, x)


def main() -> None:
    """Grey values in three steps -> the block, twice."""
    grey = np.asarray(Image.open(HERE / "street_2.png"))
    trits = (grey > 160).astype(int) - (grey < 80)
    once = mux_residual(trits)
    twice = mux_residual(once, above=3)
    shown = (127 * (twice.astype(int) + 1)).astype(np.uint8)
    Image.fromarray(shown).save(HERE / "mux_residual.png", optimize=True)
    print(f"{(once != trits).mean():.1%} edges, {mux_residual.cost.cycles:,} cycles")


if __name__ == "__main__":
    main()
