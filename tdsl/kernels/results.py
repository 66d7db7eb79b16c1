"""What a kernel returns -> the outputs and totals of its program, held against their types."""

import ast

from tdsl.diagnostics import Label
from tdsl.ir.tensor_type import TRIT
from tdsl.kernels.arithmetic import SYMBOLS, as_row, refuse_unknown
from tdsl.kernels.definition import Definition
from tdsl.kernels.functions import items_of
from tdsl.kernels.row_types import (
    ResultType,
    RowType,
    TotalType,
    holding,
    range_of_element,
    written,
)
from tdsl.kernels.scope import Rejected, Scope
from tdsl.kernels.values import Row, Total, Value
from tdsl.rows.ir import Range, RowOutput, RowProgram, RowTotal
from tdsl.rows.printer import range_text


def fit(scope: Scope, value: Value, stated: ResultType, node: ast.expr) -> Value:
    """The value as a value of its declared type. Reports K0106 and K0115."""
    refuse_unknown(value)
    match stated:
        case TotalType():
            return _total(scope, value, stated, node)
        case RowType(channels=None):
            return _row(scope, value, stated, node)
        case RowType(channels=channels):
            items = value if isinstance(value, list | tuple) else None
            if items is None or len(items) != channels:
                raise scope.reject(
                    "K0115",
                    f"`{stated}` has {channels} channels",
                    node,
                    f"this is {scope.type_text(value)}",
                    helps=("a list of rows is an image of several channels",),
                )
            return tuple(_row(scope, item, stated, node) for item in items)


def result_of(
    scope: Scope, name: str, value: Value, stated: ResultType, node: ast.expr
) -> RowOutput | RowTotal:
    """One result of the program."""
    fitted = fit(scope, value, stated, node)
    match fitted:
        case Total(positions=positions, reduction=reduction):
            return RowTotal(name, positions, reduction)
        case Row(position=position):
            positions = (position,)
        case _:
            rows = (as_row(scope, item, node) for item in items_of(scope, fitted, node))
            positions = tuple(row.position for row in rows)
    assert isinstance(stated, RowType)
    return RowOutput(name, positions, range_of_element(stated.element))


def result_names(definition: Definition, program: RowProgram) -> list[str]:
    """The names of the results in the order of the kernel: outputs and totals may alternate."""
    outputs, totals = iter(program.outputs), iter(program.totals)
    return [
        next(totals).name if isinstance(stated, TotalType) else next(outputs).name
        for stated in definition.results
    ]


def _row(scope: Scope, value: Value, stated: RowType, node: ast.expr) -> Row:
    if isinstance(value, Total):
        raise scope.reject(
            "K0115",
            f"a total of the whole image is no `{stated}`",
            node,
            "one number, not one a pixel",
            helps=(f"write its type as `{TotalType(value.many)}`",),
        )
    if isinstance(value, list | tuple):
        raise scope.reject(
            "K0115",
            f"`{stated}` is one row",
            node,
            f"this is {scope.type_text(value)}",
            helps=(f"declare all: `-> tuple[{', '.join([str(stated)] * len(value))}]`",)
            if 1 < len(value) < 5
            else ("take one of them: `rows[0]`",),
        )
    row = as_row(scope, value, node)
    if not range_of_element(stated.element).holds(scope.range(row)):
        raise _misfit(scope, row, stated, node)
    return Row(row.position, stated.element == TRIT)


def _total(scope: Scope, value: Value, stated: TotalType, node: ast.expr) -> Total:
    if isinstance(value, Total) and value.many == stated.many:
        return value
    helps = {
        True: ("`histogram(x, bins)` is a list of totals",),
        False: ("`sum(x)` and `any(x)` are numbers over the whole image",),
    }[stated.many]
    raise scope.reject(
        "K0115",
        f"`{stated}` is the type of a total",
        node,
        f"this is {scope.type_text(value)}",
        helps=(f"write its type as `{TotalType(value.many)}`",)
        if isinstance(value, Total)
        else helps,
    )


def _misfit(scope: Scope, row: Row, stated: RowType, node: ast.expr) -> Rejected:
    """The message for values that their declared type does not hold."""
    found, text = scope.range(row), scope.words(node)
    element = stated.element
    symbol, both_trits = _operator(scope, node)
    what = f"`{symbol}`" if symbol else f"`{text}`" if len(text) <= 40 else "this value"
    if both_trits:
        what += " of two `trit` rows"
    word = "a trit" if element == TRIT else f"`{stated}`"
    made = scope.build.builder.values[row.position].span
    elsewhere = made.line != scope.span(node).line and made.file == scope.span(node).file
    return scope.reject(
        "K0106",
        f"{what} does not fit {word}",
        node,
        f"result is {range_text(found)}",
        secondary=(Label(made, "made here"),) if elsewhere else (),
        notes=(f"`{written(element)}` holds {range_text(range_of_element(element))}",),
        helps=tuple(_ways_out(scope, found, stated, text, symbol, both_trits, node)),
    )


def _ways_out(
    scope: Scope,
    found: Range,
    stated: RowType,
    text: str,
    symbol: str,
    both_trits: bool,
    node: ast.expr,
) -> list[str]:
    ways: list[str] = []
    if symbol == "-" and found.low < 0 and isinstance(node, ast.BinOp):
        ways.append(f"`abs({text})` is the distance of the two")
    if symbol == "+" and both_trits and isinstance(node, ast.BinOp):
        a, b = scope.words(node.left), scope.words(node.right)
        ways.append(f"use a logical gate: `{a} | {b}` (max), `{a} & {b}` (min)")
    wider = holding(found)
    if wider.bits <= 32:
        ways.append(f"return what holds it: `{RowType(wider, stated.channels)}`")
    ways.append(f"or saturate: `clip({text}, {written(stated.element)})`")
    if stated.element != TRIT:
        ways.append(f"or keep the low bits: `wrap({text}, {written(stated.element)})`")
    return ways


def _operator(scope: Scope, node: ast.expr) -> tuple[str, bool]:
    """The symbol of an operation, and whether it is one of two trits."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        return "", False
    symbol = SYMBOLS[type(node.op)]
    names = (node.left, node.right)
    values = [scope.values.get(one.id) for one in names if isinstance(one, ast.Name)]
    trits = [isinstance(value, Row) and value.trit for value in values]
    return symbol, len(trits) == 2 and all(trits)
