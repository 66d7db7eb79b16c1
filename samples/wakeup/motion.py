"""The network of motion.tnn as a Python function: the same steps and names."""

from tdsl import U8, Bits, Const, L, kernel, network, sizes, u1, u8

H, W = sizes("H W")


@kernel
def changed(now: U8[L], before: U8[L], thr: Const[int] = 16) -> Bits[L]:
    """1 where |now - before| is above `thr`."""
    return max(now, before) - min(now, before) > thr


@network(
    outputs={"squares": u1[1, H // 8, W // 8], "awake": u1[1]},
    where=[H % 8 == 0, W % 8 == 0, H <= 1080, W <= 1920],
    target="nearmem-1mb",
)
def motion(now: u8[1, H, W], before: u8[1, H, W]):
    """Which 8x8 squares changed between two frames, and whether to wake the recogniser."""
    squares = changed(now, before).sumpool(8).step(t=3)
    return squares, squares.sum().step(t=0)
