"""The network of first.tnn as a Python function: the same steps, names and arrays."""

from tdsl import network, sizes, trit, u8, weights

P = weights("first.npz")
H, W = sizes("H W")


@network(P, outputs={"edges": trit[3, H, W]}, target="nearmem-1mb")
def first(img: u8[1, H, W]):
    """Red, green and blue are the three directions: -1 is dark, 0 is grey, +1 is bright."""
    e = img.conv(3, 3).ternarize(lo=-80, hi=80)
    return e
