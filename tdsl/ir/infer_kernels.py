"""Result types of kernels: the types that their arguments and results declare."""

from tdsl.ir.condition import Where
from tdsl.ir.infer_windows import most_elements
from tdsl.ir.op_error import OperandNote, OpError
from tdsl.ir.ops import Kernel
from tdsl.ir.tensor_type import U1, Element, TensorType, narrowest
from tdsl.ir.type_rules import exact, same_shape
from tdsl.rows.ir import Range, Reduction, RowInput, RowTotal


def kernel(op: Kernel, inputs: tuple[TensorType, ...], where: Where) -> TensorType:
    """Images of one size (or vectors) within the declared ranges -> the declared result."""
    for position, (given, x) in enumerate(zip(op.program.inputs, inputs, strict=True)):
        _check_values(op, given, position, x)
        if not op.channelwise:
            _check_channels(op, given, position, x)
    channels = inputs[0].shape[0]
    planes = tuple(TensorType(x.element, (channels, *x.shape[1:])) for x in inputs)
    for position in range(1, len(inputs)):
        compared = inputs if op.channelwise else planes
        same_shape(op.program.name, compared, where, pair=(0, position))
    result = op.program.results[0]
    count = len(result.values) * (channels if op.channelwise else 1)
    if isinstance(result, RowTotal):
        return TensorType(_total(op, result, inputs[0], where), (count,))
    assert op.element is not None
    return TensorType(op.element, (count, *inputs[0].shape[1:]))


def _total(op: Kernel, result: RowTotal, x: TensorType, where: Where) -> Element:
    """The type of a sum over all pixels."""
    if result.reduction is Reduction.ANY:
        return U1
    pixels = most_elements(op.program.name, x, x.shape[1:], where)
    ranges = [op.program.values[v].range for v in result.values]
    low, high = min(r.low for r in ranges), max(r.high for r in ranges)
    return exact(op.program.name, min(0, low * pixels), max(0, high * pixels))


def _check_values(op: Kernel, given: RowInput, position: int, x: TensorType) -> None:
    if given.range.holds(Range(x.element.low, x.element.high)):
        return
    stated = narrowest(given.range.low, given.range.high)
    raise OpError(
        code="E0305",
        message=f"`{op.program.name}` takes {given.range.low} to {given.range.high}"
        f" for `{given.name}`",
        label=f"`{x.element}` is {x.element.low} to {x.element.high}",
        operands=(OperandNote(position, f"this is {x}"),),
        helps=(f"narrow it first: `clip({stated})`, or widen the argument of the kernel",),
    )


def _check_channels(op: Kernel, given: RowInput, position: int, x: TensorType) -> None:
    if x.shape[0] != given.channels:
        raise OpError(
            code="E0301",
            message=f"`{op.program.name}` takes {given.channels} channels for `{given.name}`",
            label="its type says so",
            operands=(OperandNote(position, f"this is {x}"),),
        )
