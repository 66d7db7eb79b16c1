"""Channels and weights -> terms; and the terms of sums, opposites and multiples of a value."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from tdsl.ir.ops import Conv
from tdsl.lowering.steps import Array, Tensor, Term

Channel = tuple[Tensor, int]
"""One channel of a tensor in memory."""


@dataclass(frozen=True, slots=True)
class Window:
    """How a term walks over its source: the geometry without the weights."""

    stride: tuple[int, int] = (1, 1)
    offset: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    pad: int = 0


def terms_over(channels: tuple[Channel, ...], weights: Array, window: Window) -> tuple[Term, ...]:
    """Terms of `weights` `[out, len(channels), kh, kw]` over channels of one or more tensors.

    A channel of a tensor that occurs twice goes to a second term, so that weights stay ternary.
    """
    return tuple(
        Term(
            tensor,
            _spread(weights, tensor, places),
            window.stride,
            window.offset,
            window.dilation,
            0,
            window.pad,
        )
        for tensor, places in _by_tensor(channels)
    )


def _by_tensor(channels: tuple[Channel, ...]) -> Iterator[tuple[Tensor, dict[int, int]]]:
    groups: list[tuple[Tensor, dict[int, int]]] = []
    for position, (tensor, channel) in enumerate(channels):
        for other, places in groups:
            if other is tensor and channel not in places:
                places[channel] = position
                break
        else:
            groups.append((tensor, {channel: position}))
    yield from groups


def _spread(weights: Array, tensor: Tensor, places: dict[int, int]) -> Array:
    out, _, height, width = weights.shape
    spread = np.zeros((out, tensor.channels, height, width), dtype=np.int64)
    spread[:, list(places)] = weights[:, list(places.values())]
    return spread


def identity(channels: int) -> Array:
    """One-hot weights `[channels, channels, 1, 1]`."""
    return np.eye(channels, dtype=np.int64)[:, :, None, None]


def dense(weight: Array, groups: int) -> Array:
    """Grouped weights `[out, in / groups, kh, kw]` over all inputs, zeros between."""
    out, inner, height, width = weight.shape
    full = np.zeros((out, inner * groups, height, width), dtype=np.int64)
    share = out // groups
    for group in range(groups):
        rows = slice(group * share, (group + 1) * share)
        full[rows, group * inner : (group + 1) * inner] = weight[rows]
    return full


def conv_window(op: Conv) -> Window:
    """The geometry of a convolution."""
    return Window(op.stride, (-op.padding[0], -op.padding[1]), op.dilation, op.pad_value)


def pooled(
    terms: tuple[Term, ...], kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[Term, ...]:
    """The sum of `terms` over windows of `kernel`, `stride` apart."""
    return tuple(
        _moved(term, (y, x), stride)
        for y in range(kernel[0])
        for x in range(kernel[1])
        for term in terms
    )


def _moved(term: Term, position: tuple[int, int], stride: tuple[int, int]) -> Term:
    offset = (
        term.offset[0] + position[0] * term.stride[0],
        term.offset[1] + position[1] * term.stride[1],
    )
    strides = (term.stride[0] * stride[0], term.stride[1] * stride[1])
    return replace(term, offset=offset, stride=strides)


def negated(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of the opposite value."""
    return tuple(replace(term, weights=-term.weights) for term in terms)


def doubled(terms: tuple[Term, ...], amount: int) -> tuple[Term, ...]:
    """The terms of the value shifted left by `amount`."""
    return tuple(replace(term, shift=term.shift + amount) for term in terms)
