"""Expression -> value: numbers and conditions are computed, tensors become nodes of the graph."""

from collections.abc import Callable
from typing import assert_never

from tdsl.frontend import syntax
from tdsl.frontend.context import Context, join, look_up
from tdsl.frontend.element_names import element_named
from tdsl.frontend.emit import emit
from tdsl.frontend.reports import Rejected, Site
from tdsl.frontend.spelling import closest
from tdsl.frontend.syntax import BinaryOperator, UnaryOperator
from tdsl.frontend.values import (
    Claim,
    Dims,
    Fraction,
    Items,
    Library,
    Number,
    StoreKey,
    Tensor,
    Text,
    Truth,
    Value,
    described,
)
from tdsl.ir import ops
from tdsl.ir.condition import COMPARISONS, prove
from tdsl.ir.size import ProductOfSymbols, Size
from tdsl.ir.tensor_type import Element
from tdsl.source import Span

LARGEST = 1 << 64
"""Numbers beyond are refused: nothing in a network is so large."""

_ARITHMETIC: dict[BinaryOperator, Callable[[Size, Size], Size]] = {
    BinaryOperator.ADD: lambda a, b: a + b,
    BinaryOperator.SUBTRACT: lambda a, b: a - b,
    BinaryOperator.MULTIPLY: lambda a, b: a * b,
    BinaryOperator.FLOOR_DIVIDE: lambda a, b: a // b,
    BinaryOperator.MODULO: lambda a, b: a % b,
}
_BITWISE: dict[BinaryOperator, Callable[[int, int], int]] = {
    BinaryOperator.BIT_AND: lambda a, b: a & b,
    BinaryOperator.BIT_OR: lambda a, b: a | b,
    BinaryOperator.BIT_XOR: lambda a, b: a ^ b,
    BinaryOperator.SHIFT_LEFT: lambda a, b: a << b,
    BinaryOperator.SHIFT_RIGHT: lambda a, b: a >> b,
}
_TENSOR_OPS: dict[BinaryOperator, ops.Op] = {
    BinaryOperator.ADD: ops.Add(),
    BinaryOperator.SUBTRACT: ops.Sub(),
    BinaryOperator.BIT_AND: ops.Gate(ops.GateKind.AND),
    BinaryOperator.BIT_OR: ops.Gate(ops.GateKind.OR),
    BinaryOperator.BIT_XOR: ops.Gate(ops.GateKind.XOR),
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def evaluate(expression: syntax.Expression, c: Context, header: str = "") -> Value:
    """The value of an expression; `header` names the declaration whose type it stands in.

    Raises Rejected after reporting a mistake.
    """
    match expression:
        case syntax.IntLiteral(value=number):
            return Number(number)
        case syntax.FloatLiteral(value=fraction):
            return Fraction(fraction)
        case syntax.DimsLiteral(height=height, width=width):
            return Dims(height, width)
        case syntax.StringLiteral(value=text):
            return Text(text)
        case syntax.BoolLiteral(value=truth):
            return Truth(truth)
        case syntax.ElementLiteral(name=name):
            return element(name, expression.span, c)
        case syntax.Name(text=name):
            return look_up(c, name, expression.span, header)
        case syntax.ListLiteral(items=items):
            return Items(tuple(evaluate(item, c, header) for item in items))
        case syntax.Unary():
            return _unary(expression, c, header)
        case syntax.Binary():
            return _binary(expression, c, header)
        case syntax.Attribute():
            return _attribute(expression, c)
        case syntax.Subscript():
            return _subscript(expression, c)
        case syntax.Call():
            return c.run_call(expression, c)
        case syntax.Pipe():
            return c.run_pipe(expression, c)
        case _:
            assert_never(expression)


def evaluate_size(expression: syntax.Expression, c: Context, header: str) -> Size:
    """An expression that has to be a number or a symbolic size."""
    value = evaluate(expression, c, header)
    if isinstance(value, Number):
        return value.size
    raise c.reject(
        "E0308", f"a size cannot be {described(value)}", expression.span, "it has to be a number"
    )


def evaluate_truth(expression: syntax.Expression, c: Context, purpose: str) -> bool:
    """A condition that has to be decided now, for every size the network allows."""
    value = evaluate(expression, c)
    if isinstance(value, Truth):
        return value.value
    if isinstance(value, Claim):
        proved = prove(value.condition, c.build.where)
        if proved is not None:
            return proved
        raise c.reject(
            "E0315",
            f"{purpose} depends on the size of the image",
            expression.span,
            "true for some sizes only",
            helps=("a condition in the network's header can decide it: `where ...`",),
        )
    raise c.reject(
        "E0315", f"{purpose} cannot be {described(value)}", expression.span, "it is true or false"
    )


def element(name: str, span: Span, c: Context) -> Element:
    """The element type called `name`."""
    found = element_named(name)
    if found is not None:
        return found
    reason = "it exists only on the host" if name == "f32" else "there is no such width"
    raise c.reject(
        "E0305",
        f"`{name}` is not an element type of networks",
        span,
        reason,
        notes=("the types are `trit`, `bin`, `u1` to `u32` and `i2` to `i32`",),
    )


def _unary(expression: syntax.Unary, c: Context, header: str) -> Value:
    value = evaluate(expression.operand, c, header)
    match expression.operator, value:
        case UnaryOperator.NEGATE, Number(size):
            return Number(-size)
        case UnaryOperator.NOT, Truth(truth):
            return Truth(not truth)
        case UnaryOperator.NOT, Claim((left, sign, right)):
            return Claim((left, _NEGATED[sign], right))
        case UnaryOperator.INVERT, Tensor():
            return invert(value, _site(expression, (expression.operand,), (value,)), c)
        case _:
            helps = ("`~x` negates a `trit` or `bin`",) if isinstance(value, Tensor) else ()
            raise c.reject(
                "E0315",
                f"`{expression.operator}` cannot be applied to {described(value)}",
                expression.span,
                helps=helps,
            )


def invert(value: Tensor, site: Site, c: Context) -> Tensor:
    """`~value`."""
    return emit(c, "not", ops.Not(), (value,), site)


_NEGATED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def _binary(expression: syntax.Binary, c: Context, header: str) -> Value:
    left = evaluate(expression.left, c, header)
    if expression.operator in (BinaryOperator.AND, BinaryOperator.OR):
        return _logical(expression, left, c, header)
    right = evaluate(expression.right, c, header)
    match left, right:
        case (Number(a), Number(b)):
            return _numbers(expression, a, b, c)
        case (Tensor(), _) | (_, Tensor()):
            site = _site(expression, (expression.left, expression.right), (left, right))
            return join_tensors(expression.operator, left, right, site, c)
        case _:
            raise _no_operation(expression.operator, left, right, expression.span, c)


def _logical(expression: syntax.Binary, left: Value, c: Context, header: str) -> Value:
    """`and` and `or` look at the right side only if the left one does not decide."""
    if isinstance(left, Truth) and left.value is (expression.operator is BinaryOperator.OR):
        return left
    right = evaluate(expression.right, c, header)
    if isinstance(left, Truth) and isinstance(right, Truth | Claim):
        return right
    raise _no_operation(expression.operator, left, right, expression.span, c)


def _numbers(expression: syntax.Binary, a: Size, b: Size, c: Context) -> Value:
    sign = expression.operator
    if sign.value in COMPARISONS:
        if isinstance(a, int) and isinstance(b, int):
            return Truth(COMPARISONS[sign.value](a, b))
        return Claim((a, sign.value, b))
    try:
        if sign in _ARITHMETIC:
            result = _ARITHMETIC[sign](a, b)
        elif isinstance(a, int) and isinstance(b, int) and (0 <= b < 64 or sign not in _SHIFTS):
            result = _BITWISE[sign](a, b)
        else:
            raise _no_operation(sign, Number(a), Number(b), expression.span, c)
    except ZeroDivisionError:
        raise c.reject("E0315", "division by zero", expression.right.span, "this is 0") from None
    except ProductOfSymbols:
        raise c.reject(
            "E0311",
            "sizes cannot be multiplied with or divided by each other",
            expression.span,
            f"`{a}` {sign} `{b}`",
            notes=("a size is a sum of symbols times numbers, and of `floor(. / number)`",),
        ) from None
    if _largest(result) >= LARGEST:
        raise c.reject(
            "E0315", "this number is too large", expression.span, "it needs over 64 bits"
        )
    return Number(result)


def _largest(size: Size) -> int:
    if isinstance(size, int):
        return abs(size)
    return max(abs(size.constant), *(abs(factor) for _, factor in size.terms))


_SHIFTS = (BinaryOperator.SHIFT_LEFT, BinaryOperator.SHIFT_RIGHT)


def join_tensors(sign: BinaryOperator, left: Value, right: Value, site: Site, c: Context) -> Tensor:
    """An operator between two values, at least one of them a tensor. Raises Rejected."""
    match left, right:
        case (Tensor(), Tensor()) if sign in _TENSOR_OPS:
            op = _TENSOR_OPS[sign]
            return emit(c, _NODE_NAMES[sign], op, (left, right), site)
        case (Tensor(), Tensor()) if sign.value in COMPARISONS:
            op = ops.Compare(ops.CompareKind(sign.value))
            return emit(c, "compare", op, (left, right), site)
        case (Tensor(), Number(int(number))) if sign.value in COMPARISONS:
            op = ops.Compare(ops.CompareKind(sign.value), number)
            return emit(c, "compare", op, (left,), site)
        case (Number(int(number)), Tensor()) if sign.value in COMPARISONS:
            op = ops.Compare(ops.CompareKind(_MIRRORED[sign.value]), number)
            return emit(c, "compare", op, (right,), site)
        case (Tensor(), Number(int(amount))) if sign in _SHIFTS and amount >= 0:
            op = ops.Shift(amount if sign is BinaryOperator.SHIFT_LEFT else -amount)
            return emit(c, "shift", op, (left,), site) if amount else left
        case _:
            raise _no_operation(sign, left, right, site.span, c)


_NODE_NAMES = {
    BinaryOperator.ADD: "add",
    BinaryOperator.SUBTRACT: "sub",
    BinaryOperator.BIT_AND: "and",
    BinaryOperator.BIT_OR: "or",
    BinaryOperator.BIT_XOR: "xor",
}


def _no_operation(
    sign: BinaryOperator, left: Value, right: Value, span: Span, c: Context
) -> Rejected:
    helps: tuple[str, ...] = ()
    if any(isinstance(v, Tensor) for v in (left, right)) and sign in _ARITHMETIC:
        helps = ("a constant is added by moving the thresholds of the next activation",)
        if sign not in (BinaryOperator.ADD, BinaryOperator.SUBTRACT):
            helps = ("a tensor is multiplied or divided by powers of two: `x << 1`, `x >> 1`",)
    elif any(isinstance(v, Claim) for v in (left, right)):
        helps = ("conditions on sizes are listed with commas: `where H >= 16, W >= 16`",)
    return c.reject(
        "E0315",
        f"`{sign}` cannot join {described(left)} and {described(right)}",
        span,
        helps=helps,
    )


def _attribute(expression: syntax.Attribute, c: Context) -> Value:
    value = evaluate(expression.value, c)
    name = expression.name
    match value:
        case StoreKey(store, key):
            return StoreKey(store, join(key, name.text))
        case Library(alias):
            library = c.file.libraries[alias]
            if name.text in library.constants:
                return library.constants[name.text]
            if name.text in library.stores:
                return StoreKey(library.stores[name.text])
            if name.text in library.poisoned:
                raise Rejected
            near = closest(name.text, (*library.constants, *library.stores))
            raise c.reject(
                "E0202",
                f"`{alias}` has no constant called `{name.text}`",
                name.span,
                f"did you mean `{near}`?" if near else "not found",
            )
        case _:
            raise c.reject(
                "E0315",
                f"{described(value)} has no parts with names",
                name.span,
                "only weights files and libraries have",
            )


def _subscript(expression: syntax.Subscript, c: Context) -> Value:
    value = evaluate(expression.value, c)
    if len(expression.indices) != 1:
        raise c.reject(
            "E0315", "one index is needed", expression.span, f"{len(expression.indices)} are given"
        )
    index = expression.indices[0]
    match value, index:
        case Tensor(), syntax.Range(low=low, high=high):
            start, stop = (_index(side, c) for side in (low, high))
            return cut(value, start, stop, _site(expression, (expression.value,), (value,)), c)
        case _, syntax.Range() | syntax.All():
            raise c.reject("E0315", f"{described(value)} has no such part", expression.span)
        case Tensor(), _:
            at = _index(index, c)
            return cut(value, at, at + 1, _site(expression, (expression.value,), (value,)), c)
        case StoreKey(store, key), syntax.StringLiteral(value=text):
            return StoreKey(store, join(key, text))
        case StoreKey(store, key), _:
            return StoreKey(store, f"{key}[{_index(index, c)}]")
        case _:
            raise c.reject("E0315", f"{described(value)} has no parts", expression.span)


def cut(value: Tensor, start: int, stop: int, site: Site, c: Context) -> Tensor:
    """Channels start..stop-1 of a tensor. Raises Rejected."""
    if value.type.shape[0] == stop - start and start == 0:
        return value
    return emit(c, "slice", ops.Slice(start, stop), (value,), site)


def _index(expression: syntax.Expression, c: Context) -> int:
    value = evaluate(expression, c)
    if isinstance(value, Number) and isinstance(value.size, int):
        return value.size
    raise c.reject(
        "E0308", f"an index cannot be {described(value)}", expression.span, "it is a number"
    )


def _site(
    expression: syntax.Expression,
    operands: tuple[syntax.Expression, ...],
    values: tuple[Value, ...],
) -> Site:
    tensors = [
        (o.span, v.made) for o, v in zip(operands, values, strict=True) if isinstance(v, Tensor)
    ]
    return Site(
        span=expression.span,
        uses=tuple(use for use, _ in tensors),
        made=tuple(made for _, made in tensors),
    )
