"""Rules that several operations share: exact ranges, common types, equal sizes, images, vectors."""

from collections.abc import Callable

from tdsl.ir.condition import (
    Condition,
    Truth,
    Where,
    decide,
    find,
    simplify,
    suggest,
)
from tdsl.ir.op_error import OperandNote, OpError
from tdsl.ir.size import Size, evaluate
from tdsl.ir.tensor_type import Element, Kind, TensorType, narrowest

WIDEST = 32
AXES = ("channels", "heights", "widths")


def contains(wide: Element, narrow: Element) -> bool:
    """Whether `wide` holds every value of `narrow`. `bin` has no 0, so it holds only itself."""
    if wide.kind is Kind.BIN:
        return narrow.kind is Kind.BIN
    return wide.low <= narrow.low and narrow.high <= wide.high


def common(name: str, a: Element, b: Element) -> Element:
    """The type of values that come from `a` or from `b`."""
    if contains(a, b):
        return a
    if contains(b, a):
        return b
    return exact(name, min(a.low, b.low), max(a.high, b.high))


def exact(name: str, low: int, high: int) -> Element:
    """The narrowest type for low..high. Raises OpError where 32 bits do not hold it."""
    element = narrowest(low, high)
    if element.bits > WIDEST:
        raise OpError(
            code="E0304",
            message=f"the result of `{name}` does not fit {WIDEST} bits",
            label=f"it reaches {low} to {high}: `{element}`",
            notes=(f"the widest types are `u{WIDEST}` and `i{WIDEST}`",),
            helps=("cut the range before, for example with `quantize(i8)` or `clip(..., i16)`",),
        )
    return element


def image(name: str, x: TensorType, instead: str = "") -> tuple[Size, Size, Size]:
    """The sizes of `x` as (C, H, W). Raises OpError for a vector."""
    match x.shape:
        case (channels, height, width):
            return channels, height, width
        case _:
            raise OpError(
                code="E0306",
                message=f"`{name}` needs an image",
                label="an image has channels, height and width",
                operands=(OperandNote(0, f"this is {x}: a vector"),),
                helps=(instead,) if instead else (),
            )


def vector(name: str, x: TensorType) -> Size:
    """The size of the vector `x`. Raises OpError for an image."""
    match x.shape:
        case (size,):
            return size
        case _:
            raise OpError(
                code="E0306",
                message=f"`{name}` needs a vector",
                label="a vector has one size",
                operands=(OperandNote(0, f"this is {x}: an image"),),
                helps=(f"`-> flatten -> {name}` puts all its elements in one vector",),
            )


def number(name: str, what: str, size: Size, x: TensorType) -> int:
    """`size` as an integer. Raises OpError where it is symbolic."""
    if isinstance(size, int):
        return size
    raise OpError(
        code="E0314",
        message=f"`{name}` needs a fixed number of {what}",
        label=f"`{size}` is known only when the network runs",
        operands=(OperandNote(0, f"this is {x}"),),
    )


def same_shape(
    name: str,
    inputs: tuple[TensorType, ...],
    where: Where,
    pair: tuple[int, int] = (0, 1),
    first_axis: int = 0,
) -> None:
    """Raise OpError unless two inputs have equal sizes (from `first_axis` on) for all sizes."""
    a, b = (inputs[index] for index in pair)
    operands = tuple(OperandNote(index, f"this is {inputs[index]}") for index in pair)
    if len(a.shape) != len(b.shape):
        raise OpError(
            code="E0301",
            message=f"`{name}` needs operands of the same shape",
            label=f"{_described(a)} against {_described(b)}",
            operands=operands,
        )
    equalities: list[Condition] = [(p, "==", q) for p, q in zip(a.shape, b.shape, strict=True)]
    truths = [decide(equality, where) for equality in equalities]
    truths[:first_axis] = [Truth.ALWAYS] * first_axis
    apart = [i for i, truth in enumerate(truths) if truth is Truth.NEVER]
    if apart:
        told = ", ".join(f"{AXES[i]}: {a.shape[i]} against {b.shape[i]}" for i in apart)
        raise OpError(
            code="E0301",
            message=f"`{name}` needs operands of the same shape",
            label=told,
            operands=operands,
            helps=_skip_help(a, b) if apart == [0] and len(a.shape) == 3 else (),
        )
    unsure = [i for i, truth in enumerate(truths) if truth is Truth.SOMETIMES]
    if unsure:
        raise _unequal(unsure, equalities, operands, where)


def holds_always(condition: Condition, where: Where, error: Callable[[], OpError]) -> None:
    """Raise `error()` unless `condition` holds for every size that `where` allows."""
    truth = decide(condition, where)
    if truth is Truth.ALWAYS:
        return
    failure = error()
    if truth is Truth.SOMETIMES:
        failure.conditions = suggest((condition,), where) or ()
    raise failure


def simplified(element: Element, shape: tuple[Size, ...], where: Where) -> TensorType:
    """The tensor type with its sizes in the shortest form under `where`."""
    return TensorType(element, tuple(simplify(size, where) for size in shape))


def _unequal(
    unsure: list[int],
    equalities: list[Condition],
    operands: tuple[OperandNote, ...],
    where: Where,
) -> OpError:
    left, _, right = equalities[unsure[0]]
    example = find((left, "!=", right), where, positive=True)
    notes: tuple[str, ...] = ()
    if example is not None:
        named = ", ".join(f"{n} = {v}" for n, v in sorted(example.items()))
        notes = (
            f"for example {named} gives {evaluate(left, example)} and {evaluate(right, example)}",
        )
    axis = AXES[unsure[0]] if unsure[0] else "channel counts"
    return OpError(
        code="E0302",
        message=f"these two {axis} are equal only for some sizes",
        label=f"{left} here, {right} there",
        operands=operands,
        where_made=True,
        notes=notes,
        conditions=suggest(tuple(equalities[i] for i in unsure), where) or (),
    )


def _described(x: TensorType) -> str:
    return "a vector" if len(x.shape) == 1 else "an image"


def _skip_help(a: TensorType, b: TensorType) -> tuple[str, ...]:
    match b.element.kind:
        case Kind.TRIT:
            end = "ternarize"
        case Kind.BIN:
            end = "binarize"
        case Kind.UNSIGNED | Kind.SIGNED:
            end = f"quantize({b.element})"
    if not isinstance(a.shape[0], int) or (b.element.kind not in _LEVELS and b.element.bits > 8):
        return ()
    return (f"give the skip {a.shape[0]} channels: `-> s: conv({a.shape[0]}, 1x1) -> {end}`",)


_LEVELS = (Kind.TRIT, Kind.BIN)
