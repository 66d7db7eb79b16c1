"""A kernel and the values of its constants -> a row program, or every mistake of its body."""

import ast
from collections.abc import Mapping

from tdsl.diagnostics import CompileError, Label
from tdsl.ir.tensor_type import TRIT
from tdsl.kernels.definition import Definition, Parameter
from tdsl.kernels.results import fit, result_of
from tdsl.kernels.row_types import ConstType, RowType, range_of_element
from tdsl.kernels.scope import Build, NotYet, Rejected, Scope
from tdsl.kernels.source import Node
from tdsl.kernels.statements import Returned, run_body
from tdsl.kernels.values import Poison, Row, Unknown, Value
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import RowInput, RowOutput, RowProgram, RowTotal, UserOp
from tdsl.rows.rewrite import without_dead_values
from tdsl.rows.verifier import verify_rows


def specialize(definition: Definition, constants: Mapping[str, int]) -> RowProgram:
    """The row program of a kernel for these values of all its constants.

    Raises CompileError with every mistake of its body.
    """
    program, build = _built(definition, constants, final=True)
    if build.diagnostics or program is None:
        raise CompileError(build.diagnostics, build.texts())
    verify_rows(program)
    return program


def look_over(definition: Definition) -> None:
    """Raise CompileError for what is wrong whatever the constants without a default will be."""
    defaults = {p.name: p.default for p in definition.constants if p.default is not None}
    try:
        _, build = _built(definition, defaults, final=False)
    except NotYet:
        return
    if build.diagnostics:
        raise CompileError(build.diagnostics, build.texts())


def _built(
    definition: Definition, constants: Mapping[str, int], *, final: bool
) -> tuple[RowProgram | None, Build]:
    inputs = [_input(p.name, p.type) for p in definition.rows if isinstance(p.type, RowType)]
    build = Build(RowBuilder(inputs), call_kernel, final=final)
    build.sources[definition.file.name] = definition.file.text
    scope = Scope(definition, build, stack=(definition,))
    number = 0
    for parameter in definition.parameters:
        match parameter.type:
            case RowType() as row:
                build.builder.span = parameter.span
                scope.values[parameter.name] = _argument(build.builder, number, row)
                number += 1
            case ConstType(truth=truth):
                value = constants.get(parameter.name)
                known = Unknown() if value is None else bool(value) if truth else int(value)
                scope.values[parameter.name] = known
    results = _results(scope)
    if build.diagnostics:
        return None, build
    outputs = tuple(one for one in results if isinstance(one, RowOutput))
    totals = tuple(one for one in results if isinstance(one, RowTotal))
    values = tuple(build.builder.values)
    program = RowProgram(definition.name, tuple(inputs), values, outputs, totals)
    return without_dead_values(program), build


def call_kernel(
    scope: Scope,
    callee: Definition,
    arguments: list[Value],
    named: dict[str, Value],
    node: Node,
) -> Value:
    """The result of a kernel or micro-op called inside another: its body worked out here."""
    if callee in scope.stack:
        raise scope.reject(
            "K0113",
            f"{callee.kind} `{callee.name}` calls itself",
            node,
            "the array has no stack",
            helps=("use `for i in range(n)` with a constant n",),
        )
    given = _bound(scope, callee, arguments, named, node)
    inner = Scope(
        callee,
        scope.build,
        {p.name: _fitted(scope, p, given[p.name], node) for p in callee.parameters},
        (Label(scope.span(node), f"`{callee.name}` is called here"), *scope.calls),
        (*scope.stack, callee),
    )
    scope.build.sources[callee.file.name] = callee.file.text
    if callee.declared is None:
        return _called(inner)
    builder = scope.build.builder
    with builder.enclosed() as inside:
        body = _called(inner)
    if not isinstance(body, Row):
        raise Rejected
    declared = callee.declared
    scope.at(node)
    op = UserOp(
        callee.name,
        declared.opcode,
        declared.cycles,
        declared.femtojoules,
        body.position,
        tuple(inside),
    )
    return Row(builder.user_op(op), body.trit)


def _called(inner: Scope) -> Value:
    """What the body of a kernel called from another gives, as values of its declared types."""
    end = run_body(inner, inner.definition.function.body)
    if not isinstance(end, Returned) or isinstance(end.value, Poison):
        if not isinstance(end, Returned):
            raise _endless(inner)
        raise Rejected
    parts = _parts(inner, end)
    fitted = [
        fit(inner, value, stated, node)
        for (value, node), stated in zip(parts, inner.definition.results, strict=True)
    ]
    return fitted[0] if len(fitted) == 1 else tuple(fitted)


def _results(scope: Scope) -> list[RowOutput | RowTotal]:
    """The results of the whole program; none after a mistake."""
    definition = scope.definition
    try:
        if definition.declared is not None:
            return [_micro_op_alone(scope)]
        end = run_body(scope, definition.function.body)
        if not isinstance(end, Returned):
            raise _endless(scope)
        if isinstance(end.value, Poison):
            return []
        parts = _parts(scope, end)
        names = _names([node for _, node in parts])
        return [
            result_of(scope, name, value, stated, node)
            for name, (value, node), stated in zip(names, parts, definition.results, strict=True)
        ]
    except Rejected:
        return []


def _micro_op_alone(scope: Scope) -> RowOutput | RowTotal:
    """The result of a micro-op that is no part of a kernel."""
    definition = scope.definition
    ends = [n.value for n in ast.walk(definition.function) if isinstance(n, ast.Return)]
    if not ends or ends[-1] is None:
        raise _endless(scope)
    outside = Scope(definition, scope.build)
    value = call_kernel(outside, definition, [], scope.values, ends[-1])
    return result_of(outside, "result", value, definition.results[0], ends[-1])


def _parts(scope: Scope, end: Returned) -> list[tuple[Value, ast.expr]]:
    """The results one by one, each with its expression. Reports K0115 for a wrong number."""
    stated = scope.definition.results
    node = end.node.value
    if node is None:
        raise _endless(scope)
    if len(stated) == 1:
        return [(end.value, node)]
    values = end.value if isinstance(end.value, list | tuple) else (end.value,)
    if len(values) != len(stated):
        raise scope.reject(
            "K0115",
            f"{scope.definition.kind} `{scope.definition.name}` has {len(stated)} results",
            node,
            f"this is {len(values)}",
            helps=("return as many as the type behind `->` says",),
        )
    whole = isinstance(node, ast.Tuple) and len(node.elts) == len(values)
    nodes = node.elts if isinstance(node, ast.Tuple) and whole else [node] * len(values)
    return list(zip(values, nodes, strict=True))


def _names(nodes: list[ast.expr]) -> list[str]:
    """Results are called as the variables returned; else `result`, with a number if several."""
    names = [node.id if isinstance(node, ast.Name) else "" for node in nodes]
    if all(names) and len(set(names)) == len(names):
        return names
    return ["result"] if len(nodes) == 1 else [f"result_{i}" for i in range(len(nodes))]


def _endless(scope: Scope) -> Rejected:
    definition = scope.definition
    return scope.reject(
        "K0115",
        f"{definition.kind} `{definition.name}` returns nothing",
        definition.span,
        "it ends without a result",
        helps=("end it with `return`",),
    )


def _input(name: str, found: RowType) -> RowInput:
    return RowInput(
        name, range_of_element(found.element), found.channels or 1, found.border, found.pad
    )


def _argument(builder: RowBuilder, number: int, found: RowType) -> Value:
    """An image as rows: one, or a tuple of its channels."""
    trit = found.element == TRIT
    if found.channels is None:
        return Row(builder.read(number), trit)
    return tuple(Row(builder.read(number, c), trit) for c in range(found.channels))


def _bound(
    scope: Scope,
    callee: Definition,
    arguments: list[Value],
    named: dict[str, Value],
    node: Node,
) -> dict[str, Value]:
    """The arguments of a call by name. Reports K0110 for those that do not fit."""
    names = [p.name for p in callee.parameters]
    given = dict(zip(names, arguments, strict=False))
    defaults = {p.name: p.default for p in callee.parameters if p.default is not None}
    twice = sorted(set(given) & set(named))
    unknown = sorted(set(named) - set(names))
    missing = [n for n in names if n not in {*given, *named, *defaults}]
    if len(arguments) <= len(names) and not (twice or unknown or missing):
        return {**defaults, **given, **named}
    reason = (
        f"`{missing[0]}` is missing" if missing
        else f"there is no `{unknown[0]}`" if unknown
        else f"`{twice[0]}` is given twice" if twice
        else f"it takes {len(names)}, {len(arguments)} are given"
    )  # fmt: skip
    raise scope.reject(
        "K0110",
        f"the arguments do not fit {callee.kind} `{callee.name}`",
        node,
        reason,
        helps=(f"it is `{signature_text(callee)}`",),
    )


def _fitted(scope: Scope, parameter: Parameter, value: Value, node: Node) -> Value:
    """An argument of an inner call as a value of the type that is declared."""
    match parameter.type:
        case ConstType(truth=truth):
            if isinstance(value, Unknown):
                raise NotYet
            if isinstance(value, int):
                return bool(value) if truth else int(value)
            raise scope.reject(
                "K0110",
                f"`{parameter.name}` has to be a constant",
                node,
                f"it is {scope.type_text(value)}",
            )
        case RowType() as stated:
            assert isinstance(node, ast.expr)
            return fit(scope, value, stated, node)


def signature_text(definition: Definition) -> str:
    """`changed(a: U8[L], thr: Const[int] = 12)`."""
    parts = [
        f"{p.name}: {p.type}" + ("" if p.default is None else f" = {p.default}")
        for p in definition.parameters
    ]
    return f"{definition.name}({', '.join(parts)})"
