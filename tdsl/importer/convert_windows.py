"""Convolutions, matrices and pooling nodes -> exact sums and maxima of integers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from tdsl.importer.conversion import MOST_ELEMENTS, Conversion, placed, turned
from tdsl.importer.exact import HALF_ULP, multiples_are_floats
from tdsl.importer.layouts import laid_out, per_channel
from tdsl.importer.model import OnnxNode, as_float
from tdsl.importer.parameters import resolved_axes
from tdsl.importer.refusal import Refusal
from tdsl.importer.steps import Multiply, Plus
from tdsl.importer.sums import convolution, matrix
from tdsl.importer.value import (
    Bordered,
    Const,
    Grid,
    Item,
    Placed,
    Value,
    Window,
    affine,
    magnitude,
    whole,
)
from tdsl.importer.weights import whole_weights
from tdsl.ir import ops
from tdsl.ir.ops import PoolKind

_DAMAGED = "export the model again"


@dataclass(frozen=True, slots=True)
class Frame:
    """The windows of a node over an image: how many there are, and the border they need."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int, int, int]
    size: tuple[int, int]
    """Rows and columns of windows."""


def frame(node: OnnxNode, shape: Sequence[int], kernel: tuple[int, int]) -> Frame:
    """The windows of `node` over an image `(1, C, H, W)`. Raises Refusal."""
    stride = _pair(node, "strides", (1, 1))
    dilation = _pair(node, "dilations", (1, 1))
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    before, after = _borders(node, shape[2:], reach, stride)
    ceiling = bool(node.integer("ceil_mode", 0))
    rows, columns = (
        _windows(size + b + a, r, s, ceiling=ceiling)
        for size, b, a, r, s in zip(shape[2:], before, after, reach, stride, strict=True)
    )
    if rows < 1 or columns < 1:
        raise Refusal("its window is larger than the image", "use larger images")
    # Windows that ceil_mode adds reach over the border: it grows, as far as they need.
    needed = [
        (count - 1) * s + r - size - b
        for count, s, r, size, b in zip(
            (rows, columns), stride, reach, shape[2:], before, strict=True
        )
    ]
    after = tuple(max(a, n) if ceiling else a for a, n in zip(after, needed, strict=True))
    padding = (before[0], before[1], after[0], after[1])
    if prod((rows, columns)) > MOST_ELEMENTS or max(padding) > 1 << 15:
        raise Refusal("its result is too large", "use smaller images")
    return Frame(kernel, stride, dilation, padding, (rows, columns))


def conv(c: Conversion, node: OnnxNode) -> Item:
    """`Conv` with constant weights and an optional bias."""
    x = _image(c, node)
    weights = c.item(node, 1)
    if not isinstance(weights, Const):
        raise Refusal("its weights are computed", "fold the weights into constants")
    shape = weights.array.shape
    if len(shape) != 4 or 0 in shape:
        raise Refusal(f"its weights have shape {shape}", "use convolutions of two dimensions")
    kernel = (shape[2], shape[3])
    groups = node.integer("group", 1)
    if node.integers("kernel_shape") not in (None, kernel):
        raise Refusal("its kernel is not that of its weights", _DAMAGED)
    channels = x.index.shape[1]
    if groups < 1 or shape[0] % groups or channels != shape[1] * groups:
        raise Refusal(f"weights {shape} do not fit {channels} channels", _DAMAGED)
    seen = frame(node, x.index.shape, kernel)
    window = Window(seen.stride, seen.padding, seen.dilation, groups)
    done = convolution(c.e, x, weights, window, seen.size)
    return _with_bias(c, node, done)


def judge_weights(c: Conversion, node: OnnxNode) -> None:
    """Raise Refusal if the weights of a convolution or matrix are no few-bit integers."""
    weights = c.items[node.inputs[1]] if node.has_input(1) else None
    if not isinstance(weights, Const) or weights.array.ndim < 2 or not weights.array.size:
        return
    if node.kind == "MatMul" or (node.kind == "Gemm" and not node.integer("transB", 0)):
        weights = _transposed(weights)
    whole_weights(weights, [Fraction(1)] * weights.array.shape[1])


def gemm(c: Conversion, node: OnnxNode) -> Item:
    """`Gemm` of a vector and a constant matrix."""
    x = c.value(node)
    if node.integer("transA", 0):
        raise Refusal("it transposes its input", "flatten the input to (1, features)")
    weights = _matrix_weights(c, node)
    if not node.integer("transB", 0):
        weights = _transposed(weights)
    done = _checked_matrix(c, x, weights)
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    if alpha != 1.0:
        done = done.then(Multiply(np.full(done.channels, alpha, np.float32)))
    return _with_bias(c, node, done, beta)


def matmul(c: Conversion, node: OnnxNode) -> Item:
    """`MatMul` of a vector and a constant matrix."""
    x = c.value(node)
    return _checked_matrix(c, x, _transposed(_matrix_weights(c, node)))


def max_pool(c: Conversion, node: OnnxNode) -> Item:
    """`MaxPool`; borders only where no integer is below 0."""
    x = turned(c.e, laid_out(c.e, _image(c, node)))
    if len(node.outputs) > 1 and node.outputs[1]:
        raise Refusal("it gives the indices of its maxima", "leave the second output out")
    seen = frame(node, x.index.shape, _kernel(node))
    if seen.dilation != (1, 1):
        raise Refusal("its windows are dilated", "use a dilation of 1")
    if any(seen.padding):
        if x.low.min() < 0:
            raise Refusal(
                "its border can win: its input has negative integers",
                "pool without padding, or after an unsigned quantiser",
            )
        x = _bordered(c, x, seen)
    return _pooled(c, x, ops.Pool(PoolKind.MAX, seen.kernel, seen.stride), seen)


def average_pool(c: Conversion, node: OnnxNode) -> Item:
    """`AveragePool`: the sum of the integers; the division goes into their scale."""
    x = placed(c.e, laid_out(c.e, affine(_image(c, node))))
    seen = frame(node, x.index.shape, _kernel(node))
    if seen.dilation != (1, 1):
        raise Refusal("its windows are dilated", "use a dilation of 1")
    if any(seen.padding):
        if not node.integer("count_include_pad", 0) or node.integer("ceil_mode", 0):
            raise Refusal(
                "its windows at the border count fewer pixels",
                "pool without padding, or set `count_include_pad`",
            )
        if any(x.offset):
            raise Refusal("it pads integers moved by an offset", "use a zero point of 0")
        x = _bordered(c, x, seen)
        x = replace(x, low=np.minimum(x.low, 0), high=np.maximum(x.high, 0))
    pool = ops.Pool(PoolKind.SUM, seen.kernel, seen.stride)
    return _averaged(_pooled(c, x, pool, seen), prod(seen.kernel))


def global_average(c: Conversion, node: OnnxNode) -> Item:
    """`GlobalAveragePool`, and `ReduceMean` or `ReduceSum` over height and width."""
    x = placed(c.e, laid_out(c.e, affine(_image(c, node))))
    if len(x.shape) == 1:
        return x
    keep = True
    if node.kind in ("ReduceMean", "ReduceSum"):
        items = [c.items[name] if name else None for name in node.inputs]
        constants = [item if isinstance(item, Const) else None for item in items]
        axes = resolved_axes(node, constants, 4)
        if sorted(axes) != [2, 3]:
            raise Refusal(f"it reduces axes {list(axes)}", "reduce height and width")
        keep = bool(node.integer("keepdims", 1))
    area = prod(x.shape[1:])
    assert isinstance(x.source, Placed)
    total = c.e.add("total", ops.GlobalPool(PoolKind.SUM), x.source.node)
    index = whole((x.channels,))
    done = replace(
        x,
        source=Placed(total),
        shape=(x.channels,),
        index=index.reshape(1, -1, 1, 1) if keep else index,
    )
    return _averaged(done, area, divide=node.kind != "ReduceSum")


def global_max(c: Conversion, node: OnnxNode) -> Item:
    """`GlobalMaxPool`."""
    x = turned(c.e, laid_out(c.e, _image(c, node)))
    if len(x.shape) == 1:
        return x
    assert isinstance(x.source, Placed)
    largest = c.e.add("largest", ops.GlobalPool(PoolKind.MAX), x.source.node)
    index = whole((x.channels,)).reshape(1, -1, 1, 1)
    return replace(x, source=Placed(largest), shape=(x.channels,), index=index)


def pad(c: Conversion, node: OnnxNode) -> Item:
    """`Pad` with zeros around the image: a following convolution takes it in."""
    x = placed(c.e, laid_out(c.e, affine(_image(c, node))))
    if node.text("mode", "constant") != "constant":
        raise Refusal("it pads by other pixels of the image", "pad with zeros")
    if node.has_input(3):
        raise Refusal("it pads chosen axes", "pad all four axes: (0, 0, top, left, 0, 0, ...)")
    filler = node.number("value", 0.0)
    if node.has_input(2):
        filler = float(np.asarray(c.constant(node, 2, "value")).reshape(-1)[0])
    pads = node.integers("pads")
    if pads is None:
        pads = tuple(int(one) for one in c.constant(node, 1, "pads").reshape(-1))
    if len(pads) != 8 or any(pads[i] for i in (0, 1, 4, 5)) or min(pads) < 0:
        raise Refusal(f"it pads by {list(pads)}", "pad height and width, by 0 or more")
    if filler != 0 or any(x.offset):
        raise Refusal("its border is not the integer 0", "pad with zeros, before any bias")
    padding = (pads[2], pads[3], pads[6], pads[7])
    return _with_padding(x, padding)


def _with_padding(x: Value, padding: tuple[int, int, int, int]) -> Value:
    assert isinstance(x.source, Placed)
    channels, height, width = x.shape
    top, left, bottom, right = padding
    shape = (channels, height + top + bottom, width + left + right)
    if prod(shape) > MOST_ELEMENTS:
        raise Refusal("its result is too large", "use smaller images")
    return replace(
        x,
        source=Bordered(x.source.node, padding),
        shape=shape,
        index=whole(shape),
        low=np.minimum(x.low, 0),
        high=np.maximum(x.high, 0),
    )


def _bordered(c: Conversion, x: Value, seen: Frame) -> Value:
    return placed(c.e, _with_padding(x, seen.padding))


def _pooled(c: Conversion, x: Value, pool: ops.Pool, seen: Frame) -> Value:
    assert isinstance(x.source, Placed)
    node = x.source.node
    if (pool.kernel, pool.stride) != ((1, 1), (1, 1)):
        node = c.e.add("pool", pool, node)
    shape = (x.channels, *seen.size)
    return replace(x, source=Placed(node), shape=shape, index=whole(shape))


def _averaged(x: Value, area: int, *, divide: bool = True) -> Value:
    """The sum of `area` integers as their average: a smaller scale, or the sum itself."""
    low, high = x.low * area, x.high * area
    share = Fraction(1, area) if divide else Fraction(1)
    done = replace(
        x,
        low=low,
        high=high,
        scale=tuple(s * share for s in x.scale),
        offset=x.offset if divide else tuple(o * area for o in x.offset),
        noise=x.noise if divide else x.noise * area,
    )
    largest = np.maximum(np.abs(low), np.abs(high))
    sums_exact = not any(x.offset) and all(
        multiples_are_floats(s, int(m)) for s, m in zip(x.scale, largest, strict=True)
    )
    # One division of an exact sum is the correctly rounded average, as the fold begins with.
    if sums_exact:
        return done
    return replace(done, noise=done.noise + magnitude(done) * (area + 2) * HALF_ULP)


def _image(c: Conversion, node: OnnxNode) -> Value:
    x = c.value(node)
    if x.index.ndim != 4 or x.index.shape[0] != 1:
        raise Refusal(
            f"its input has shape {x.index.shape}, not (1, channels, height, width)",
            "use images of two dimensions and a batch of 1",
        )
    return x


def _kernel(node: OnnxNode) -> tuple[int, int]:
    kernel = node.integers("kernel_shape") or ()
    if len(kernel) != 2 or min(kernel) < 1 or max(kernel) > 1 << 12:
        raise Refusal(f"its kernel is {list(kernel)}", "use windows of two dimensions")
    return (kernel[0], kernel[1])


def _pair(node: OnnxNode, name: str, default: tuple[int, int]) -> tuple[int, int]:
    values = node.integers(name) or default
    if len(values) != 2 or min(values) < 1 or max(values) > 1 << 12:
        raise Refusal(f"its {name} are {list(values)}", "use windows of two dimensions")
    return (values[0], values[1])


def _borders(
    node: OnnxNode, sizes: Sequence[int], reach: Sequence[int], stride: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The pixels before and after, by `pads` or `auto_pad`."""
    automatic = node.text("auto_pad", "NOTSET")
    match automatic:
        case "NOTSET" | "":
            pads = node.integers("pads") or (0, 0, 0, 0)
            if len(pads) != 4 or min(pads) < 0:
                raise Refusal(f"its pads are {list(pads)}", "use four pads of 0 or more")
            return pads[:2], pads[2:]
        case "VALID":
            return (0, 0), (0, 0)
        case "SAME_UPPER" | "SAME_LOWER":
            totals = [
                max(0, (-(-size // s) - 1) * s + r - size)
                for size, s, r in zip(sizes, stride, reach, strict=True)
            ]
            half, rest = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
            return (half, rest) if automatic == "SAME_UPPER" else (rest, half)
        case _:
            raise Refusal(f"its auto_pad is `{automatic[:20]}`", _DAMAGED)


def _windows(size: int, reach: int, stride: int, *, ceiling: bool) -> int:
    if size < reach:
        return 0
    return (-(-(size - reach) // stride) if ceiling else (size - reach) // stride) + 1


def _matrix_weights(c: Conversion, node: OnnxNode) -> Const:
    weights = c.item(node, 1)
    if not isinstance(weights, Const):
        raise Refusal("it multiplies two computed tensors", "only constant weights are possible")
    if weights.array.ndim != 2 or 0 in weights.array.shape:
        raise Refusal(f"its weights have shape {weights.array.shape}", "use a matrix")
    return weights


def _transposed(weights: Const) -> Const:
    grid = weights.grid and Grid(weights.grid.integers.T, weights.grid.scale.T)
    return Const(weights.array.T, grid)


def _checked_matrix(c: Conversion, x: Value, weights: Const) -> Value:
    if x.index.ndim != 2 or x.index.shape[0] != 1 or x.index.shape[1] != weights.array.shape[1]:
        raise Refusal(
            f"a matrix {weights.array.shape} does not fit an input of shape {x.index.shape}",
            "flatten the input to (1, features)",
        )
    return matrix(c.e, x, weights)


def _with_bias(c: Conversion, node: OnnxNode, done: Value, factor: float = 1.0) -> Value:
    if not node.has_input(2):
        return done
    bias = as_float(c.constant(node, 2, "bias"))
    if bias.ndim == 1 and done.index.ndim == 4:
        bias = bias.reshape(-1, 1, 1)
    numbers = per_channel(done, bias)
    if factor != 1.0:
        numbers = numbers * np.float32(factor)
    return done.then(Plus(numbers)) if numbers.any() else done
