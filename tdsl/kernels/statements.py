"""Statements of a kernel -> what its `return` gives; loops are unrolled, branches decided."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tdsl.kernels.arithmetic import SYMBOLS, binary, refuse_unknown
from tdsl.kernels.expressions import bind, decided, evaluate
from tdsl.kernels.functions import items_of
from tdsl.kernels.results import fit
from tdsl.kernels.scope import Rejected, Scope
from tdsl.kernels.signature import row_type
from tdsl.kernels.values import Poison, Value


class Flow(Enum):
    """Where a statement leads, if not to the next one."""

    BREAK = "break"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Returned:
    """The end of a kernel: its value, and the expression that says so."""

    value: Value
    node: ast.Return


End = Returned | Flow | None


def run_body(scope: Scope, body: Sequence[ast.stmt]) -> End:
    """Work out statements in their order; None where they end without a `return`."""
    for statement in body:
        scope.count(statement)
        try:
            end = _run(scope, statement)
        except Rejected:
            if isinstance(statement, ast.Return):
                return Returned(Poison(), statement)
            _poison(scope, statement)
            continue
        if end is not None:
            return end
    return None


def _run(scope: Scope, statement: ast.stmt) -> End:
    match statement:
        case ast.Assign(targets=targets, value=value):
            found = evaluate(scope, value)
            for target in targets:
                bind(scope, target, found)
        case ast.AugAssign():
            _augment(scope, statement)
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            stated = row_type(scope.definition.file, annotation, scope.build.diagnostics)
            if stated is None:
                raise Rejected
            if value is not None:
                bind(scope, target, fit(scope, evaluate(scope, value), stated, value))
        case ast.For():
            return _loop(scope, statement)
        case ast.If(test=test, body=body, orelse=other):
            return run_body(scope, body if decided(scope, test, statement) else other)
        case ast.Return(value=value):
            return Returned(None if value is None else evaluate(scope, value), statement)
        case ast.Break():
            return Flow.BREAK
        case ast.Continue():
            return Flow.CONTINUE
        case ast.Expr(value=ast.Call() as call):
            evaluate(scope, call)
        case _:
            pass
    return None


def _augment(scope: Scope, statement: ast.AugAssign) -> None:
    """`a += b`, which is `a = a + b`."""
    target = statement.target
    old = evaluate(scope, target)
    value = evaluate(scope, statement.value)
    refuse_unknown(old, value)
    if isinstance(old, list) and isinstance(statement.op, ast.Add):
        old += items_of(scope, value, statement.value)
        return
    place = ast.copy_location(ast.BinOp(target, statement.op, statement.value), statement)
    bind(scope, target, binary(scope, SYMBOLS[type(statement.op)], old, value, place))


def _loop(scope: Scope, loop: ast.For) -> End:
    for item in items_of(scope, evaluate(scope, loop.iter), loop.iter):
        scope.count(loop.iter)
        bind(scope, loop.target, item)
        match run_body(scope, loop.body):
            case Returned() as end:
                return end
            case Flow.BREAK:
                return None
            case _:
                pass
    return run_body(scope, loop.orelse)


def _poison(scope: Scope, statement: ast.stmt) -> None:
    """What a statement with a mistake would have assigned is not asked about again."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope.values[node.id] = Poison()
