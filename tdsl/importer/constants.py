"""Nodes whose inputs are all known -> their results, in NumPy: shape arithmetic and weights.

Only a closed set of operations is folded, and no result is made that is larger than an array of
the file may be.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from tdsl.importer import formulas
from tdsl.importer.model import Array, OnnxNode, as_float
from tdsl.importer.parameters import (
    code_limits,
    is_quant,
    positive_scale,
    quant_parameters,
    resolved_axes,
    resolved_shape,
    sliced,
)
from tdsl.importer.refusal import Refusal
from tdsl.importer.value import Const, Grid

MOST_ELEMENTS = 1 << 26


def folded(node: OnnxNode, inputs: Sequence[Const | None], opset: int) -> Const:
    """The result of a node on constants. Raises Refusal where it is not known or damaged."""
    try:
        with np.errstate(all="ignore"):
            return _folded(node, inputs, opset)
    except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError) as error:
        raise Refusal(
            f"its constant inputs do not fit it: {str(error).splitlines()[0]}",
            "export the model again; the node is damaged",
        ) from error


def _folded(node: OnnxNode, inputs: Sequence[Const | None], opset: int) -> Const:
    given = [one for one in inputs if one is not None]
    if is_quant(node):
        return _quant(node, given)
    if node.custom:
        if node.kind == "BipolarQuant" and len(given) == 2:
            signs = formulas.bipolar(_finite(as_float(given[0].array)))
            return _on_grid(signs, positive_scale(given[1].array))
        raise _unknown(node)
    match node.kind:
        case "DequantizeLinear":
            return _dequantised(node, given)
        case "Transpose":
            axes = node.integers("perm") or tuple(reversed(range(given[0].array.ndim)))
            return _rearranged(given[0], lambda a: a.transpose(axes))
        case "Reshape":
            shape = resolved_shape(
                given[0].array.shape, given[1].array, bool(node.integer("allowzero", 0))
            )
            return _rearranged(given[0], lambda a: a.reshape(shape))
        case "Flatten":
            axis = node.integer("axis", 1)
            lead = prod(given[0].array.shape[:axis])
            return _rearranged(given[0], lambda a: a.reshape(lead, -1))
        case "Unsqueeze":
            axes = resolved_axes(node, given, given[0].array.ndim, added=True)
            return _rearranged(given[0], lambda a: np.expand_dims(a, axes))
        case "Squeeze":
            axes = resolved_axes(node, given, given[0].array.ndim)
            return _rearranged(given[0], lambda a: np.squeeze(a, axes or None))
        case "Identity":
            return given[0]
        case "Constant":
            return Const(_constant(node))
        case "Concat" if len(given) == len(inputs):
            return Const(np.concatenate([one.array for one in given], node.integer("axis", 0)))
        case _:
            return Const(_computed(node, [one.array if one else None for one in inputs]))


def _computed(node: OnnxNode, arrays: Sequence[Array | None]) -> Array:
    given = [one for one in arrays if one is not None]
    simple = _SIMPLE.get(node.kind)
    if simple is not None and len(given) == len(arrays):
        count, operation = simple
        if count == len(given):
            _check_size(np.broadcast_shapes(*(one.shape for one in given)))
            return np.asarray(operation(*given))
    match node.kind:
        case "Shape":
            dims = np.array(given[0].shape, np.int64)
            return dims[node.integer("start", 0) : node.integer("end", len(dims))]
        case "Size":
            return np.array(given[0].size, np.int64)
        case "Gather":
            data, indices = given
            _check_size((*data.shape, indices.size))
            return np.take(data, indices.astype(np.int64), axis=node.integer("axis", 0))
        case "Slice":
            return sliced(node, arrays)
        case "Cast":
            return _cast(node, given[0])
        case "ConstantOfShape":
            shape = tuple(int(size) for size in given[0])
            _check_size(shape)
            value = node.attributes.get("value", np.zeros(1, np.float32))
            return np.full(shape, np.asarray(value).reshape(-1)[0])
        case "Expand":
            shape = np.broadcast_shapes(given[0].shape, tuple(int(size) for size in given[1]))
            _check_size(shape)
            return np.broadcast_to(given[0], shape)
        case "Range":
            start, stop, step = (one.item() for one in given)
            _check_size((max(0, int((stop - start) / step) + 1),))
            return np.arange(start, stop, step, dtype=given[0].dtype)
        case "ReduceProd":
            axes = node.integers("axes")
            keep = bool(node.integer("keepdims", 1))
            return np.asarray(given[0].prod(axis=axes, keepdims=keep))
        case "Clip":
            low = arrays[1] if len(arrays) > 1 else node.number("min", -np.inf)
            high = arrays[2] if len(arrays) > 2 else node.number("max", np.inf)
            return np.asarray(np.clip(given[0], low, high)).astype(given[0].dtype)
        case "QuantizeLinear":
            return _quantised(node, given)
        case _:
            raise _unknown(node)


def _quant(node: OnnxNode, given: Sequence[Const]) -> Const:
    """`Quant` of weights: their integers stay known beside the floats."""
    x = _finite(as_float(given[0].array))
    low, high, mode, scale, zero, two_signs = quant_parameters(node, [one.array for one in given])
    _check_size(np.broadcast_shapes(x.shape, scale.shape, zero.shape))
    if two_signs:
        return _on_grid(formulas.bipolar((x / scale + zero).astype(np.float32)), scale)
    integers, _ = formulas.quant(x, scale, zero, low, high, mode)
    return _on_grid(integers - zero.astype(np.int64), scale)


def _on_grid(integers: formulas.Integers, scale: formulas.Floats) -> Const:
    spread = np.broadcast_to(scale, integers.shape)
    return Const((integers.astype(np.float32) * scale).astype(np.float32), Grid(integers, spread))


def _dequantised(node: OnnxNode, given: Sequence[Const]) -> Const:
    codes = given[0].array
    axis = node.integer("axis", 1)
    scale = along_axis(positive_scale(given[1].array), codes.ndim, axis)
    zero = along_axis(given[2].array, codes.ndim, axis) if len(given) > 2 else np.array(0)
    return _on_grid(codes.astype(np.int64) - zero.astype(np.int64), scale)


def _quantised(node: OnnxNode, given: Sequence[Array]) -> Array:
    axis = node.integer("axis", 1)
    scale = along_axis(positive_scale(given[1]), given[0].ndim, axis)
    zero = given[2] if len(given) > 2 else np.array(0, np.uint8)
    low, high = code_limits(zero.dtype)
    moved = along_axis(as_float(zero), given[0].ndim, axis)
    return formulas.quantize_linear(_finite(as_float(given[0])), scale, moved, low, high)[0]


def _finite(values: formulas.Floats) -> formulas.Floats:
    if not np.isfinite(values).all():
        raise Refusal("it quantises weights that are not finite", "export the model again")
    return values


def along_axis(values: Array, rank: int, axis: int) -> Array:
    """A list of numbers shaped so that it meets one axis of a tensor; a single one as it is."""
    if values.size == 1:
        return values.reshape(())
    if values.ndim != 1 or not -rank <= axis < rank:
        raise ValueError(f"{values.shape} scales along axis {axis}")
    return values.reshape(-1, *(1,) * (rank - 1 - axis % rank))


def _rearranged(one: Const, move: Callable[[Array], Array]) -> Const:
    if one.grid is None:
        return Const(move(one.array))
    return Const(move(one.array), Grid(move(one.grid.integers), move(one.grid.scale)))


def _constant(node: OnnxNode) -> Array:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in node.attributes:
            value = node.attributes[name]
            if isinstance(value, np.ndarray):
                return value
            kind = np.float32 if "float" in name else np.int64
            return np.array(value, kind)
    raise _unknown(node)


_CASTS: Mapping[int, np.dtype[Any]] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.uint8),
    3: np.dtype(np.int8),
    6: np.dtype(np.int32),
    7: np.dtype(np.int64),
    9: np.dtype(np.bool_),
    11: np.dtype(np.float64),
}
"""ONNX's numbers of element types."""


def _cast(node: OnnxNode, array: Array) -> Array:
    to = _CASTS.get(node.integer("to", 0))
    if to is None:
        raise _unknown(node)
    return array.astype(to)


def _divide(a: Array, b: Array) -> Array:
    if np.issubdtype(a.dtype, np.integer):
        if (b == 0).any():
            raise ZeroDivisionError("division by 0")
        return np.trunc(a / b).astype(a.dtype)
    return a / b


def _power(a: Array, b: Array) -> Array:
    return np.power(a, b).astype(a.dtype)


def _reciprocal(a: Array) -> Array:
    return np.divide(1, a).astype(a.dtype)


def _rectified(a: Array) -> Array:
    return np.asarray(np.maximum(a, 0))


_SIMPLE: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "Add": (2, np.add),
    "Sub": (2, np.subtract),
    "Mul": (2, np.multiply),
    "Div": (2, _divide),
    "Pow": (2, _power),
    "Neg": (1, np.negative),
    "Abs": (1, np.abs),
    "Sqrt": (1, np.sqrt),
    "Reciprocal": (1, _reciprocal),
    "Floor": (1, np.floor),
    "Ceil": (1, np.ceil),
    "Round": (1, np.round),
    "Sign": (1, np.sign),
    "Relu": (1, _rectified),
    "Equal": (2, np.equal),
    "Greater": (2, np.greater),
    "Less": (2, np.less),
    "Not": (1, np.logical_not),
    "And": (2, np.logical_and),
    "Or": (2, np.logical_or),
    "Mod": (2, np.mod),
    "Where": (3, np.where),
    "Min": (2, np.minimum),
    "Max": (2, np.maximum),
}


def _check_size(shape: Sequence[int]) -> None:
    if prod(shape) > MOST_ELEMENTS or min(shape, default=0) < 0:
        raise ValueError(f"a result of {prod(shape)} elements; {MOST_ELEMENTS} are the most")


def _unknown(node: OnnxNode) -> Refusal:
    return Refusal(
        "this operation on constants is not known",
        "simplify the model first (fold its constants), then import it",
    )
