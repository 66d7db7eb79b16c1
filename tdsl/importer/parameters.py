"""The constant parameters of nodes, read and checked: quantisers, shapes, axes, slices."""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from tdsl.importer.formulas import Floats, Rounding, rounding_named
from tdsl.importer.model import Array, OnnxNode, as_float
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Const

MOST_BITS = 32


def is_quant(node: OnnxNode) -> bool:
    """Whether the node is QONNX's integer quantiser, under either of its names."""
    return node.custom and node.kind in ("Quant", "IntQuant")


def quant_parameters(
    node: OnnxNode, inputs: Sequence[Array]
) -> tuple[int, int, Rounding, Floats, Floats, bool]:
    """Of a `Quant`: limits, rounding, scale, zero point, and whether it gives two signs.

    `inputs` are the node's, the first one unused. Raises Refusal where they make no integers.
    """
    if len(inputs) < 4:
        raise Refusal("its scale, zero point or bit width is missing", "export the model again")
    scale, zero = positive_scale(inputs[1]), whole_zero(inputs[2])
    bits = bit_width(inputs[3])
    signed, narrow = node.integer("signed", 1), node.integer("narrow", 0)
    low, high = integer_limits(bits, signed=bool(signed), narrow=bool(narrow))
    return low, high, rounding(node, "ROUND"), scale, zero, bits == 1 and bool(signed)


def rounding(node: OnnxNode, default: str) -> Rounding:
    """The rounding mode of a node. Raises Refusal for one that does not exist."""
    name = node.text("rounding_mode", default)
    mode = rounding_named(name)
    if mode is None:
        raise Refusal(
            f"its rounding mode `{name[:40]}` is not known", f"use one of {', '.join(Rounding)}"
        )
    return mode


def integer_limits(bits: int, *, signed: bool, narrow: bool) -> tuple[int, int]:
    """The smallest and largest integer of a quantiser."""
    if not signed:
        return 0, (1 << bits) - (2 if narrow else 1)
    return -(1 << (bits - 1)) + (1 if narrow else 0), (1 << (bits - 1)) - 1


def bit_width(array: Array) -> int:
    """A bit width. Raises Refusal unless it is one whole number from 1 to 32."""
    if array.size == 1:
        bits = float(array.reshape(()))
        if bits == np.floor(bits) and 1 <= bits <= MOST_BITS:
            return int(bits)
    raise Refusal(
        "its bit width is no whole number from 1 to 32", "use one bit width for all channels"
    )


def positive_scale(array: Array) -> Floats:
    """A scale. Raises Refusal unless every number is finite and above 0."""
    scale = as_float(array)
    if scale.size == 0 or not np.isfinite(scale).all() or (scale <= 0).any():
        raise Refusal(
            "its scale is not positive and finite", "export the model with a positive scale"
        )
    return scale


def whole_zero(array: Array) -> Floats:
    """A zero point. Raises Refusal unless every number is whole."""
    zero = as_float(array)
    if zero.size == 0 or not np.isfinite(zero).all() or (zero != np.round(zero)).any():
        raise Refusal("its zero point is no whole number", "quantise with a zero point of 0")
    if np.abs(zero).max() > 1 << 16:
        raise Refusal("its zero point is beyond 16 bits", "quantise with a zero point of 0")
    return zero


def code_limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    """The limits of the integers that `QuantizeLinear` makes. Raises Refusal for other types."""
    if dtype.kind not in "iu" or dtype.itemsize > 2:
        raise Refusal(f"it quantises to {dtype}", "quantise to int8 or uint8")
    return integer_limits(8 * dtype.itemsize, signed=dtype.kind == "i", narrow=False)


def resolved_shape(old: tuple[int, ...], wanted: Array, allow_zero: bool) -> tuple[int, ...]:
    """The shape that `Reshape` asks for, its 0 and -1 filled in. Raises ValueError."""
    sizes = [int(size) for size in np.asarray(wanted).reshape(-1)]
    if not allow_zero:
        sizes = [old[i] if size == 0 else size for i, size in enumerate(sizes)]
    if sizes.count(-1) > 1 or min(sizes, default=0) < -1:
        raise ValueError(f"the shape {sizes} cannot be")
    if -1 in sizes:
        rest = prod(size for size in sizes if size != -1)
        if rest == 0 or prod(old) % rest:
            raise ValueError(f"{old} cannot become {sizes}")
        sizes[sizes.index(-1)] = prod(old) // rest
    if prod(sizes) != prod(old):
        raise ValueError(f"{old} cannot become {sizes}")
    return tuple(sizes)


def resolved_axes(
    node: OnnxNode, inputs: Sequence[Const | None], rank: int, *, added: bool = False
) -> tuple[int, ...]:
    """The axes of `Squeeze`, `Unsqueeze` or a reduction: an attribute, or the second input."""
    axes = node.integers("axes")
    if axes is None and len(inputs) > 1 and inputs[1] is not None:
        axes = tuple(int(axis) for axis in inputs[1].array.reshape(-1))
    axes = axes or ()
    rank += len(axes) if added else 0
    if any(not -rank <= axis < rank for axis in axes):
        raise ValueError(f"axes {list(axes)} of a tensor of {rank} axes")
    return tuple(axis % rank for axis in axes)


def slices(node: OnnxNode, inputs: Sequence[Array | None], rank: int) -> tuple[slice, ...]:
    """What `Slice` takes of each axis: attributes (old) or inputs. Raises ValueError."""
    if node.integers("starts") is not None:
        starts, ends = node.integers("starts") or (), node.integers("ends") or ()
        axes, steps = node.integers("axes"), None
    else:
        lists = [
            None if one is None else tuple(int(item) for item in one.reshape(-1))
            for one in (*inputs[1:5], *(None,) * (5 - len(inputs)))
        ]
        starts, ends, axes, steps = lists[0] or (), lists[1] or (), lists[2], lists[3]
    axes = axes if axes is not None else tuple(range(len(starts)))
    steps = steps if steps is not None else (1,) * len(starts)
    found = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if not -rank <= axis < rank or step == 0:
            raise ValueError(f"axis {axis} of a tensor of {rank} axes")
        # An end before the first element, counting backwards, is far below zero in the file.
        stop = None if step < 0 and end < -(1 << 31) else end
        found[axis] = slice(start, stop, step)
    return tuple(found)


def sliced(node: OnnxNode, arrays: Sequence[Array | None]) -> Array:
    """`Slice` of an array. Raises ValueError."""
    data = arrays[0]
    if data is None:
        raise ValueError("nothing to slice")
    result: Array = data[slices(node, arrays, data.ndim)]
    return result


def constant_input(node: OnnxNode, items: Sequence[object], position: int, what: str) -> Array:
    """The constant at an input. Raises Refusal where it is left out or computed."""
    item = items[position] if position < len(items) else None
    if isinstance(item, Const):
        return item.array
    raise Refusal(f"its {what} is not a constant of the file", f"fold the {what} into a constant")
