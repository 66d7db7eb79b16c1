"""Convolutions, matrices and sums of two tensors -> exact integer sums and what they stand for."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tdsl.importer.emission import Emission
from tdsl.importer.exact import HALF_ULP, common_divisor, multiples_are_floats
from tdsl.importer.formulas import Integers
from tdsl.importer.layouts import laid_out
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import (
    Bordered,
    Const,
    Grid,
    Placed,
    Product,
    Value,
    Window,
    affine,
    magnitude,
    whole,
)
from tdsl.importer.weights import MOST, whole_weights
from tdsl.ir import ops


def convolution(
    e: Emission, x: Value, weights: Const, window: Window, size: tuple[int, int]
) -> Value:
    """`Conv` with constant weights; `size` is that of its image. Raises Refusal."""
    x = laid_out(e, affine(x))
    if len(x.shape) == 1:
        if weights.array.shape[2:] != (1, 1) or any(window.padding) or window.groups != 1:
            raise Refusal(
                "a window on an image that has become a vector",
                "convolve before the global pooling",
            )
        flat = Const(weights.array[..., 0, 0], _grid_pixel(weights))
        done = matrix(e, replace(x, index=x.index.reshape(1, -1)), flat)
        return replace(done, index=done.index.reshape(1, -1, 1, 1))
    node, window = _with_border(e, x, window)
    integers, scale = _grouped_weights(weights, x, window.groups)
    if any(window.padding):
        if any(x.offset):
            raise Refusal(
                "it pads with zeros an input whose integers are moved by an offset",
                "pad before the quantiser, or quantise with a zero point of 0",
            )
        node = e.with_zero(node)
    return _product(x, Product(node, integers, window), scale, (len(integers), *size))


def matrix(e: Emission, x: Value, weights: Const) -> Value:
    """A matrix of constant weights `[out, in]` on a vector, in any order of its elements."""
    x = affine(x)
    if x.index.ndim != 2:
        raise Refusal("it multiplies an image by a matrix", "flatten the image before")
    x, order = _any_order(e, x)
    array = weights.array[:, order]
    grid = weights.grid and replace(
        weights.grid,
        integers=weights.grid.integers[:, order],
        scale=weights.grid.scale[:, order],
    )
    integers, scale = whole_weights(Const(array, grid), x.scale)
    node = e.place(x.source, np.ones(x.channels, np.int64))
    return _product(x, Product(node, integers, None), scale, (len(integers),))


def added(e: Emission, a: Value, b: Value, sign: int) -> Value:
    """a + sign * b, of one shape, brought to a common scale. Raises Refusal."""
    a, b = laid_out(e, affine(a)), laid_out(e, affine(b))
    if a.index.shape != b.index.shape or a.shape != b.shape:
        raise Refusal(
            f"it adds tensors of the shapes {a.index.shape} and {b.index.shape}",
            "add tensors of one shape",
        )
    pairs = list(zip(a.scale, b.scale, strict=True))
    units = tuple(common_divisor(pair) or Fraction(1) for pair in pairs)
    p = _multiples([s for s, _ in pairs], units)
    q = _multiples([s for _, s in pairs], units)
    one, two = _times(e, a, p), _times(e, b, q)
    node = e.add("sum", ops.Add() if sign > 0 else ops.Sub(), one, two)
    ends_a = np.stack([a.low * p, a.high * p])
    ends_b = np.stack([b.low * q, b.high * q]) * sign
    done = replace(
        a,
        source=Placed(node),
        low=ends_a.min(axis=0) + ends_b.min(axis=0),
        high=ends_a.max(axis=0) + ends_b.max(axis=0),
        scale=units,
        offset=tuple(x + sign * y for x, y in zip(a.offset, b.offset, strict=True)),
        noise=a.noise + b.noise,
        index=whole(a.shape) if a.index.shape == (1, *a.shape) else a.index,
    )
    largest = np.maximum(np.abs(done.low), np.abs(done.high))
    sums_exact = not any(done.offset) and all(
        multiples_are_floats(s, int(m)) for s, m in zip(units, largest, strict=True)
    )
    return done if sums_exact else replace(done, noise=done.noise + magnitude(done) * HALF_ULP)


def _grid_pixel(weights: Const) -> Grid | None:
    if weights.grid is None:
        return None
    return Grid(weights.grid.integers[..., 0, 0], weights.grid.scale[..., 0, 0])


def _with_border(e: Emission, x: Value, window: Window) -> tuple[int, Window]:
    """The node that a convolution reads, and its window with a border taken in."""
    if isinstance(x.source, Bordered):
        padding = tuple(a + b for a, b in zip(x.source.padding, window.padding, strict=True))
        top, left, bottom, right = padding
        return x.source.node, replace(window, padding=(top, left, bottom, right))
    return e.place(x.source, np.ones(x.channels, np.int64)), window


def _grouped_weights(
    weights: Const, x: Value, groups: int
) -> tuple[Integers, tuple[Fraction, ...]]:
    """The weights of each group on the channels that it reads."""
    share, inner = len(weights.array) // groups, weights.array.shape[1]
    if len(set(x.scale)) == 1:
        return whole_weights(weights, x.scale[:inner])
    parts = [
        whole_weights(
            _rows(weights, group * share, share), x.scale[group * inner : (group + 1) * inner]
        )
        for group in range(groups)
    ]
    scales = tuple(scale for _, part in parts for scale in part)
    return np.concatenate([integers for integers, _ in parts]), scales


def _rows(weights: Const, start: int, count: int) -> Const:
    rows = slice(start, start + count)
    grid = weights.grid
    cut = None if grid is None else Grid(grid.integers[rows], grid.scale[rows])
    return Const(weights.array[rows], cut)


def _any_order(e: Emission, x: Value) -> tuple[Value, Integers]:
    """A vector in the graph, and for each of its elements the place in the file's vector."""
    size = int(np.prod(x.shape))
    here = x.index.ravel()
    if len(here) == size and len(x.shape) == 3 and len(np.unique(here)) == size:
        order = np.argsort(here)
        return laid_out(e, replace(x, index=whole(x.shape).reshape(1, -1))), order
    return laid_out(e, x), np.arange(len(here))


def _product(
    x: Value, source: Product, scale: tuple[Fraction, ...], shape: tuple[int, ...]
) -> Value:
    weight = source.weight
    groups = source.window.groups if source.window else 1
    padded = source.window is not None and any(source.window.padding)
    share, inner = len(weight) // groups, int(weight.shape[1])
    group: Integers = np.arange(len(weight)) // share
    columns: Integers = np.add.outer(group * inner, np.arange(inner))
    above = np.maximum(weight, 0).reshape(len(weight), inner, -1).sum(axis=2)
    below = np.minimum(weight, 0).reshape(len(weight), inner, -1).sum(axis=2)
    least, most = x.low[columns], x.high[columns]
    if padded:
        least, most = np.minimum(least, 0), np.maximum(most, 0)
    low = (above * least + below * most).sum(axis=1)
    high = (above * most + below * least).sum(axis=1)
    sizes = above - below
    offset = _offsets(x, source, scale, columns, above + below)
    made = Value(source, shape, low, high, scale, offset, np.zeros(len(weight)), whole(shape), ())
    reach = sizes * np.maximum(np.abs(least), np.abs(most))
    return replace(made, noise=_noise(x, made, weight, columns, sizes, reach))


def _offsets(
    x: Value,
    source: Product,
    scale: tuple[Fraction, ...],
    columns: Integers,
    totals: Integers,
) -> tuple[Fraction, ...]:
    """What the offsets of the inputs add up to in each output."""
    if not any(x.offset):
        return (Fraction(0),) * len(scale)
    if any(o and not s for s, o in zip(x.scale, x.offset, strict=True)):
        raise Refusal("a channel of its input is a constant", "leave the constant channel out")
    shares = [o / s if s else Fraction(0) for s, o in zip(x.scale, x.offset, strict=True)]
    found: list[Fraction] = []
    for unit, row, weights in zip(scale, columns.tolist(), totals.tolist(), strict=True):
        terms = [shares[int(c)] * int(w) for c, w in zip(row, weights, strict=True) if w]
        found.append(unit * sum(terms, Fraction(0)))
    return tuple(found)


def _noise(
    x: Value,
    made: Value,
    weight: Integers,
    columns: Integers,
    sizes: Integers,
    reach: Integers,
) -> NDArray[np.float64]:
    """How far float32 sums in any order can lie from the exact ones: (C,)."""
    unit = np.array([abs(float(s)) for s in made.scale])
    largest = reach.sum(axis=1)
    inputs = np.array([abs(float(s)) for s in x.scale])
    inputs = np.where(inputs == 0, 1, inputs)
    carried = (sizes * (x.noise / inputs)[columns]).sum(axis=1) * unit
    terms = np.count_nonzero(weight.reshape(len(weight), -1), axis=1)
    moved = np.array([abs(float(o)) for o in made.offset])
    lost = (terms + 3) * HALF_ULP * (largest * unit + moved)
    exact = [
        o == 0 and multiples_are_floats(s, int(m))
        for s, o, m in zip(made.scale, made.offset, largest, strict=True)
    ]
    noise: NDArray[np.float64] = carried + np.where(exact, 0.0, lost)
    return noise


def _multiples(scales: list[Fraction], units: tuple[Fraction, ...]) -> Integers:
    ratios = [scale / unit for scale, unit in zip(scales, units, strict=True)]
    if any(abs(ratio) > MOST for ratio in ratios):
        raise Refusal(
            "its operands have scales that are no small multiples of one number",
            "give both operands the same quantiser (in Brevitas, share one `QuantIdentity`)",
        )
    return np.array([int(ratio) for ratio in ratios], np.int64)


def _times(e: Emission, value: Value, factors: Integers) -> int:
    """The integers of a value times whole numbers; signs go into weights not yet placed."""
    match value.source:
        case Product(node, weight, window) if (factors != 1).any():
            turned = weight * factors.reshape(-1, *(1,) * (weight.ndim - 1))
            if np.abs(turned).max(initial=0) <= MOST:
                return e.place(Product(node, turned, window), np.ones(len(weight), np.int64))
        case Placed() | Product() | Bordered():
            pass
    return e.scaled(e.place(value.source, np.ones(value.channels, np.int64)), factors)
