"""Nodes that move values and compute nothing -> indices moved, or rearrangements of the graph."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, prod

import numpy as np

from tdsl.importer.conversion import MOST_ELEMENTS, Conversion, placed, turned
from tdsl.importer.layouts import laid_out, shuffled_pixels
from tdsl.importer.model import OnnxNode
from tdsl.importer.parameters import resolved_axes, resolved_shape, slices
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Const, Index, Item, Outside, Placed, Unknown, Value, affine, whole
from tdsl.ir import ops

_DAMAGED = "export the model again"


def shape_of(c: Conversion, node: OnnxNode) -> Item:
    """`Shape` of a tensor: its sizes are known."""
    item = c.item(node, 0)
    shape = item.shape if isinstance(item, Outside) else c.settled(item).index.shape
    dims = np.array(shape, np.int64)
    return Const(dims[node.integer("start", 0) : node.integer("end", len(dims))])


def reshape(c: Conversion, node: OnnxNode) -> Item:
    """`Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`."""
    x = _known(c, node)
    old = x.shape if isinstance(x, Outside) else x.index.shape
    try:
        shape = _new_shape(c, node, old)
    except (ValueError, IndexError) as error:
        raise Refusal(f"its shape does not fit: {error}", _DAMAGED) from error
    if isinstance(x, Outside):
        return replace(x, shape=shape, host=(*x.host, node.place))
    return replace(x, index=x.index.reshape(shape))


def transpose(c: Conversion, node: OnnxNode) -> Item:
    """`Transpose`: of an input, it says in which order the network takes it."""
    item = c.item(node, 0)
    x = item if isinstance(item, Outside) else c.settled(item)
    rank = len(x.shape) if isinstance(x, Outside) else x.index.ndim
    axes = node.integers("perm") or tuple(reversed(range(rank)))
    if sorted(axes) != list(range(rank)):
        raise Refusal(f"its axes are {list(axes)}", _DAMAGED)
    if isinstance(x, Outside):
        moved = tuple(x.shape[axis] for axis in axes)
        # Later steps see another tensor: the host hands over the transposed one.
        return Outside(x.name, node.outputs[0], moved, x.declared, (*x.host, node.place))
    return replace(x, index=x.index.transpose(axes))


def depth_to_space(c: Conversion, node: OnnxNode) -> Item:
    """`DepthToSpace` in both of its modes."""
    x = c.value(node)
    factor = node.integer("blocksize", 0)
    mode = node.text("mode", "DCR")
    fits = x.index.ndim == 4 and factor >= 1 and x.index.shape[1] % factor**2 == 0
    if not fits or mode not in ("DCR", "CRD"):
        raise Refusal("its blocks do not fit its channels", _DAMAGED)
    if factor == 1:
        return x
    return replace(x, index=shuffled_pixels(x.index, factor, blocks_first=mode == "DCR"))


def concat(c: Conversion, node: OnnxNode) -> Item:
    """`Concat` of channels."""
    values = [affine(c.value(node, i)) for i in range(len(node.inputs))]
    rank = values[0].index.ndim
    axis = node.integer("axis", 1)
    if axis not in (1, 1 - rank):
        raise Refusal(f"it joins axis {axis}", "join channels: axis 1")
    values = [placed(c.e, laid_out(c.e, value)) for value in values]
    if any(v.index.shape[2:] != values[0].index.shape[2:] or v.index.ndim != rank for v in values):
        raise Refusal("it joins tensors of different sizes", "join tensors of one height and width")
    if len({len(v.shape) for v in values}) > 1:
        raise Refusal("it joins vectors and images", "join before the global pooling")
    nodes = [v.source.node for v in values if isinstance(v.source, Placed)]
    joined = c.e.add("join", ops.Concat(), *nodes) if len(nodes) > 1 else nodes[0]
    shape = (sum(v.channels for v in values), *values[0].shape[1:])
    return Value(
        Placed(joined),
        shape,
        np.concatenate([v.low for v in values]),
        np.concatenate([v.high for v in values]),
        tuple(s for v in values for s in v.scale),
        tuple(o for v in values for o in v.offset),
        np.concatenate([v.noise for v in values]),
        whole(shape).reshape(1, shape[0], *values[0].index.shape[2:]),
    )


def cut(c: Conversion, node: OnnxNode) -> Item:
    """`Slice` of channels, or of anything whose order a later node restores."""
    x = c.value(node)
    lists = [
        c.constant(node, i, "range") if node.has_input(i) else None
        for i in range(1, len(node.inputs))
    ]
    try:
        found = slices(node, [None, *lists], x.index.ndim)
    except ValueError as error:
        raise Refusal(f"its range does not fit: {error}", _DAMAGED) from error
    return _part(x, x.index[found])


def split(c: Conversion, node: OnnxNode) -> tuple[Item, ...]:
    """`Split` of channels."""
    x = c.value(node)
    axis = node.integer("axis", 0)
    if not -x.index.ndim <= axis < x.index.ndim:
        raise Refusal(f"it splits axis {axis}", _DAMAGED)
    size, count = x.index.shape[axis], len(node.outputs)
    sizes = node.integers("split")
    if node.has_input(1):
        sizes = tuple(int(one) for one in c.constant(node, 1, "sizes").reshape(-1))
    if sizes is None:
        share = -(-size // count)
        sizes = (*(share,) * (count - 1), size - share * (count - 1))
    if sum(sizes) != size or len(sizes) != count or min(sizes) < 1:
        raise Refusal(f"it splits {size} into {list(sizes)}", _DAMAGED)
    parts = np.split(x.index, np.cumsum(sizes)[:-1], axis)
    return tuple(_part(x, part) for part in parts)


def resize(c: Conversion, node: OnnxNode) -> Item:
    """`Resize` and `Upsample`: repetition of pixels by a whole factor."""
    x = c.value(node)
    if x.index.ndim != 4:
        raise Refusal("it resizes something that is no image", "resize images")
    if node.text("mode", "nearest") != "nearest":
        raise Refusal("it interpolates", "resize by `nearest`, or shuffle pixels")
    factors = _factors(c, node, x.index.shape)
    if (
        factors[0] != 1
        or factors[1] != 1
        or factors[2] != factors[3]
        or factors[2].denominator != 1
    ):
        told = ", ".join(map(str, factors))
        raise Refusal(f"it resizes by ({told})", "use one whole factor for height and width")
    factor = int(factors[2])
    if prod(x.index.shape) * factor * factor > MOST_ELEMENTS:
        raise Refusal("its result is too large", "use smaller images")
    for size in x.index.shape[2:]:
        if any(_nearest(node, i, size, factor) != i // factor for i in range(size * factor)):
            raise Refusal(
                "it rounds coordinates in a way that repeats some pixels more than others",
                "use `coordinate_transformation_mode = asymmetric` with `nearest_mode = floor`",
            )
    if factor == 1:
        return x
    x = placed(c.e, laid_out(c.e, x))
    assert isinstance(x.source, Placed)
    if len(x.shape) == 1:
        raise Refusal("it enlarges a vector", "resize before the global pooling")
    node_up = c.e.add("up", ops.Upsample(factor), x.source.node)
    shape = (x.channels, x.shape[1] * factor, x.shape[2] * factor)
    return replace(x, source=Placed(node_up), shape=shape, index=whole(shape))


def argmax(c: Conversion, node: OnnxNode) -> tuple[Item, ...]:
    """`ArgMax` and `TopK` with k = 1: the index of the largest of a vector."""
    x = turned(c.e, laid_out(c.e, affine(c.value(node))))
    top = node.kind == "TopK"
    axis = node.integer("axis", -1 if top else 0)
    if x.index.ndim != 2 or axis not in (1, -1) or len(x.shape) != 1:
        raise Refusal("it is not over the features of a vector", "flatten to (1, features) before")
    if top:
        k = c.constant(node, 1, "k").reshape(-1)
        if len(k) != 1 or int(k[0]) != 1 or not node.integer("largest", 1):
            raise Refusal("it takes more than the largest", "leave it out: sort the scores outside")
    if node.integer("select_last_index", 0):
        raise Refusal("it takes the last of equals", "set `select_last_index` to 0")
    if len(set(zip(x.scale, x.offset, strict=True))) > 1:
        raise Refusal(
            "its operands have different scales or biases, so integers do not rank them",
            "leave it out: the scores are given with their scales",
        )
    assert isinstance(x.source, Placed)
    best = c.e.add("best", ops.Argmax(), x.source.node)
    keep = top or bool(node.integer("keepdims", 1))
    index = whole((1,))
    value = Value(
        Placed(best),
        (1,),
        np.zeros(1, np.int64),
        np.full(1, x.channels - 1),
        (Fraction(1),),
        (Fraction(0),),
        np.zeros(1),
        index if keep else index.reshape(1),
    )
    return (Unknown(), value) if top else (value,)


def _known(c: Conversion, node: OnnxNode) -> Value | Outside:
    item = c.item(node, 0)
    if isinstance(item, Outside) and item.declared is None:
        return item
    return c.settled(item)


def _new_shape(c: Conversion, node: OnnxNode, old: tuple[int, ...]) -> tuple[int, ...]:
    match node.kind:
        case "Reshape":
            if node.integers("shape") is not None:
                wanted = np.array(node.integers("shape"))
            else:
                wanted = c.constant(node, 1, "shape")
            return resolved_shape(old, wanted, bool(node.integer("allowzero", 0)))
        case "Flatten":
            axis = node.integer("axis", 1)
            if not -len(old) <= axis <= len(old):
                raise ValueError(f"axis {axis}")
            axis = axis + len(old) if axis < 0 else axis
            return (prod(old[:axis]), prod(old[axis:]))
        case "Squeeze":
            axes = resolved_axes(node, _constants(c, node), len(old))
            axes = axes or tuple(i for i, size in enumerate(old) if size == 1)
            if any(old[axis] != 1 for axis in axes):
                raise ValueError(f"axes {list(axes)} of {old}")
            return tuple(size for i, size in enumerate(old) if i not in axes)
        case _:
            axes = resolved_axes(node, _constants(c, node), len(old), added=True)
            rest = iter(old)
            return tuple(1 if i in axes else next(rest) for i in range(len(old) + len(set(axes))))


def _constants(c: Conversion, node: OnnxNode) -> list[Const | None]:
    items = [c.items[name] if name else None for name in node.inputs]
    return [item if isinstance(item, Const) else None for item in items]


def _part(x: Value, index: Index) -> Value:
    if not index.size:
        raise Refusal("it takes nothing", _DAMAGED)
    return replace(x, index=index)


def _factors(c: Conversion, node: OnnxNode, shape: Sequence[int]) -> tuple[Fraction, ...]:
    """The factor of each axis, by `scales` or `sizes`."""
    if node.integers("axes") is not None:
        raise Refusal("it resizes chosen axes", "give scales for all four axes")
    scales = node.attributes.get("scales")
    for position in (1, 2) if node.kind == "Resize" else (1,):
        if node.has_input(position):
            array = c.constant(node, position, "scales").reshape(-1)
            if len(array) == len(shape):
                scales = tuple(float(one) for one in array)
    if node.has_input(3):
        sizes = c.constant(node, 3, "sizes").reshape(-1)
        if len(sizes) == len(shape):
            return tuple(Fraction(int(b), a) for a, b in zip(shape, sizes, strict=True))
    if not isinstance(scales, tuple) or len(scales) != len(shape):
        raise Refusal("its scales do not fit", "give scales for all four axes")
    if not all(np.isfinite(scale) and scale > 0 for scale in scales):
        raise Refusal("its scales are not positive and finite", _DAMAGED)
    return tuple(Fraction(float(scale)) for scale in scales)


def _nearest(node: OnnxNode, place: int, size: int, factor: int) -> int:
    """The pixel that ONNX takes for the output pixel `place`, by the definition, exactly."""
    mode = node.text("coordinate_transformation_mode", "half_pixel")
    if node.kind == "Upsample":
        mode, rounding = "asymmetric", "floor"
    else:
        rounding = node.text("nearest_mode", "round_prefer_floor")
    long = size * factor
    match mode:
        case "asymmetric":
            at = Fraction(place, factor)
        case "half_pixel" | "half_pixel_symmetric":
            at = (place + Fraction(1, 2)) / factor - Fraction(1, 2)
        case "pytorch_half_pixel":
            at = (place + Fraction(1, 2)) / factor - Fraction(1, 2) if long > 1 else Fraction(0)
        case "align_corners":
            at = Fraction(place * (size - 1), long - 1) if long > 1 else Fraction(0)
        case _:
            raise Refusal(f"its coordinates are `{mode[:30]}`", "use `asymmetric`")
    half = Fraction(1, 2)
    match rounding:
        case "floor":
            found = floor(at)
        case "ceil":
            found = ceil(at)
        case "round_prefer_floor":
            found = ceil(at - half)
        case "round_prefer_ceil":
            found = floor(at + half)
        case _:
            raise Refusal(f"its nearest_mode is `{rounding[:30]}`", "use `floor`")
    return min(max(found, 0), size - 1)
