"""The meaning of operations that move values without changing them."""

import numpy as np

from tdsl.ir.ops import ChannelShuffle, PixelShuffle, Upsample
from tdsl.ir.parameters import Integers


def upsample(op: Upsample, x: Integers) -> Integers:
    """Repeat each pixel of `x` [C, H, W] in a square."""
    return x.repeat(op.factor, axis=1).repeat(op.factor, axis=2)


def pixel_shuffle(op: PixelShuffle, x: Integers) -> Integers:
    """`x` [C r r, H, W] -> [C, H r, W r]: channel c r r + dy r + dx goes to offset (dy, dx)."""
    r = op.factor
    channels, height, width = x.shape[0] // (r * r), x.shape[1], x.shape[2]
    out = np.empty((channels, height * r, width * r), np.int64)
    for dy in range(r):
        for dx in range(r):
            out[:, dy::r, dx::r] = x[dy * r + dx :: r * r]
    return out


def channel_shuffle(op: ChannelShuffle, x: Integers) -> Integers:
    """Channel g * (C/groups) + i of `x` goes to i * groups + g."""
    per_group = x.shape[0] // op.groups
    out = np.empty_like(x)
    for group in range(op.groups):
        out[group :: op.groups] = x[group * per_group : (group + 1) * per_group]
    return out
