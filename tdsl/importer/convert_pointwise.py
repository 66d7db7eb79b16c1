"""Element-by-element nodes -> steps of the float executor, to be folded; sums of two tensors."""

import numpy as np

from tdsl.importer import steps
from tdsl.importer.conversion import Conversion
from tdsl.importer.convert_quantisers import clipped_codes
from tdsl.importer.layouts import per_channel
from tdsl.importer.model import Array, OnnxNode, as_float
from tdsl.importer.refusal import Refusal
from tdsl.importer.steps import Clamp, Divide, Leak, Multiply, Plus
from tdsl.importer.sums import added
from tdsl.importer.value import Coded, Const, Item, Outside, Value


def arithmetic(c: Conversion, node: OnnxNode) -> Item:
    """`Add`, `Sub`, `Mul`, `Div`: with a constant a step, of two tensors a sum."""
    a, b = c.item(node, 0), c.item(node, 1)
    if isinstance(a, Const) or isinstance(b, Const):
        tensor, constant = (b, a) if isinstance(a, Const) else (a, b)
        assert isinstance(constant, Const)
        if isinstance(tensor, Outside) and tensor.declared is None:
            return host_step(tensor, node)
        return _with_constant(node.kind, c.settled(tensor), constant.array, first=tensor is b)
    if node.kind in ("Add", "Sub"):
        return added(c.e, c.settled(a), c.settled(b), 1 if node.kind == "Add" else -1)
    raise Refusal(
        "it multiplies or divides two computed tensors",
        "use a sum, or a gate on quantised values",
    )


def _with_constant(kind: str, x: Value, constant: Array, *, first: bool) -> Value:
    """A step with a constant, which comes first in `first` cases: constant - x."""
    numbers = per_channel(x, _checked_shape(x, constant))
    match kind:
        case "Add":
            return x.then(Plus(numbers))
        case "Sub" if first:
            return x.then(Multiply(np.full_like(numbers, -1)), Plus(numbers))
        case "Sub":
            return x.then(Plus(-numbers))
        case "Mul":
            return x.then(Multiply(numbers))
        case "Div" if not first:
            if (numbers == 0).any():
                raise Refusal("it divides by 0", "export the model again")
            return x.then(Divide(numbers))
        case _:
            raise Refusal("it divides a constant by a tensor", "use a quantised table instead")


def _checked_shape(x: Value, constant: Array) -> Array:
    """The constant, if it does not make the tensor larger."""
    try:
        joined = np.broadcast_shapes(x.index.shape, constant.shape)
    except ValueError:
        joined = ()
    if joined != x.index.shape:
        raise Refusal(
            f"a constant of shape {constant.shape} does not fit a tensor of shape {x.index.shape}",
            "give the constant one number a channel",
        )
    return as_float(constant)


def negative(c: Conversion, node: OnnxNode) -> Item:
    """`Neg`."""
    x = c.value(node)
    return x.then(Multiply(np.full(x.channels, -1, np.float32)))


def batch_normalization(c: Conversion, node: OnnxNode) -> Item:
    """`BatchNormalization` with stored statistics."""
    x = c.value(node)
    if node.integer("training_mode", 0):
        raise Refusal("it is in training mode", "export the model in evaluation mode")
    names = ("scale", "bias", "mean", "variance")
    arrays = [as_float(c.constant(node, i + 1, name)) for i, name in enumerate(names)]
    if any(array.ndim != 1 or len(array) != x.index.shape[1] for array in arrays):
        raise Refusal("its statistics do not fit the channels", "export the model again")
    scale, bias, mean, variance = (
        per_channel(x, array.reshape(-1, *(1,) * (x.index.ndim - 2))) for array in arrays
    )
    epsilon = node.number("epsilon", 1e-5)
    if not (variance + np.float32(epsilon) > 0).all():
        raise Refusal("its variance is not positive", "export the model again")
    return x.then(*steps.batch_norm(scale, bias, mean, variance, epsilon))


def relu(c: Conversion, node: OnnxNode) -> Item:
    """`Relu`."""
    return _clamped(c, node, 0.0, np.inf)


def clip(c: Conversion, node: OnnxNode) -> Item:
    """`Clip`: limits as inputs, or as attributes in old files."""
    low = _limit(c, node, 1, "min", -np.inf)
    high = _limit(c, node, 2, "max", np.inf)
    if not low <= high:
        raise Refusal(f"its limits {low} and {high} cross", "export the model again")
    return _clamped(c, node, low, high)


def leaky_relu(c: Conversion, node: OnnxNode) -> Item:
    """`LeakyRelu` and `PRelu` with slopes that are not negative."""
    x = c.value(node)
    if node.kind == "PRelu":
        slope = per_channel(x, as_float(c.constant(node, 1, "slope")))
    else:
        slope = np.full(x.channels, node.number("alpha", 0.01), np.float32)
    if (slope < 0).any():
        raise Refusal("its slope is negative: it does not rise", "use slopes of 0 or more")
    return x.then(Leak(slope))


def unchanged(c: Conversion, node: OnnxNode) -> Item:
    """`Identity`, `Dropout`, and casts from float to float."""
    if node.kind == "Cast" and node.integer("to", 0) not in _FLOATS:
        raise Refusal("it casts a computed tensor to another type", "cast constants only")
    return c.item(node, 0)


def host_step(x: Outside, node: OnnxNode) -> Outside:
    """A step on the input before its quantiser: it stays with the host."""
    return Outside(x.name, x.tensor, x.shape, None, (*x.host, node.place))


_FLOATS = (1, 10, 11, 16)


def _clamped(c: Conversion, node: OnnxNode, low: float, high: float) -> Item:
    item = c.item(node, 0)
    if isinstance(item, Coded):
        return clipped_codes(node, item, low, high)
    if isinstance(item, Outside) and item.declared is None:
        return host_step(item, node)
    return c.settled(item).then(Clamp(low, high))


def _limit(c: Conversion, node: OnnxNode, position: int, name: str, default: float) -> float:
    if not node.has_input(position):
        return node.number(name, default)
    array = c.constant(node, position, name)
    if array.size != 1:
        raise Refusal(f"its limit `{name}` is no single number", "export the model again")
    return float(array.reshape(()))
