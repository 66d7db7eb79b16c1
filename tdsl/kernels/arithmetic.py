"""Operators on the values of a kernel: constants are folded, rows become values of the program."""

import ast
from collections.abc import Callable
from typing import TypeGuard

from tdsl.kernels.scope import NotYet, Rejected, Scope
from tdsl.kernels.signature import MOST_BITS
from tdsl.kernels.source import Node
from tdsl.kernels.values import Poison, Row, Total, Unknown, Value
from tdsl.rows.ir import Arithmetic, Range, Relation, Sole
from tdsl.rows.ranges import BIT

TRITS = Range(-1, 1)
MOST_DIGITS = 1 << 12
"""Binary digits of a constant: larger ones are loops that nobody meant."""
SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|",
    ast.BitXor: "^", ast.MatMult: "@",
}  # fmt: skip
RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_FOLDS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: int(a**b),
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_PLAIN = {"+": Arithmetic.ADD, "-": Arithmetic.SUB, "*": Arithmetic.MUL}
_GATES = {"&": Arithmetic.AND, "|": Arithmetic.OR, "^": Arithmetic.XOR}
_TERNARY_GATES = {"&": Arithmetic.MIN, "|": Arithmetic.MAX, "^": Arithmetic.MUL}


def is_number(value: Value) -> TypeGuard[int]:
    """Whether a value is a constant integer or truth value."""
    return isinstance(value, int)


def binary(scope: Scope, symbol: str, a: Value, b: Value, node: Node) -> Value:
    """`a symbol b`; `node` is the whole expression."""
    refuse_unknown(a, b)
    if is_number(a) and is_number(b):
        return _folded(scope, symbol, a, b, node)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple | int):
        return _sequence(scope, symbol, a, b, node)
    match symbol:
        case "+" | "-" | "*":
            return _plain(scope, symbol, as_row(scope, a, node), as_row(scope, b, node), node)
        case "&" | "|" | "^":
            return _gate(scope, symbol, as_row(scope, a, node), as_row(scope, b, node), node)
        case "<<" | ">>" | "//" | "%":
            return _by_power_of_two(scope, symbol, as_row(scope, a, node), b, node)
        case _:
            raise _no_operator(scope, symbol, node)


def compare(scope: Scope, symbol: str, a: Value, b: Value, node: Node) -> Value:
    """`a symbol b` for one of the six comparisons."""
    refuse_unknown(a, b)
    if is_number(a) and is_number(b):
        return _FOLDS[symbol](a, b)
    x, y = as_row(scope, a, node).position, as_row(scope, b, node).position
    builder = scope.at(node)
    match symbol:
        case "<" | ">=":
            return Row(builder.compare(Relation.LESS, x, y, symbol == ">="))
        case ">" | "<=":
            return Row(builder.compare(Relation.LESS, y, x, symbol == "<="))
        case _:
            return Row(builder.compare(Relation.EQUAL, x, y, symbol == "!="))


def negative(scope: Scope, a: Value, node: Node) -> Value:
    """`-a`."""
    refuse_unknown(a)
    if is_number(a):
        return -a
    row = as_row(scope, a, node)
    return made(scope, Row(scope.at(node).unary(Sole.NEG, row.position), row.trit), node)


def inverse(scope: Scope, a: Value, node: Node) -> Value:
    """`~a`: the opposite trit, the other bit, or the complement of an integer."""
    refuse_unknown(a)
    if is_number(a):
        return 1 - a if isinstance(a, bool) else ~a
    row = as_row(scope, a, node)
    if row.trit:
        return negative(scope, row, node)
    return made(scope, Row(scope.at(node).unary(Sole.NOT, row.position)), node)


def logical_not(scope: Scope, a: Value, node: Node) -> Value:
    """`not a`."""
    refuse_unknown(a)
    if is_number(a):
        return not a
    bit = as_bit(scope, a, node, "`not`")
    return Row(scope.at(node).unary(Sole.NOT, bit.position))


def logical(scope: Scope, both: bool, a: Value, b: Value, node: Node) -> Value:
    """`a and b` (`both`), or `a or b`."""
    refuse_unknown(a, b)
    if is_number(a):
        return b if bool(a) is both else a
    word = "`and`" if both else "`or`"
    x = as_bit(scope, a, node, word)
    if is_number(b):
        return x if bool(b) is both else b
    y = as_bit(scope, b, node, word)
    op = Arithmetic.AND if both else Arithmetic.OR
    return Row(scope.at(node).binary(op, x.position, y.position))


def extreme(scope: Scope, op: Arithmetic, a: Value, b: Value, node: Node) -> Value:
    """The smaller (MIN) or larger (MAX) of two."""
    refuse_unknown(a, b)
    if is_number(a) and is_number(b):
        return min(a, b) if op is Arithmetic.MIN else max(a, b)
    x, y = as_row(scope, a, node), as_row(scope, b, node)
    return Row(scope.at(node).binary(op, x.position, y.position), both_trits(scope, x, y))


def select(scope: Scope, condition: Value, a: Value, b: Value, node: Node) -> Value:
    """`a` where `condition` holds, else `b`."""
    refuse_unknown(condition, a, b)
    if is_number(condition):
        return a if condition else b
    bit = as_bit(scope, condition, node, "`mux`")
    x, y = as_row(scope, a, node), as_row(scope, b, node)
    position = scope.at(node).select(bit.position, x.position, y.position)
    return Row(position, both_trits(scope, x, y))


def as_row(scope: Scope, value: Value, node: Node) -> Row:
    """A row; a number becomes the same in every pixel. Reports K0111 for anything else."""
    refuse_unknown(value)
    if isinstance(value, Row):
        return value
    if is_number(value):
        return made(scope, Row(scope.at(node).constant(int(value))), node)
    helps: tuple[str, ...] = ()
    if isinstance(value, Total):
        helps = ("return the total, and go on with it outside of the kernel",)
    if isinstance(value, list | tuple):
        helps = ("take one of its rows: `rows[0]`",)
    raise scope.reject(
        "K0111",
        f"{scope.type_text(value)} stands where a row is needed",
        node,
        "a row has one value a pixel",
        helps=helps,
    )


def as_bit(scope: Scope, value: Value, node: Node, where: str) -> Row:
    """A row of 0 and 1. Reports K0111 for other rows."""
    row = as_row(scope, value, node)
    if BIT.holds(scope.range(row)):
        return row
    raise scope.reject(
        "K0111",
        f"{where} needs bits",
        node,
        f"{scope.type_text(row)} is more than 0 and 1",
        helps=("compare it: `x != 0`",),
    )


def made(scope: Scope, row: Row, node: Node) -> Row:
    """The row, unless it is too wide (K0116)."""
    bits = scope.range(row).bits
    if bits <= MOST_BITS:
        return row
    raise scope.reject(
        "K0116",
        f"this value needs {bits} bits",
        node,
        f"values have at most {MOST_BITS}",
        helps=("narrow an operand first: `clip(x, -128, 127)`, `wrap(x, I16)`, `x >> 4`",),
    )


def both_trits(scope: Scope, a: Row, b: Row) -> bool:
    """Whether gates on the result of two rows are ternary: one is trits, the other fits them."""
    return (a.trit or b.trit) and _ternary(scope, a) and _ternary(scope, b)


def refuse_unknown(*values: Value) -> None:
    """Stop where a value is not known, yet or ever."""
    if any(isinstance(value, Poison) for value in values):
        raise Rejected
    if any(isinstance(value, Unknown) for value in values):
        raise NotYet


def _ternary(scope: Scope, row: Row) -> bool:
    found = scope.range(row)
    return row.trit or (found.low == found.high and TRITS.holds(found))


def _plain(scope: Scope, symbol: str, a: Row, b: Row, node: Node) -> Row:
    position = scope.at(node).binary(_PLAIN[symbol], a.position, b.position)
    return made(scope, Row(position, symbol == "*" and both_trits(scope, a, b)), node)


def _gate(scope: Scope, symbol: str, a: Row, b: Row, node: Node) -> Row:
    if not a.trit and not b.trit:
        return made(scope, Row(scope.at(node).binary(_GATES[symbol], a.position, b.position)), node)
    if not both_trits(scope, a, b):
        raise scope.reject(
            "K0111",
            f"`{symbol}` of a `trit` and an integer",
            node,
            f"{scope.type_text(a)} and {scope.type_text(b)}",
            notes=("on trits the gates are ternary (min, max, -(a * b)), on integers bitwise",),
            helps=("make the trit an integer: `widen(t, I8)`",),
        )
    builder = scope.at(node)
    position = builder.binary(_TERNARY_GATES[symbol], a.position, b.position)
    return Row(builder.unary(Sole.NEG, position) if symbol == "^" else position, trit=True)


def _by_power_of_two(scope: Scope, symbol: str, a: Row, b: Value, node: Node) -> Row:
    if not is_number(b):
        raise scope.reject(
            "K0108",
            f"`{symbol}` takes a constant on its right",
            node,
            f"this is {scope.type_text(b)}",
            notes=("a shift by a constant renames rows, one by a row has no micro-op",),
            helps=("choose among constants: `mux(n == 1, x >> 1, x)`",),
        )
    amount = _amount(scope, symbol, a, b, node)
    if symbol == "%":
        mask = as_row(scope, (1 << amount) - 1, node)
        return Row(scope.at(node).binary(Arithmetic.AND, a.position, mask.position))
    if amount > MOST_BITS:
        amount = MOST_BITS + 1
    shifted = scope.at(node).scale(a.position, amount if symbol == "<<" else -amount)
    return made(scope, Row(shifted), node)


def _amount(scope: Scope, symbol: str, a: Row, b: int, node: Node) -> int:
    """By how many bits a shift, or a division by a power of two, moves."""
    if symbol in ("<<", ">>"):
        if b >= 0:
            return b
        raise scope.reject("K0108", f"`{symbol}` by {b}", node, "a shift is 0 or more")
    if b > 0 and b.bit_count() == 1:
        return b.bit_length() - 1
    found = scope.range(a)
    helps = ("use a power of two",)
    if symbol == "//" and b > 0 and found.low >= 0:
        shift = found.bits + b.bit_length()
        text = scope.words(node.left) if isinstance(node, ast.BinOp) else "x"
        factor = -(-(1 << shift) // b)
        helps = (f"multiply and shift, exact here: `({text} * {factor}) >> {shift}`",)
    raise scope.reject(
        "K0108",
        f"`{symbol}` by {b} is not in the array",
        node,
        "powers of two only rename rows; there is no divider",
        helps=helps,
    )


def _folded(scope: Scope, symbol: str, a: int, b: int, node: Node) -> int:
    """Python's own arithmetic on constants."""
    if symbol not in _FOLDS:
        raise _no_operator(scope, symbol, node)
    if (symbol == "**" and (b < 0 or abs(a).bit_length() * b > MOST_DIGITS)) or (
        symbol == "<<" and b > MOST_DIGITS
    ):
        raise scope.reject("K0116", f"`{scope.words(node)}` is too large", node)
    try:
        found = _FOLDS[symbol](a, b)
    except (ZeroDivisionError, ValueError) as error:
        raise scope.reject("K0108", f"`{scope.words(node)}`: {error}", node) from error
    if abs(found).bit_length() > MOST_DIGITS:
        raise scope.reject("K0116", f"`{scope.words(node)}` is too large", node)
    return found


def _sequence(
    scope: Scope, symbol: str, a: list[Value] | tuple[Value, ...], b: Value, node: Node
) -> Value:
    """Lists are joined by `+` and repeated by `*`."""
    if symbol == "+" and isinstance(a, list) and isinstance(b, list):
        return [*a, *b]
    if symbol == "+" and isinstance(a, tuple) and isinstance(b, tuple):
        return (*a, *b)
    if symbol == "*" and is_number(b) and len(a) * b <= 1 << 12:
        return list(a) * b if isinstance(a, list) else a * b
    raise scope.reject(
        "K0111",
        f"`{symbol}` of {scope.type_text(a)} and {scope.type_text(b)}",
        node,
        helps=("work on their rows: `[p + q for p, q in zip(a, b)]`",),
    )


def _no_operator(scope: Scope, symbol: str, node: Node) -> Rejected:
    helps = {
        "/": ("`//` by a power of two divides and rounds down",),
        "**": ("multiply: `x * x`",),
    }
    return scope.reject(
        "K0108",
        f"`{symbol}` is not in the array",
        node,
        "rows have `+ - * // >> << & | ^ ~` and comparisons",
        helps=helps.get(symbol, ()),
    )
