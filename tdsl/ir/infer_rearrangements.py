"""Result types of what moves values and computes nothing."""

from functools import reduce

from tdsl.ir.condition import Where
from tdsl.ir.op_error import OperandNote, OpError
from tdsl.ir.ops import ChannelShuffle, PixelShuffle, Slice, Upsample
from tdsl.ir.size import ProductOfSymbols, product
from tdsl.ir.tensor_type import TensorType
from tdsl.ir.type_rules import common, holds_always, image, number, same_shape, simplified


def upsample(op: Upsample, x: TensorType, where: Where) -> TensorType:
    """[C, H, W] -> [C, H f, W f]."""
    channels, height, width = image("upsample", x)
    return simplified(x.element, (channels, height * op.factor, width * op.factor), where)


def pixel_shuffle(op: PixelShuffle, x: TensorType, where: Where) -> TensorType:
    """[C r r, H, W] -> [C, H r, W r]."""
    channels, height, width = image("pixel_shuffle", x)
    area = op.factor**2
    holds_always(
        (channels % area, "==", 0),
        where,
        lambda: OpError(
            code="E0310",
            message=f"`pixel_shuffle` cannot make {op.factor}x{op.factor} blocks",
            label=f"{channels} channels are not a multiple of {area}",
            operands=(OperandNote(0, f"this is {x}"),),
        ),
    )
    shape = (channels // area, height * op.factor, width * op.factor)
    return simplified(x.element, shape, where)


def concat(inputs: tuple[TensorType, ...], where: Where) -> TensorType:
    """[C1, H, W], [C2, H, W] ... -> [C1 + C2 + ..., H, W]; vectors alike."""
    for index in range(1, len(inputs)):
        same_shape("concat", inputs, where, pair=(0, index), first_axis=1)
    element = reduce(lambda a, b: common("concat", a, b), (x.element for x in inputs))
    channels = sum((x.shape[0] for x in inputs[1:]), inputs[0].shape[0])
    return simplified(element, (channels, *inputs[0].shape[1:]), where)


def channel_slice(op: Slice, x: TensorType) -> TensorType:
    """[C, ...] -> [stop - start, ...]."""
    channels = number("[..]", "channels", x.shape[0], x)
    if not 0 <= op.start < op.stop <= channels:
        raise OpError(
            code="E0310",
            message=f"there are no channels {op.start}..{op.stop}",
            label=f"the channels are 0..{channels}; the end is not included",
            operands=(OperandNote(0, f"this is {x}"),),
        )
    return TensorType(x.element, (op.stop - op.start, *x.shape[1:]))


def channel_shuffle(op: ChannelShuffle, x: TensorType, where: Where) -> TensorType:
    """The same shape, channels in another order."""
    channels = x.shape[0]
    holds_always(
        (channels % op.groups, "==", 0),
        where,
        lambda: OpError(
            code="E0310",
            message=f"`shuffle` cannot cut {channels} channels into {op.groups} groups",
            label=f"{channels} % {op.groups} = {channels % op.groups}",
            argument="groups",
            operands=(OperandNote(0, f"this is {x}"),),
        ),
    )
    return x


def flatten(x: TensorType) -> TensorType:
    """[C, H, W] -> [C H W]."""
    try:
        return TensorType(x.element, (product(x.shape),))
    except ProductOfSymbols:
        raise OpError(
            code="E0311",
            message="`flatten` would multiply two symbolic sizes",
            label=f"{' times '.join(map(str, x.shape))} is not a size the compiler can follow",
            operands=(OperandNote(0, f"this is {x}"),),
            helps=("write the sizes of the image as numbers in the network's header",),
        ) from None
