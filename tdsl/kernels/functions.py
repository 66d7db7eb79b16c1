"""The functions of the language of kernels: what each makes of its arguments."""

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise

from tdsl.ir.tensor_type import TRIT, Element, Kind
from tdsl.kernels.arithmetic import (
    TRITS,
    as_row,
    binary,
    extreme,
    is_number,
    logical,
    made,
    refuse_unknown,
    select,
)
from tdsl.kernels.row_types import range_of_element, written
from tdsl.kernels.scope import MOST_STEPS, Rejected, Scope
from tdsl.kernels.source import Node
from tdsl.kernels.values import Method, Row, Total, Value
from tdsl.rows.ir import Arithmetic, Reduction, Relation, Sole
from tdsl.rows.printer import range_text

Arguments = Sequence[Value]
Meaning = Callable[[Scope, Arguments, Node], Value]

MOST_BINS = 1024


def call_function(scope: Scope, name: str, arguments: Arguments, node: Node) -> Value:
    """The value of a call of the function `name`."""
    low, high, usage, meaning = FUNCTIONS[name]
    if not low <= len(arguments) <= high:
        raise scope.reject(
            "K0110",
            f"`{name}` does not take {len(arguments)} arguments",
            node,
            helps=(f"write `{usage}`",),
        )
    refuse_unknown(*arguments)
    return meaning(scope, arguments, node)


def saturated(scope: Scope, row: Row, low: int, high: int, node: Node) -> Row:
    """A row with everything below `low` and above `high` replaced by these."""
    builder = scope.at(node)
    above = builder.binary(Arithmetic.MAX, row.position, builder.constant(low))
    return Row(builder.binary(Arithmetic.MIN, above, builder.constant(high)))


def _mux(scope: Scope, a: Arguments, node: Node) -> Value:
    return select(scope, a[0], a[1], a[2], node)


def _extreme(op: Arithmetic) -> Meaning:
    def meaning(scope: Scope, a: Arguments, node: Node) -> Value:
        items = _items(scope, a, node)
        return reduce(lambda x, y: extreme(scope, op, x, y, node), items)

    return meaning


def _abs(scope: Scope, a: Arguments, node: Node) -> Value:
    if is_number(a[0]):
        return abs(a[0])
    row = as_row(scope, a[0], node)
    return made(scope, Row(scope.at(node).unary(Sole.ABS, row.position)), node)


def _popcount(scope: Scope, a: Arguments, node: Node) -> Value:
    if is_number(a[0]) and a[0] >= 0:
        return a[0].bit_count()
    row = as_row(scope, a[0], node)
    if scope.range(row).signed:
        raise scope.reject(
            "K0111",
            "`popcount` counts the ones of values that are not negative",
            node,
            f"{scope.type_text(row)} is {range_text(scope.range(row))}",
            helps=("take the bits that count: `popcount(wrap(x, U8))`",),
        )
    return Row(scope.at(node).unary(Sole.POPCOUNT, row.position))


def _widen(scope: Scope, a: Arguments, node: Node) -> Value:
    element = _element(scope, a[1], "widen", node)
    row = as_row(scope, a[0], node)
    if not range_of_element(element).holds(scope.range(row)):
        raise scope.reject(
            "K0106",
            f"`{written(element)}` does not hold {scope.type_text(row)}",
            node,
            f"the values are {range_text(scope.range(row))},"
            f" `{written(element)}` holds {range_text(range_of_element(element))}",
            helps=(f"saturate: `clip(x, {written(element)})`",),
        )
    return Row(row.position, element == TRIT)


def _clip(scope: Scope, a: Arguments, node: Node) -> Value:
    row = as_row(scope, a[0], node)
    if len(a) == 2:
        element = _element(scope, a[1], "clip", node)
        found = range_of_element(element)
        return Row(saturated(scope, row, found.low, found.high, node).position, element == TRIT)
    low, high = a[1], a[2]
    if not is_number(low) or not is_number(high):
        lower = extreme(scope, Arithmetic.MAX, row, low, node)
        return extreme(scope, Arithmetic.MIN, lower, high, node)
    if low > high:
        raise scope.reject("K0110", f"`clip` between {low} and {high} leaves no value", node)
    clipped = saturated(scope, row, low, high, node)
    return Row(clipped.position, row.trit and TRITS.holds(scope.range(clipped)))


def _wrap(scope: Scope, a: Arguments, node: Node) -> Value:
    """The low bits, as a number of the type: two's complement where it is signed."""
    element = _element(scope, a[1], "wrap", node)
    if element.kind is Kind.TRIT:
        raise scope.reject(
            "K0110", "`wrap` keeps low bits, and `Trits` have none", node,
            helps=("saturate: `clip(x, Trits)`",),
        )  # fmt: skip
    row = as_row(scope, a[0], node)
    if range_of_element(element).holds(scope.range(row)):
        return Row(row.position)
    builder = scope.at(node)
    mask = builder.constant((1 << element.bits) - 1)
    low = builder.binary(Arithmetic.AND, row.position, mask)
    if element.kind is Kind.UNSIGNED:
        return Row(low)
    half = builder.constant(1 << (element.bits - 1))
    turned = builder.binary(Arithmetic.XOR, low, half)
    return Row(builder.binary(Arithmetic.SUB, turned, half))


def _sum(scope: Scope, a: Arguments, node: Node) -> Value:
    if isinstance(a[0], list | tuple | range):
        total: Value = 0
        for item in a[0]:
            total = binary(scope, "+", total, item, node)
        return total
    row = as_row(scope, a[0], node)
    return _total((row,), Reduction.SUM)


def _any(scope: Scope, a: Arguments, node: Node) -> Value:
    if isinstance(a[0], list | tuple):
        return _joined(scope, False, a[0], node)
    row = as_row(scope, a[0], node)
    return _total((row,), Reduction.ANY)


def _all(scope: Scope, a: Arguments, node: Node) -> Value:
    if isinstance(a[0], list | tuple):
        return _joined(scope, True, a[0], node)
    raise scope.reject(
        "K0110",
        "`all` joins a list of bits, not the pixels of an image",
        node,
        helps=("return whether any pixel fails: `any(x == 0)`",),
    )


def _histogram(scope: Scope, a: Arguments, node: Node) -> Value:
    """How many pixels lie in each of equal parts of the range of a row."""
    row, bins = as_row(scope, a[0], node), a[1]
    found = scope.range(row)
    count = found.high - found.low + 1
    if not is_number(bins) or not 1 <= bins <= min(count, MOST_BINS):
        raise scope.reject(
            "K0110",
            "`histogram` takes a constant number of bins",
            node,
            f"1 to {min(count, MOST_BINS)}, since the values are {range_text(found)}",
        )
    edges = [found.low - (-count * k // bins) for k in range(bins + 1)]
    rows = [_between(scope, row, low, high, node) for low, high in pairwise(edges)]
    return _total(rows, Reduction.SUM, many=True)


def _between(scope: Scope, row: Row, low: int, high: int, node: Node) -> Row:
    """1 where a row is at least `low` and below `high`."""
    builder = scope.at(node)
    size = high - low
    if low >= 0 and size.bit_count() == 1 and low % size == 0:
        upper = builder.scale(row.position, -(size.bit_length() - 1))
        part = builder.constant(low // size)
        return Row(builder.compare(Relation.EQUAL, upper, part))
    below = [
        builder.compare(Relation.LESS, row.position, builder.constant(edge)) for edge in (low, high)
    ]
    return Row(builder.binary(Arithmetic.XOR, below[0], below[1]))


def _total(rows: Sequence[Row], reduction: Reduction, *, many: bool = False) -> Total:
    return Total(tuple(row.position for row in rows), reduction, many)


def _joined(scope: Scope, both: bool, items: Sequence[Value], node: Node) -> Value:
    start: Value = both
    return reduce(lambda x, y: logical(scope, both, x, y, node), items, start)


def _len(scope: Scope, a: Arguments, node: Node) -> Value:
    if isinstance(a[0], list | tuple | range):
        return len(a[0])
    raise scope.reject(
        "K0111", f"{scope.type_text(a[0])} has no length", node,
        helps=("pass the number as a constant: `n: Const[int]`",),
    )  # fmt: skip


def _range(scope: Scope, a: Arguments, node: Node) -> Value:
    numbers = [value for value in a if is_number(value)]
    if len(numbers) < len(a):
        row = next(value for value in a if not is_number(value))
        raise scope.reject(
            "K0105",
            "the number of turns of a loop has to be a constant",
            node,
            f"this is {scope.type_text(row)}",
            notes=("all pixels run the same micro-ops, one turn after the other",),
            helps=("loop to the largest number, and keep the old value by `mux` where it is over",),
        )
    if len(numbers) == 3 and numbers[2] == 0:
        raise scope.reject("K0110", "`range` cannot step by 0", node)
    made = range(*(int(number) for number in numbers))
    if made and abs(made[-1] - made[0]) // abs(made.step) >= MOST_STEPS:
        raise scope.reject(
            "K0116", f"`{scope.words(node)}` has too many turns", node, f"{MOST_STEPS} at most"
        )
    return made


def _listed(kind: Callable[[Sequence[Value]], Value]) -> Meaning:
    def meaning(scope: Scope, a: Arguments, node: Node) -> Value:
        return kind(items_of(scope, a[0], node)) if a else kind(())

    return meaning


def _enumerate(scope: Scope, a: Arguments, node: Node) -> Value:
    return list(enumerate(items_of(scope, a[0], node)))


def _zip(scope: Scope, a: Arguments, node: Node) -> Value:
    return list(zip(*(items_of(scope, items, node) for items in a), strict=False))


def _int(scope: Scope, a: Arguments, node: Node) -> Value:
    return int(a[0]) if is_number(a[0]) else as_row(scope, a[0], node)


def items_of(scope: Scope, value: Value, node: Node) -> Sequence[Value]:
    """The items of a list, a tuple or a range. Reports K0105 for anything else."""
    refuse_unknown(value)
    if isinstance(value, list | tuple | range):
        return value
    raise scope.reject(
        "K0105",
        "a loop goes over what is known while compiling",
        node,
        f"this is {scope.type_text(value)}",
        helps=("use `for i in range(n)` with a constant n, or a list of rows",),
    )


def _items(scope: Scope, a: Arguments, node: Node) -> Sequence[Value]:
    items = items_of(scope, a[0], node) if len(a) == 1 else a
    if not items:
        raise scope.reject("K0110", f"`{scope.words(node)}` has nothing to choose from", node)
    return items


def _element(scope: Scope, value: Value, name: str, node: Node) -> Element:
    if isinstance(value, Element):
        return value
    raise scope.reject(
        "K0110",
        f"`{name}` takes a type as its second argument",
        node,
        f"this is {scope.type_text(value)}",
        helps=(f"write `{name}(x, U8)`",),
    )


def append(scope: Scope, method: Method, arguments: Arguments, node: Node) -> None:
    """`items.append(value)`."""
    if len(arguments) != 1:
        raise scope.reject("K0110", f"`append` does not take {len(arguments)} arguments", node)
    method.items.append(arguments[0])


def unknown_function(scope: Scope, name: str, node: Node, near: str | None) -> Rejected:
    """Report the call of what a kernel cannot call."""
    return scope.reject(
        "K0109",
        f"`{name}` does not exist inside a kernel",
        node,
        f"did you mean `{near}`?" if near else "this is ordinary Python",
        notes=(f"inside a kernel: {', '.join(FUNCTIONS)}, static, and other kernels",),
        helps=_ADVICE.get(name, ()),
    )


_ADVICE = {
    "np.abs": ("`abs(x)` is the absolute value",),
    "np.where": ("`mux(condition, a, b)` selects pixel by pixel",),
    "np.minimum": ("`min(a, b)` is the smaller one",),
    "np.maximum": ("`max(a, b)` is the larger one",),
    "np.clip": ("`clip(x, low, high)` saturates",),
    "np.median": ("a median is a sorting network of `min` and `max`",),
    "sorted": ("sort by a network of `min` and `max`",),
    "round": ("rows are whole numbers: `(x + 2) >> 2` divides by 4 and rounds",),
    "print": ("return the row: results may be a tuple",),
    "float": ("rows are whole numbers: scale first, `(x * 77) >> 8`",),
}
_MANY = 1 << 12

FUNCTIONS: dict[str, tuple[int, int, str, Meaning]] = {
    "min": (1, _MANY, "min(a, b)", _extreme(Arithmetic.MIN)),
    "max": (1, _MANY, "max(a, b)", _extreme(Arithmetic.MAX)),
    "mux": (3, 3, "mux(condition, a, b)", _mux),
    "abs": (1, 1, "abs(x)", _abs),
    "popcount": (1, 1, "popcount(x)", _popcount),
    "widen": (2, 2, "widen(x, I16)", _widen),
    "clip": (2, 3, "clip(x, low, high)` or `clip(x, U8)", _clip),
    "wrap": (2, 2, "wrap(x, U8)", _wrap),
    "sum": (1, 1, "sum(x)", _sum),
    "any": (1, 1, "any(x)", _any),
    "all": (1, 1, "all([a, b])", _all),
    "histogram": (2, 2, "histogram(x, bins)", _histogram),
    "len": (1, 1, "len(rows)", _len),
    "range": (1, 3, "range(n)", _range),
    "list": (0, 1, "list(rows)", _listed(list)),
    "tuple": (0, 1, "tuple(rows)", _listed(tuple)),
    "enumerate": (1, 1, "enumerate(rows)", _enumerate),
    "zip": (1, _MANY, "zip(a, b)", _zip),
    "reversed": (1, 1, "reversed(rows)", _listed(lambda items: list(items)[::-1])),
    "int": (1, 1, "int(n)", _int),
}
"""By name: the fewest and most arguments, how it is written, what it does."""
