"""The header of a kernel -> its arguments and results, with every mistake in it reported."""

import ast

from tdsl.diagnostics import Diagnostic, Label
from tdsl.kernels.definition import Parameter
from tdsl.kernels.row_types import (
    LANES,
    ConstType,
    ResultType,
    RowType,
    TotalType,
    named_element,
)
from tdsl.kernels.source import Node, SourceFile
from tdsl.rows.ir import Border

_TYPES = "`Trits[L]`, `Bits[L]`, `U8[L]`, `I16[L]` or `Const[int]`"
MOST_CHANNELS = 1 << 12
MOST_BITS = 31
"""Row micro-ops work on no wider values."""


def parameters(
    file: SourceFile, function: ast.FunctionDef, kind: str, found: list[Diagnostic]
) -> tuple[Parameter, ...]:
    """The arguments of a kernel or micro-op (`kind`)."""
    header = function.args
    for star, word in ((header.vararg, "*"), (header.kwarg, "**")):
        if star is not None:
            found.append(
                _refused(
                    file, star, f"`{word}{star.arg}` has no type", "the arguments are not known",
                    "name every argument and give it a type",
                )
            )  # fmt: skip
    plain = [*header.posonlyargs, *header.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(header.defaults))
    defaults += [*header.defaults, *header.kw_defaults]
    made = [
        _parameter(file, function, kind, argument, default, found)
        for argument, default in zip([*plain, *header.kwonlyargs], defaults, strict=True)
    ]
    if all(one is not None and isinstance(one.type, ConstType) for one in made):
        found.append(
            Diagnostic(
                code="K0101",
                message=f"{kind} `{function.name}` takes no image",
                primary=Label(file.name_span(function), "nothing to work on"),
                helps=("give it one: `img: U8[L]`",),
            )
        )
    return tuple(one for one in made if one is not None)


def results(
    file: SourceFile, function: ast.FunctionDef, kind: str, found: list[Diagnostic]
) -> tuple[ResultType, ...]:
    """The results of a kernel."""
    node = function.returns
    if node is None:
        found.append(
            Diagnostic(
                code="K0101",
                message=f"the result of {kind} `{function.name}` has no type",
                primary=Label(file.name_span(function), "its rows cannot be laid out"),
                helps=("write it behind the arguments: `-> U8[L]:`",),
            )
        )
        return ()
    parts = [node]
    match node:
        case ast.Subscript(value=ast.Name(id="tuple" | "Tuple"), slice=ast.Tuple(elts=parts)):
            pass
        case ast.Tuple(elts=parts):
            pass
        case _:
            pass
    made = [_result(file, part, found) for part in parts]
    return tuple(one for one in made if one is not None)


def row_type(file: SourceFile, node: ast.expr, found: list[Diagnostic]) -> RowType | None:
    """The type that an annotation writes: `U8[L]`, `U8[3, L]`, `U8[L, "edge"]`."""
    match node:
        case ast.Constant(value=str(text)):
            return _quoted(file, node, text, found)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=index):
            element = named_element(name)
            extents = index.elts if isinstance(index, ast.Tuple) else [index]
            if element is not None and name[0].isupper():
                made = RowType(element)
                return _extents(file, made, extents, found)
        case _:
            pass
    found.append(
        _refused(
            file, node, f"`{file.words(node)}` is not a type of rows",
            "its rows cannot be laid out", f"write {_TYPES}",
        )
    )  # fmt: skip
    return None


def _quoted(file: SourceFile, node: ast.expr, text: str, found: list[Diagnostic]) -> RowType | None:
    """An annotation written as a text, `"U8[L]"`."""
    try:
        inner = ast.parse(text, mode="eval").body
    except SyntaxError:
        inner = ast.Name(text)
    for part in ast.walk(inner):
        ast.copy_location(part, node)
    return row_type(file, inner, found)


def _extents(
    file: SourceFile, made: RowType, extents: list[ast.expr], found: list[Diagnostic]
) -> RowType | None:
    """`[L]`, `[3, L]`, `[L, "edge"]`, `[L, 255]`, `[3, L, 0]`."""
    low, high = made.element.low, made.element.high
    match extents:
        case [ast.Constant(value=int(channels)), *rest] if 1 <= channels <= MOST_CHANNELS:
            made = RowType(made.element, channels)
        case rest:
            pass
    match rest:
        case [ast.Name(id="L")]:
            return made
        case [ast.Name(id="L"), ast.Constant(value="edge")]:
            return RowType(made.element, made.channels, Border.EDGE)
        case [ast.Name(id="L"), border] if (pad := literal(border)) is not None:
            if low <= pad <= high:
                return RowType(made.element, made.channels, Border.CONSTANT, pad)
            found.append(
                _refused(
                    file, border, f"a border of {pad} does not fit",
                    f"the pixels are {low} to {high}", 'use one of these, or `"edge"`',
                )
            )  # fmt: skip
            return None
        case _:
            found.append(
                _refused(
                    file, extents[0], "the extents of a row are not understood",
                    f"`[{LANES}]` is one value a pixel",
                    f'write `U8[{LANES}]`, `U8[3, {LANES}]` for three channels,'
                    f' `U8[{LANES}, "edge"]` for a border of the nearest pixel',
                )
            )  # fmt: skip
            return None


def literal(node: ast.expr) -> int | None:
    """The number or truth value that is written there; None for anything else."""
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
        case _:
            return None


def _parameter(
    file: SourceFile,
    function: ast.FunctionDef,
    kind: str,
    argument: ast.arg,
    default: ast.expr | None,
    found: list[Diagnostic],
) -> Parameter | None:
    name, span = argument.arg, file.span(argument)
    if argument.annotation is None:
        found.append(
            _refused(
                file, argument, f"argument `{name}` of {kind} `{function.name}` has no type",
                "its rows cannot be laid out",
                _TYPES.replace("`Trits", f"`{name}: Trits", 1),
            )
        )  # fmt: skip
        return None
    constant = _constant_type(argument.annotation)
    if constant is None:
        found_type = row_type(file, argument.annotation, found)
        if default is not None:
            found.append(
                _refused(
                    file, default, f"an image has no default, `{name}` is one",
                    "only constants have", f"write `{name}: Const[int] = ...`, or leave it out",
                )
            )  # fmt: skip
            return None
        if found_type is not None and found_type.element.bits > MOST_BITS:
            found.append(
                _refused(
                    file,
                    argument.annotation,
                    f"`{name}` has {found_type.element.bits} bits",
                    f"row micro-ops work on at most {MOST_BITS}",
                    f"`{name}: U{MOST_BITS}[{LANES}]`",
                )
            )
            return None
        return None if found_type is None else Parameter(name, found_type, span)
    value = None if default is None else literal(default)
    if default is not None and value is None:
        found.append(
            _refused(
                file, default, f"the default of `{name}` is not a number", "write it out",
                f"`{name}: {constant} = {'True' if constant.truth else '12'}`",
            )
        )  # fmt: skip
        return None
    return Parameter(name, constant, span, value)


def _constant_type(node: ast.expr) -> ConstType | None:
    match node:
        case ast.Subscript(value=ast.Name(id="Const") | ast.Attribute(attr="Const"), slice=inner):
            match inner:
                case ast.Name(id="int" | "bool" as name):
                    return ConstType(name == "bool")
                case _:
                    return None
        case _:
            return None


def _result(file: SourceFile, node: ast.expr, found: list[Diagnostic]) -> ResultType | None:
    match node:
        case ast.Name(id="int" | "bool"):
            return TotalType()
        case ast.Subscript(value=ast.Name(id="list"), slice=ast.Name(id="int")):
            return TotalType(many=True)
        case _:
            return row_type(file, node, found)


def _refused(file: SourceFile, node: Node, message: str, label: str, remedy: str) -> Diagnostic:
    return Diagnostic(
        code="K0101", message=message, primary=Label(file.span(node), label), helps=(remedy,)
    )
