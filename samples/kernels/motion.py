"""Motion detection: which pixels differ between two frames by more than a threshold."""

from pathlib import Path

from PIL import Image

from tdsl import U8, Bits, Const, L, kernel

HERE = Path(__file__).parent


@kernel
def changed(now: U8[L], before: U8[L], thr: Const[int] = 24) -> Bits[L]:
    """1 where |now - before| is above `thr`."""
    return max(now, before) - min(now, before) > thr


def main() -> None:
    """Two frames, half a second apart -> the pixels that changed."""
    moved = changed(Image.open(HERE / "street_2.png"), Image.open(HERE / "street_1.png"))
    Image.fromarray(moved * 255).save(HERE / "motion.png", optimize=True)
    print(f"{moved.mean():.1%} changed, {changed.cost.cycles:,} cycles")


if __name__ == "__main__":
    main()
