"""The line of Python that is being executed -> where it stands, and the name its value gets.

The name of a step is the target of the statement that makes it: `c1 = x.conv(16, 3)` makes `c1`.
"""

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType

from tdsl.source import Span
from tdsl.tracing.source_files import Extent, SourceFile, extent, position_in, source_file

_HERE = Path(__file__).parent
_OURS = (str(_HERE), str(_HERE.parent / "decorators.py"), str(_HERE.parent / "kernel_calls.py"))


@dataclass(frozen=True, slots=True)
class Binding:
    """What a statement calls the value of an expression in it."""

    name: str = ""
    """The target, or the targets joined by `_`; nothing for `_`, `return` and all the rest."""
    names: tuple[str, ...] = ()
    """The targets, where there are several."""
    whole: bool = False
    """Whether the expression is the whole value of the statement."""
    statement: int = 0
    """The line that the statement starts on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call or an operator stands."""

    span: Span
    """The step alone: behind a dot the method's name and its arguments."""
    made: Span
    """The whole expression."""
    positional: tuple[Span, ...] | None = None
    """The arguments in order; None where they cannot be told apart."""
    keywords: Mapping[str, Span] = field(default_factory=dict[str, Span])
    binding: Binding = Binding()
    readable: bool = False
    """Whether the source is there: without it no step has a name."""


def place_of_call(boundary: CodeType) -> Place:
    """The place of the call that the user's code makes now.

    `boundary` is the function being traced: the names of values that other functions return are
    those that their callers give them.
    """
    frame = _user_frame()
    file, line, place = _where(frame)
    node = _call_ending_at(file, place)
    if file is None or node is None:
        return _unreadable(frame, file, line, place)
    plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
    return Place(
        span=_step_span(file, node),
        made=file.span(node),
        positional=tuple(map(file.span, node.args)) if plain else None,
        keywords={word.arg: file.span(word) for word in node.keywords if word.arg},
        binding=_binding(frame, file, node, boundary),
        readable=True,
    )


def place_of_operator(boundary: CodeType) -> Place:
    """The place of the operator, index or comparison that the user's code computes now."""
    frame = _user_frame()
    file, line, place = _where(frame)
    node = _operator_at(file, place)
    if file is None or node is None:
        return _unreadable(frame, file, line, place)
    return Place(
        span=file.span(node),
        made=file.span(node),
        positional=tuple(map(file.span, _operands(node))),
        binding=_binding(frame, file, node, boundary),
        readable=True,
    )


def place_of_attribute(name: str) -> Span:
    """The place of the name behind a dot that the user's code looks up now."""
    file, line, place = _where(_user_frame())
    if file is None or place is None:
        return _line_span(_user_frame(), line)
    _, last, _, end = place
    return file.extent_span((last, last, end - len(name.encode()), end))


def place_of_expression() -> Span:
    """The place of whatever the user's code computes now; of a statement, what it looks at."""
    frame = _user_frame()
    file, line, place = _where(frame)
    if file is None or place is None:
        return _line_span(frame, line)
    for node in file.ending_at(place):
        if extent(node) == place:
            match node:
                case ast.If(test=seen) | ast.While(test=seen) | ast.Assert(test=seen):
                    return file.span(seen)
                case ast.For(iter=seen) | ast.IfExp(test=seen):
                    return file.span(seen)
                case _:
                    pass
    return file.extent_span(place)


def folder_of_caller() -> Path:
    """The folder of the user's file, or the working directory where the code is in none."""
    name = _user_frame().f_code.co_filename
    return Path(name).parent if Path(name).is_file() else Path()


def name_of_caller() -> Binding:
    """What the user's statement calls the value of the call that it makes now."""
    frame = _user_frame()
    file, _, place = _where(frame)
    node = _call_ending_at(file, place)
    return Binding() if file is None or node is None else _enclosing(file, node)[0]


def _user_frame(start: FrameType | None = None) -> FrameType:
    """The innermost frame outside of this package, from `start` on."""
    frame = start or inspect.currentframe()
    assert frame is not None
    while frame.f_code.co_filename.startswith(_OURS) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _where(frame: FrameType) -> tuple[SourceFile | None, int, Extent | None]:
    line, place = position_in(frame)
    return source_file(frame.f_code.co_filename), line, place


def _unreadable(
    frame: FrameType, file: SourceFile | None, line: int, place: Extent | None
) -> Place:
    span = file.extent_span(place) if file and place else _line_span(frame, line)
    return Place(span=span, made=span)


def _line_span(frame: FrameType, line: int) -> Span:
    name = frame.f_code.co_filename
    return Span(file=name, line=line, column=1, end_line=line, end_column=1)


def _call_ending_at(file: SourceFile | None, place: Extent | None) -> ast.Call | None:
    """A call in a chain over several lines starts at its own name; only its end is its own."""
    nodes = file.ending_at(place) if file and place else []
    return next((node for node in nodes if isinstance(node, ast.Call)), None)


_Operator = ast.BinOp | ast.UnaryOp | ast.Compare | ast.Subscript | ast.AugAssign


def _operator_at(file: SourceFile | None, place: Extent | None) -> _Operator | None:
    nodes = file.ending_at(place) if file and place else []
    fitting = (node for node in nodes if isinstance(node, _Operator) and extent(node) == place)
    return next(fitting, None)


def _operands(node: _Operator) -> tuple[ast.expr, ...]:
    match node:
        case ast.BinOp(left=left, right=right):
            return left, right
        case ast.AugAssign(target=target, value=value):
            return target, value
        case ast.Compare(left=left, comparators=[right]):
            return left, right
        case ast.Compare(left=left):
            return left, left
        case ast.Subscript(value=value):
            return (value,)
        case ast.UnaryOp(operand=operand):
            return (operand,)


def _step_span(file: SourceFile, node: ast.Call) -> Span:
    if not isinstance(node.func, ast.Attribute):
        return file.span(node)
    _, last, _, end = extent(node)
    _, line, _, column = extent(node.func)
    return file.extent_span((line, last, column - len(node.func.attr.encode()), end))


def _binding(frame: FrameType, file: SourceFile, node: ast.AST, boundary: CodeType) -> Binding:
    """The name of a value; one that a function returns is named where it is called."""
    whole = True
    while True:
        found, returned = _enclosing(file, node)
        whole = whole and found.whole
        if not returned or frame.f_code is boundary or frame.f_back is None:
            return replace(found, whole=whole)
        frame = _user_frame(frame.f_back)
        outer, _, place = _where(frame)
        call = _call_ending_at(outer, place)
        if outer is None or call is None:
            return Binding()
        file, node = outer, call


def _enclosing(file: SourceFile, node: ast.AST) -> tuple[Binding, bool]:
    """What the statement around `node` calls it, and whether a function returns it instead."""
    whole = True
    child = node
    while not isinstance(child, ast.stmt):
        parent = file.parents.get(child)
        match parent:
            case None:
                return Binding(), False
            case ast.NamedExpr(target=ast.Name(id=name)):
                return _named(name, whole, parent), False
            case ast.Lambda():
                return Binding(whole=whole), True
            case ast.IfExp(test=test) if child is not test:
                pass
            case ast.stmt():
                return _of_statement(parent, child, whole)
            case ast.Tuple(elts=elements):
                index = next(i for i, element in enumerate(elements) if element is child)
                element = _element_binding(file, parent, index, whole)
                if element is not None:
                    return element, False
                whole = False
            case _:
                whole = False
        child = parent
    return _of_statement(child, child, True)


def _of_statement(statement: ast.stmt, child: ast.AST, whole: bool) -> tuple[Binding, bool]:
    match statement:
        case ast.Return():
            return Binding(whole=whole, statement=statement.lineno), True
        case ast.AugAssign(target=ast.Name(id=name)):
            return _named(name, whole and child is statement, statement), False
        case ast.AnnAssign(target=ast.Name(id=name)):
            return _named(name, whole, statement), False
        case ast.Assign(targets=[ast.Name(id=name), *_]):
            return _named(name, whole, statement), False
        case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)]):
            names = tuple(target.id for target in targets if isinstance(target, ast.Name))
            if len(names) == len(targets):
                return Binding("_".join(names), names, whole, statement.lineno), False
        case _:
            pass
    return Binding(statement=statement.lineno), False


def _element_binding(
    file: SourceFile, parent: ast.Tuple, index: int, whole: bool
) -> Binding | None:
    """The target of one of several values: `a, b = x.maxpool(2), y`."""
    statement = file.parents.get(parent)
    if not isinstance(statement, ast.Assign) or statement.value is not parent:
        return None
    match statement.targets:
        case [ast.Tuple(elts=targets)] if len(targets) == len(parent.elts):
            target = targets[index]
            return _named(target.id, whole, target) if isinstance(target, ast.Name) else None
        case _:
            return None


def _named(name: str, whole: bool, where: ast.stmt | ast.expr) -> Binding:
    if name == "_":
        return Binding(statement=where.lineno)
    return Binding(name, (), whole, where.lineno)
