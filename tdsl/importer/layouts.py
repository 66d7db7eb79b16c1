"""Where a tensor's elements lie -> the rearrangements of the graph that bring them there.

A value's `index` gives, for each element of the file's tensor, its place in the graph's. A layout
is brought about only by operations that the graph has: flattening, slices of channels, channel and
pixel shuffles. Anything else is refused.
"""

from dataclasses import replace
from math import prod

import numpy as np

from tdsl.importer import steps
from tdsl.importer.emission import Emission
from tdsl.importer.formulas import Floats, Integers
from tdsl.importer.model import Array
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Index, Placed, Value, whole
from tdsl.ir import ops

_AS_IT_IS = "give every axis the order (batch, channels, height, width)"


def laid_out(e: Emission, value: Value) -> Value:
    """The value, its tensor in the graph of the file's own shape and order.

    A vector may stand for an image of one pixel. Raises Refusal where no operation does it.
    """
    here, there = whole(value.shape), value.index
    if np.array_equal(here, there) or _is_pixel(value):
        return value
    if len(value.shape) == 3 and there.ndim == 2 and _same_order(here, there):
        return _moved(e, value, ops.Flatten(), "flat", (prod(value.shape),))
    if len(value.shape) == 1 and there.ndim == 2:
        return _of_channels(e, value, here, there)
    if len(value.shape) == 3 and there.ndim == 4:
        if there.shape[2:] == value.shape[1:]:
            return _of_channels(e, value, here, there)
        return _of_pixels(e, value, here, there)
    raise _unlaid(value)


def per_channel(value: Value, constant: Array) -> Floats:
    """A constant that is combined with the file's tensor, one number for each channel: (C,).

    Raises Refusal where it does not fit, or differs inside a channel.
    """
    if constant.size == 1:
        return np.full(value.channels, constant.reshape(())[()], np.float32)
    try:
        spread = np.broadcast_to(constant, value.index.shape)
    except ValueError:
        raise Refusal(
            f"a constant of shape {constant.shape} does not fit a tensor of shape "
            f"{value.index.shape}",
            "give the constant one number a channel",
        ) from None
    rows = spread[0].reshape(spread.shape[1] if spread.ndim > 1 else 1, -1)
    listed: Floats = rows[:, 0].astype(np.float32)
    plain = (1, listed.size, *(1,) * (spread.ndim - 2))
    if constant.shape[-spread.ndim :] in (plain, plain[1:]) and _lies_plainly(value):
        return listed
    low = np.full(value.channels, np.inf, np.float32)
    high = np.full(value.channels, -np.inf, np.float32)
    numbers = spread.astype(np.float32).ravel()
    if np.isnan(numbers).any():
        raise Refusal("its constants are not numbers", "export the model again")
    channel = _channels_of(value.shape, value.index).ravel()
    np.minimum.at(low, channel, numbers)
    np.maximum.at(high, channel, numbers)
    if (low < high).any():
        raise Refusal(
            "its constant differs from pixel to pixel of a channel",
            "give the constant one number a channel",
        )
    covered = np.zeros(value.channels, np.bool_)
    covered[channel] = True
    return np.where(covered, low, np.float32(1))


def taken(value: Value, channels: Integers) -> Value:
    """What is known of the channels, for other channels: new channel i is old `channels[i]`."""
    return replace(
        value,
        low=value.low[channels],
        high=value.high[channels],
        scale=tuple(value.scale[int(c)] for c in channels),
        offset=tuple(value.offset[int(c)] for c in channels),
        noise=value.noise[channels],
        steps=tuple(steps.taken(step, channels) for step in value.steps),
    )


def _channels_of(shape: tuple[int, ...], index: Index) -> Integers:
    return index.astype(np.int64) // max(1, prod(shape[1:]))


def _lies_plainly(value: Value) -> bool:
    """Whether the file's channels are the graph's."""
    return value.index.shape == (1, *value.shape) and np.array_equal(
        value.index, whole(value.shape)
    )


def _is_pixel(value: Value) -> bool:
    """A vector in the place of an image of one pixel."""
    return len(value.shape) == 1 and value.index.shape == (1, *value.shape, 1, 1)


def _same_order(here: Index, there: Index) -> bool:
    return here.size == there.size and np.array_equal(here.ravel(), there.ravel())


def _moved(e: Emission, value: Value, op: ops.Op, stem: str, shape: tuple[int, ...]) -> Value:
    """The value after a rearrangement that gives `shape`, in the file's order."""
    node = e.place(value.source, np.ones(value.channels, np.int64))
    node = e.add(stem, op, node)
    # Channels that come together in one have to stand for numbers alike.
    old = _channels_of(value.shape, value.index).reshape(shape[0], -1)
    if (old != old[:, :1]).any():
        _require_alike(value)
        low, high = value.low[old].min(axis=1), value.high[old].max(axis=1)
        noise = value.noise[old].max(axis=1)
        known = replace(taken(value, old[:, 0]), low=low, high=high, noise=noise)
    else:
        known = taken(value, old[:, 0])
    return replace(known, source=Placed(node), shape=shape, index=whole(shape))


def _require_alike(value: Value) -> None:
    if len(set(zip(value.scale, value.offset, strict=True))) > 1 or value.steps:
        raise Refusal(
            "it mixes channels of different scales",
            "give the quantiser before it one scale for all channels",
        )


def _of_channels(e: Emission, value: Value, here: Index, there: Index) -> Value:
    """Some of the channels, or all in another order."""
    first = there.reshape(there.shape[1], -1)[:, 0] // max(1, prod(value.shape[1:]))
    if not np.array_equal(here[0][first][None], there):
        raise _unlaid(value)
    shape = (len(first), *value.shape[1:])
    start = int(first[0])
    if np.array_equal(first, np.arange(start, start + len(first))):
        return _moved(e, value, ops.Slice(start, start + len(first)), "part", shape)
    for groups in range(2, len(first)):
        if len(first) == value.channels and len(first) % groups == 0:
            shuffled = np.arange(len(first)).reshape(groups, -1).T.ravel()
            if np.array_equal(first, shuffled):
                return _moved(e, value, ops.ChannelShuffle(groups), "shuffle", shape)
    raise _unlaid(value)


def _of_pixels(e: Emission, value: Value, here: Index, there: Index) -> Value:
    """A pixel shuffle; where the file has the channels in the other order, they change places."""
    channels, height, width = there.shape[1:]
    rows, columns = value.shape[1:]
    factor = height // rows
    if (
        factor < 2
        or there.size != here.size
        or (height, width) != (rows * factor, columns * factor)
    ):
        raise _unlaid(value)
    if np.array_equal(there, shuffled_pixels(here, factor, blocks_first=False)):
        return _moved(e, value, ops.PixelShuffle(factor), "pixels", there.shape[1:])
    if not np.array_equal(there, shuffled_pixels(here, factor, blocks_first=True)):
        raise _unlaid(value)
    order = np.arange(value.channels).reshape(factor * factor, channels).T.ravel()
    turned = _of_channels(e, replace(value, index=here[:, order]), here, here[:, order])
    pixels = shuffled_pixels(turned.index, factor, blocks_first=False)
    return laid_out(e, replace(turned, index=pixels))


def shuffled_pixels(index: Index, factor: int, *, blocks_first: bool) -> Index:
    """ONNX `DepthToSpace` of an index (1, C f f, H, W): mode DCR if `blocks_first`, else CRD."""
    _, channels, rows, columns = index.shape
    channels //= factor * factor
    if blocks_first:
        blocks = index.reshape(factor, factor, channels, rows, columns).transpose(2, 3, 0, 4, 1)
    else:
        blocks = index.reshape(channels, factor, factor, rows, columns).transpose(0, 3, 1, 4, 2)
    return blocks.reshape(1, channels, rows * factor, columns * factor)


def _unlaid(value: Value) -> Refusal:
    return Refusal(
        f"a tensor of shape {value.index.shape} is wanted in an order that no rearrangement of "
        f"the graph makes from {value.shape}",
        _AS_IT_IS,
    )
