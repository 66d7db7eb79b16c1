"""`rows[i]` and `img[dy, dx]`: items of lists, and neighbours of pixels."""

import ast
from collections.abc import Sequence

from tdsl.kernels.arithmetic import is_number, refuse_unknown
from tdsl.kernels.scope import Scope
from tdsl.kernels.values import Row, Value

MOST_OFFSET = 1 << 12


def item(scope: Scope, value: Value, index: Value, node: ast.Subscript) -> Value:
    """The item of a list, or the neighbour of a row. Reports K0111, K0114 and K0117."""
    refuse_unknown(value)
    match value:
        case Row():
            return _neighbour(scope, value, index, node)
        case list() | tuple() | range():
            return value[place(scope, value, index, node)]
        case _:
            raise scope.reject("K0111", f"{scope.type_text(value)} has no parts", node)


def place(scope: Scope, items: Sequence[Value], index: Value, node: ast.Subscript) -> int:
    """The index of an item that a list has."""
    number = integer(scope, index, node.slice)
    if -len(items) <= number < len(items):
        return number
    raise scope.reject(
        "K0114",
        f"there is no item {number}",
        node.slice,
        f"this list has {len(items)}: 0 to {len(items) - 1}" if items else "the list is empty",
    )


def integer(scope: Scope, value: Value, node: ast.expr) -> int:
    """A constant number."""
    refuse_unknown(value)
    if is_number(value):
        return int(value)
    raise scope.reject(
        "K0114",
        "an index has to be a constant",
        node,
        f"this is {scope.type_text(value)}",
        helps=("select by `mux(i == 0, a, b)`",) if isinstance(value, Row) else (),
    )


def _neighbour(scope: Scope, row: Row, index: Value, node: ast.Subscript) -> Value:
    """`img[dy, dx]`: the pixel `dy` lines below and `dx` to the right."""
    if not isinstance(index, tuple) or len(index) != 2:
        raise scope.reject(
            "K0114",
            "a row is indexed by two numbers: lines below, pixels to the right",
            node.slice,
            helps=(f"`{scope.words(node.value)}[0, 1]` is the pixel to the right",),
        )
    if any(one.declared is not None for one in scope.stack):
        raise scope.reject(
            "K0117",
            "a micro-op works on each pixel alone",
            node,
            "this is a neighbour",
            helps=("pass the neighbour as an argument",),
        )
    dy, dx = (integer(scope, one, node.slice) for one in index)
    if max(abs(dy), abs(dx)) >= MOST_OFFSET:
        raise scope.reject(
            "K0114",
            f"a neighbour {max(abs(dy), abs(dx))} pixels away is out of reach",
            node.slice,
            f"less than {MOST_OFFSET} either way",
        )
    return Row(scope.at(node).shift(row.position, dy, dx), row.trit)
