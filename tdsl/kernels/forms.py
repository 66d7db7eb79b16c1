"""The statements and expressions that a kernel is made of; every other form is refused at once."""

import ast
from collections.abc import Iterator

from tdsl.diagnostics import Diagnostic, Label
from tdsl.kernels.source import SourceFile

STATEMENTS = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.If, ast.Return, ast.Expr, ast.Pass,
    ast.Break, ast.Continue,
)  # fmt: skip
EXPRESSIONS = (
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.ListComp, ast.GeneratorExp, ast.Compare,
    ast.Call, ast.Constant, ast.Subscript, ast.Starred, ast.Name, ast.List, ast.Tuple, ast.Slice,
    ast.Attribute,
)  # fmt: skip
_WORDS: dict[type[ast.AST], str] = {
    ast.While: "`while`", ast.Try: "`try`", ast.TryStar: "`try`", ast.With: "`with`",
    ast.Lambda: "`lambda`", ast.ClassDef: "a class", ast.FunctionDef: "a nested function",
    ast.AsyncFunctionDef: "a nested function", ast.Raise: "`raise`", ast.Assert: "`assert`",
    ast.Match: "`match`", ast.Import: "`import`", ast.ImportFrom: "`import`",
    ast.Global: "`global`", ast.Nonlocal: "`nonlocal`", ast.Delete: "`del`",
    ast.AsyncFor: "`async`", ast.AsyncWith: "`async`", ast.Await: "`await`",
    ast.Yield: "`yield`", ast.YieldFrom: "`yield`", ast.NamedExpr: "`:=`", ast.Dict: "a dictionary",
    ast.Set: "a set", ast.DictComp: "a dictionary", ast.SetComp: "a set",
    ast.JoinedStr: "a text", ast.FormattedValue: "a text",
}  # fmt: skip
_HELPS: dict[type[ast.AST], str] = {
    ast.While: "use `for i in range(n)` with a constant n",
    ast.FunctionDef: "write it outside as a `@kernel` and call it",
    ast.Lambda: "write a `@kernel` and call it",
    ast.Assert: "a type checks values: `widen(x, U8)`",
    ast.Match: "select by `mux`, or by `if` on constants",
    ast.NamedExpr: "write the assignment on a line of its own",
    ast.Dict: "use a list",
    ast.Set: "use a list",
    ast.With: "leave it out: the compiler orders the micro-ops",
}
_NOTE = (
    "a kernel may use: assignments, `for i in range(constant)`, `if` on constants, `return`,"
    " lists and tuples"
)


def check_forms(file: SourceFile, function: ast.FunctionDef) -> list[Diagnostic]:
    """The diagnostics (K0104) of everything in the body that cannot be compiled."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return [_refused(file, node) for statement in body for node in _foreign(statement)]


def _foreign(node: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """The outermost nodes of other forms, in the order of the source."""
    if isinstance(node, ast.stmt) and not isinstance(node, STATEMENTS):
        yield node
        return
    if isinstance(node, ast.expr) and not (isinstance(node, EXPRESSIONS) and _is_plain(node)):
        yield node
        return
    children = (
        [value for value in (node.target, node.value) if value is not None]
        if isinstance(node, ast.AnnAssign)
        else ast.iter_child_nodes(node)
    )
    for child in children:
        yield from _foreign(child)


def _is_plain(node: ast.expr) -> bool:
    """Whether a constant is a number, and a comprehension not asynchronous."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int)
        case ast.ListComp() | ast.GeneratorExp():
            return not any(one.is_async for one in node.generators)
        case _:
            return True


def _refused(file: SourceFile, node: ast.stmt | ast.expr) -> Diagnostic:
    kind = type(node)
    word = _WORDS.get(kind, "this")
    helps = (_HELPS[kind],) if kind in _HELPS else ()
    if isinstance(node, ast.Constant):
        word = "a number with a point" if isinstance(node.value, float) else "this constant"
        if isinstance(node.value, float):
            helps = ("rows are whole numbers: scale first, `(x * 77) >> 8` is about 0.3 x",)
    span = file.span(node)
    if isinstance(node, ast.stmt):
        span = file.first_word(node)
    return Diagnostic(
        code="K0104",
        message=f"{word} cannot be compiled to micro-ops",
        primary=Label(span),
        notes=(_NOTE,),
        helps=helps,
    )
