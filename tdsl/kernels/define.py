"""A function in a source file -> a kernel or micro-op with its header and forms checked."""

import ast
from collections.abc import Callable

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.kernels.definition import Declared, Definition, Outer
from tdsl.kernels.forms import check_forms
from tdsl.kernels.row_types import RowType
from tdsl.kernels.signature import parameters, results
from tdsl.kernels.source import SourceFile

MOST_CODE = (1 << 8) - 1
MOST_CYCLES = (1 << 16) - 1
MOST_FEMTOJOULES = (1 << 24) - 1


def define(
    file: SourceFile,
    function: ast.FunctionDef,
    outside: Callable[[str], Outer],
    declared: Declared | None = None,
    path: str = "",
) -> Definition:
    """The definition of a kernel (a micro-op, if `declared`). Raises CompileError."""
    kind = "kernel" if declared is None else "micro-op"
    found: list[Diagnostic] = []
    made = Definition(
        function.name,
        file,
        function,
        parameters(file, function, kind, found),
        results(file, function, kind, found),
        outside,
        declared,
        path,
    )
    found += check_forms(file, function)
    if declared is not None and not found:
        found += _micro_op_mistakes(made, declared)
    if found:
        raise CompileError(found, {file.name: file.text})
    return made


def _micro_op_mistakes(made: Definition, declared: Declared) -> list[Diagnostic]:
    """What a micro-op cannot be, though a kernel could."""
    limits = (
        ("opcode", declared.opcode, 0, MOST_CODE, ""),
        ("cycles", declared.cycles, 1, MOST_CYCLES, ""),
        ("energy", declared.femtojoules, 0, MOST_FEMTOJOULES, " fJ"),
    )
    messages = [
        (
            f"`{name}` of micro-op `{made.name}` is {value}{unit}",
            f"{low} to {high}{unit} can be",
        )
        for name, value, low, high, unit in limits
        if not low <= value <= high
    ]
    if made.constants:
        messages.append(
            (f"micro-op `{made.name}` takes a constant", "an instruction is not specialised")
        )
    if len(made.results) != 1 or not isinstance(made.results[0], RowType):
        messages.append(
            (f"micro-op `{made.name}` has to give one row", "no tuple, and no total of an image")
        )
    return [
        Diagnostic(code="K0117", message=message, primary=Label(made.span, label))
        for message, label in messages
    ]
