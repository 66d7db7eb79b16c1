"""Result types of what sums or compares many values: convolution, linear layers, pooling."""

from typing import assert_never

from tdsl.ir.condition import Where, bounds
from tdsl.ir.op_error import OperandNote, OpError
from tdsl.ir.ops import Conv, GlobalPool, Linear, Parameter, Pool, PoolKind
from tdsl.ir.size import Affine, Size
from tdsl.ir.tensor_type import TRIT, Element, Kind, TensorType
from tdsl.ir.type_rules import exact, image, number, simplified, vector


def same_padding(
    kernel: tuple[int, int], dilation: tuple[int, int] = (1, 1)
) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) for which the result has ceil(in / stride) rows and columns.

    Of (k - 1) * dilation border lines the first half is put before; an odd one more goes after.
    """
    rows, columns = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
    return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2


def conv(op: Conv, x: TensorType, where: Where) -> TensorType:
    """[C, H, W] -> [out, H', W'] of exact sums."""
    channels, height, width = image("conv", x, "`linear` takes vectors")
    inside = number("conv", "channels", channels, x)
    for what, count in (("input channels", inside), ("output channels", op.out_channels)):
        if count % op.groups:
            raise OpError(
                code="E0310",
                message=f"`conv` cannot cut {count} {what} into {op.groups} groups",
                label=f"{count} % {op.groups} = {count % op.groups}",
                argument="groups",
                operands=(OperandNote(0, f"this is {x}"),),
            )
    _check_border(op, x)
    shape = (op.out_channels, inside // op.groups, *op.kernel)
    _check_weight("conv", op.weight, shape)
    top, left, bottom, right = op.padding
    reach = tuple((k - 1) * d + 1 for k, d in zip(op.kernel, op.dilation, strict=True))
    rows = windows_in("conv", x, height + top + bottom, reach[0], op.stride[0], where)
    columns = windows_in("conv", x, width + left + right, reach[1], op.stride[1], where)
    element = sum_of_products("conv", x.element, shape[1] * shape[2] * shape[3])
    return simplified(element, (op.out_channels, rows, columns), where)


def linear(op: Linear, x: TensorType) -> TensorType:
    """[in] -> [out] of exact sums."""
    size = number("linear", "inputs", vector("linear", x), x)
    _check_weight("linear", op.weight, (op.out_features, size))
    return TensorType(sum_of_products("linear", x.element, size), (op.out_features,))


def pool(op: Pool, x: TensorType, where: Where) -> TensorType:
    """[C, H, W] -> [C, H', W'] with every window inside the image."""
    name = f"{op.kind}pool"
    channels, height, width = image(name, x)
    rows = windows_in(name, x, height, op.kernel[0], op.stride[0], where)
    columns = windows_in(name, x, width, op.kernel[1], op.stride[1], where)
    element = _pooled(name, op.kind, x.element, op.kernel[0] * op.kernel[1])
    return simplified(element, (channels, rows, columns), where)


def global_pool(op: GlobalPool, x: TensorType, where: Where) -> TensorType:
    """[C, H, W] -> [C]."""
    name = f"global_{op.kind}"
    channels, height, width = image(name, x)
    area = most_elements(name, x, (height, width), where) if op.kind is PoolKind.SUM else 1
    return TensorType(_pooled(name, op.kind, x.element, area), (channels,))


def total(x: TensorType, where: Where) -> TensorType:
    """Any shape -> [1]."""
    return TensorType(
        _pooled("sum", PoolKind.SUM, x.element, most_elements("sum", x, x.shape, where)), (1,)
    )


def sum_of_products(name: str, element: Element, count: int) -> Element:
    """The type of any sum of `count` products of a value of `element` and a trit."""
    reach = count * max(-element.low, element.high)
    return exact(name, -reach, reach)


def windows_in(name: str, x: TensorType, size: Size, reach: int, stride: int, where: Where) -> Size:
    """How many windows of `reach` pixels fit into `size` pixels; at least one, or OpError.

    A symbolic size is refused only if `where` allows none that would do: fixing it decides.
    """
    most = bounds(size, where)[1]
    if most is not None and most < reach:
        raise OpError(
            code="E0309",
            message=f"the window of `{name}` is larger than the image",
            label=f"it spans {reach} pixels, {most} are there",
            operands=(OperandNote(0, f"this is {x}"),),
        )
    return (size - reach) // stride + 1


def _check_border(op: Conv, x: TensorType) -> None:
    if x.element.kind is not Kind.BIN:
        if op.pad_value != 0:
            raise OpError(
                code="E0303",
                message=f"the border of `{x.element}` values is 0",
                label="only `bin` has no 0 and takes another border",
                argument="pad_value",
                operands=(OperandNote(0, f"this is {x}"),),
                helps=("leave `pad_value` out",),
            )
    elif any(op.padding) and op.pad_value not in (-1, 1):
        raise OpError(
            code="E0303",
            message="a border of zeros cannot be added to `bin` values",
            label=f"{_padding_text(op)} adds zeros",
            operands=(OperandNote(0, f"this is {x}: only -1 and +1 exist"),),
            helps=(
                "use `pad = valid`",
                "or make the input `trit` with `ternarize`, which has a 0",
            ),
        )


def _padding_text(op: Conv) -> str:
    if op.padding == same_padding(op.kernel, op.dilation):
        return "`pad = same`"
    if len(set(op.padding)) == 1:
        return f"`pad = {op.padding[0]}`"
    return f"`pad = {list(op.padding)}`"


def _check_weight(name: str, weight: Parameter, shape: tuple[int, ...]) -> None:
    if weight.shape != shape:
        raise OpError(
            code="E0402",
            message=f"the weights do not fit `{name}`",
            label=f"needs shape {shape}",
            notes=(f"the weights have shape {weight.shape}",),
        )


def _pooled(name: str, kind: PoolKind, element: Element, area: int) -> Element:
    match kind:
        case PoolKind.MAX:
            return element
        case PoolKind.AVG:
            return TRIT if element.kind is Kind.BIN else element
        case PoolKind.SUM:
            return exact(name, element.low * area, element.high * area)
        case _:
            assert_never(kind)


def most_elements(name: str, x: TensorType, sizes: tuple[Size, ...], where: Where) -> int:
    """The largest number of elements; symbolic sizes need an upper bound in `where`."""
    count = 1
    for size in sizes:
        high = bounds(size, where)[1]
        if high is None:
            assert isinstance(size, Affine)
            raise OpError(
                code="E0311",
                message=f"`{name}` adds up an unlimited number of values",
                label=f"`{size}` has no upper bound, so no type holds the sum",
                operands=(OperandNote(0, f"this is {x}"),),
                helps=(f"add a condition to the header, for example `where {size} <= 1080`",),
            )
        count *= max(high, 1)
    return count
