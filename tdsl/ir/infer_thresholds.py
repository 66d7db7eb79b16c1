"""Result types of activations: thresholds that turn integers into a few levels."""

from itertools import pairwise

from tdsl.ir.op_error import OperandNote, OpError
from tdsl.ir.ops import Binarize, Constant, Parameter, Quantize, Step, Ternarize, Thermometer
from tdsl.ir.size import Size
from tdsl.ir.tensor_type import BIN, TRIT, U1, Element, Kind, TensorType

MOST_BITS = 8
"""The widest result of `quantize`: 255 thresholds a channel."""


def ternarize(op: Ternarize, x: TensorType) -> TensorType:
    """x -> trit of the same shape."""
    _check_shape("ternarize", "lo", op.lo, x)
    _check_shape("ternarize", "hi", op.hi, x)
    if isinstance(op.lo, Constant) and isinstance(op.hi, Constant):
        for lo, hi in _pairs(op.lo, op.hi):
            if hi < lo - 1:
                raise OpError(
                    code="E0403",
                    message="the lower threshold is above the upper one",
                    label=f"lo = {lo}, hi = {hi}",
                    notes=("`ternarize` gives +1 above hi, -1 below lo, 0 from lo to hi",),
                    helps=(f"swap them: `lo = {hi}, hi = {lo}`",),
                )
    return TensorType(TRIT, x.shape)


def one_threshold(op: Binarize | Step, x: TensorType) -> TensorType:
    """x -> bin or u1 of the same shape."""
    name = "binarize" if isinstance(op, Binarize) else "step"
    _check_shape(name, "t", op.t, x)
    return TensorType(BIN if isinstance(op, Binarize) else U1, x.shape)


def quantize(op: Quantize, x: TensorType) -> TensorType:
    """x -> `op.element` of the same shape."""
    check_levels(op.element)
    count = op.element.high - op.element.low
    channels = x.shape[0] if isinstance(x.shape[0], int) else None
    if op.th.shape not in ((count,), (channels, count)):
        raise _misfit("quantize", "th", op.th, f"({count},) or ({x.shape[0]}, {count})")
    if isinstance(op.th, Constant):
        rows = [op.th.values[i : i + count] for i in range(0, len(op.th.values), count)]
        for row in rows:
            check_sorted(row)
    return TensorType(op.element, x.shape)


def check_levels(element: Element) -> None:
    """Raise OpError unless `quantize` can give the levels of `element`."""
    if element.kind in (Kind.TRIT, Kind.BIN):
        other = "ternarize" if element.kind is Kind.TRIT else "binarize"
        raise OpError(
            code="E0305",
            message=f"`quantize` gives integers, not `{element}`",
            label="give it a type such as `i4` or `u8`",
            argument="element",
            helps=(f"`{other}` gives `{element}`",),
        )
    if element.bits > MOST_BITS:
        raise OpError(
            code="E0305",
            message=f"`quantize` gives at most {MOST_BITS} bits",
            label=f"`{element}` has {element.high - element.low} thresholds a channel",
            argument="element",
        )


def check_sorted(row: tuple[int, ...]) -> None:
    """Raise OpError unless thresholds written in the source rise (equal ones are allowed)."""
    for i, (before, after) in enumerate(pairwise(row)):
        if before > after:
            raise OpError(
                code="E0407",
                message="the thresholds of `quantize` are not in rising order",
                label=f"threshold {i} is {before}, threshold {i + 1} is {after}",
                argument="th",
            )


def thermometer(op: Thermometer, x: TensorType) -> TensorType:
    """[C, ...] of a u-type -> [C * levels, ...] of trit or bin."""
    if x.element.kind is not Kind.UNSIGNED:
        raise OpError(
            code="E0305",
            message="`thermometer` needs values of a type `u1` to `u32`",
            label="its levels are spread evenly from 0 to the largest value",
            operands=(OperandNote(0, f"this is {x}"),),
        )
    channels: Size = x.shape[0] * op.levels
    return TensorType(BIN if op.kind is Kind.BIN else TRIT, (channels, *x.shape[1:]))


def _check_shape(name: str, role: str, parameter: Parameter, x: TensorType) -> None:
    if parameter.shape not in ((), x.shape[:1]):
        raise _misfit(name, role, parameter, f"() or ({x.shape[0]},)")


def _misfit(name: str, role: str, parameter: Parameter, needed: str) -> OpError:
    return OpError(
        code="E0402",
        message=f"the thresholds `{role}` do not fit `{name}`",
        label=f"needs shape {needed}",
        argument=role,
        notes=(f"they have shape {parameter.shape}",),
    )


def _pairs(lo: Constant, hi: Constant) -> list[tuple[int, int]]:
    count = max(len(lo.values), len(hi.values))
    return list(
        zip(
            lo.values * (count if len(lo.values) == 1 else 1),
            hi.values * (count if len(hi.values) == 1 else 1),
            strict=True,
        )
    )
