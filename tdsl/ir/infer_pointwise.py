"""Result types of what treats each element alone: sums, gates, comparisons, shifts, and argmax."""

from tdsl.ir.condition import Where, bounds
from tdsl.ir.op_error import OperandNote, OpError
from tdsl.ir.ops import Add, Clip, Compare, Gate, GateKind, Shift, Sub
from tdsl.ir.size import Size
from tdsl.ir.tensor_type import BIN, TRIT, U1, Kind, TensorType, unsigned
from tdsl.ir.type_rules import common, exact, same_shape, vector

SYMBOLS = {GateKind.AND: "&", GateKind.OR: "|", GateKind.XOR: "^"}
LOGIC = (TRIT, BIN, U1)
MOST_SHIFT = 31


def add(op: Add | Sub, a: TensorType, b: TensorType, where: Where) -> TensorType:
    """The exact sum or difference."""
    name = "+" if isinstance(op, Add) else "-"
    same_shape(name, (a, b), where)
    x, y = a.element, b.element
    if isinstance(op, Add):
        return TensorType(exact(name, x.low + y.low, x.high + y.high), a.shape)
    return TensorType(exact(name, x.low - y.high, x.high - y.low), a.shape)


def gate(op: Gate, a: TensorType, b: TensorType, where: Where) -> TensorType:
    """Two tensors of one type -> that type."""
    name = SYMBOLS[op.kind]
    both = (OperandNote(0, f"this is {a}"), OperandNote(1, f"this is {b}"))
    if a.element != b.element or a.element not in LOGIC:
        raise OpError(
            code="E0305",
            message=f"`{name}` needs two operands of one type: `trit`, `bin` or `u1`",
            label=f"`{a.element}` and `{b.element}`",
            operands=both,
            helps=("add integers with `+`",) if _integers(a) and _integers(b) else (),
        )
    same_shape(name, (a, b), where)
    return a


def invert(x: TensorType) -> TensorType:
    """`~x`."""
    if x.element not in LOGIC:
        raise OpError(
            code="E0305",
            message="`~` needs a `trit`, `bin` or `u1`",
            label="an integer has no opposite of the same width",
            operands=(OperandNote(0, f"this is {x}"),),
        )
    return x


def mux(selector: TensorType, a: TensorType, b: TensorType, where: Where) -> TensorType:
    """A u1 selector of the operands' shape, or one bit a channel."""
    inputs = (selector, a, b)
    if selector.element != U1:
        raise OpError(
            code="E0305",
            message="`mux` selects by `u1` values",
            label="the first operand is the selector",
            operands=(OperandNote(0, f"this is {selector}"),),
            helps=("compare it, for example `x > 0`, or end it with `step`",),
        )
    same_shape("mux", inputs, where, pair=(1, 2))
    channels = TensorType(a.element, a.shape[: len(selector.shape)])
    if len(selector.shape) == 1:
        same_shape("mux", (selector, channels), where)
    else:
        same_shape("mux", inputs, where, pair=(0, 1))
    return TensorType(common("mux", a.element, b.element), a.shape)


def compare(op: Compare, inputs: tuple[TensorType, ...], where: Where) -> TensorType:
    """One operand and a constant, or two operands -> u1."""
    if len(inputs) == 2:
        same_shape(op.kind.value, inputs, where)
    return TensorType(U1, inputs[0].shape)


def shift(op: Shift, x: TensorType) -> TensorType:
    """The range times or divided (rounding down) by 2 ** |amount|."""
    if abs(op.amount) > MOST_SHIFT:
        raise OpError(
            code="E0308",
            message=f"a shift by {abs(op.amount)} leaves nothing of a 32-bit integer",
            label=f"0 to {MOST_SHIFT} are possible",
            argument="amount",
        )
    low, high = x.element.low, x.element.high
    if op.amount >= 0:
        return TensorType(exact("<<", low << op.amount, high << op.amount), x.shape)
    return TensorType(exact(">>", low >> -op.amount, high >> -op.amount), x.shape)


def clip(op: Clip, x: TensorType) -> TensorType:
    """Any integers -> the element type, saturated."""
    if op.element.kind is Kind.BIN and x.element.kind is not Kind.BIN:
        raise OpError(
            code="E0305",
            message="`clip` cannot give `bin`, which has no 0",
            label="values between -1 and +1 have no place in it",
            argument="element",
            helps=("`binarize` gives `bin`",),
        )
    return TensorType(op.element, x.shape)


def argmax(x: TensorType) -> TensorType:
    """[C] -> [1]."""
    size: Size = vector("argmax", x)
    high = bounds(size, ())[1]
    return TensorType(unsigned(32) if high is None else exact("argmax", 0, high - 1), (1,))


def _integers(x: TensorType) -> bool:
    return x.element.kind in (Kind.UNSIGNED, Kind.SIGNED) and x.element != U1
