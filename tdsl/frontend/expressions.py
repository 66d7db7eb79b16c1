"""Lark tree of an expression -> syntax tree."""

from collections.abc import Callable
from typing import cast

from lark import Token, Tree

from tdsl.frontend import syntax
from tdsl.frontend.tokens import int_value, token_span, unescape
from tdsl.source import Span


def build_expression(tree: Tree[Token], file: str) -> syntax.Expression:
    """Return the syntax of an expression or a pipe."""
    return _BUILDERS[str(tree.data)](tree, file)


def build_identifier(token: Token, file: str) -> syntax.Identifier:
    """Return the syntax of a name where something is named."""
    return syntax.Identifier(span=token_span(token, file), text=str(token))


def build_string(token: Token, file: str) -> syntax.StringLiteral:
    """Return the syntax of a text in quotes."""
    return syntax.StringLiteral(span=token_span(token, file), value=unescape(token))


def node_span(tree: Tree[Token], file: str) -> Span:
    """Return where a tree that holds at least one token stands."""
    meta = tree.meta
    return Span(
        file=file,
        line=meta.line,
        column=meta.column,
        end_line=meta.end_line,
        end_column=meta.end_column,
    )


def _leaf(tree: Tree[Token], file: str) -> syntax.Expression:
    token = _token(tree.children[0])
    span = token_span(token, file)
    match token.type:
        case "INT":
            return syntax.IntLiteral(span=span, value=int_value(token))
        case "FLOAT":
            return syntax.FloatLiteral(span=span, value=float(token))
        case "DIMS":
            height, width = map(int, token.split("x"))
            return syntax.DimsLiteral(span=span, height=height, width=width)
        case "STRING":
            return build_string(token, file)
        case "TRUE" | "FALSE":
            return syntax.BoolLiteral(span=span, value=token.type == "TRUE")
        case "ELEMENT":
            return syntax.ElementLiteral(span=span, name=str(token))
        case _:
            return syntax.Name(span=span, text=str(token))


def _unary(tree: Tree[Token], file: str) -> syntax.Expression:
    operator, operand = tree.children
    return syntax.Unary(
        span=node_span(tree, file),
        operator=syntax.UnaryOperator(_token(operator)),
        operand=build_expression(_tree(operand), file),
    )


def _binary(tree: Tree[Token], file: str) -> syntax.Expression:
    left, operator, right = tree.children
    return syntax.Binary(
        span=node_span(tree, file),
        operator=syntax.BinaryOperator(_token(operator)),
        left=build_expression(_tree(left), file),
        right=build_expression(_tree(right), file),
    )


def _attribute(tree: Tree[Token], file: str) -> syntax.Expression:
    value, name = tree.children
    return syntax.Attribute(
        span=node_span(tree, file),
        value=build_expression(_tree(value), file),
        name=build_identifier(_token(name), file),
    )


def _call(tree: Tree[Token], file: str) -> syntax.Expression:
    function, arguments = _optional_children(tree)
    return syntax.Call(
        span=node_span(tree, file),
        function=build_expression(_tree(function), file),
        arguments=_arguments(arguments, file),
    )


def _subscript(tree: Tree[Token], file: str) -> syntax.Expression:
    value, *indices = tree.children
    return syntax.Subscript(
        span=node_span(tree, file),
        value=build_expression(_tree(value), file),
        indices=tuple(_index(_tree(index), file) for index in indices),
    )


def _index(tree: Tree[Token], file: str) -> syntax.Index:
    if tree.data == "all":
        return syntax.All(span=node_span(tree, file))
    if tree.data != "range":
        return build_expression(tree, file)
    low, high = tree.children
    return syntax.Range(
        span=node_span(tree, file),
        low=build_expression(_tree(low), file),
        high=build_expression(_tree(high), file),
    )


def _list(tree: Tree[Token], file: str) -> syntax.Expression:
    items = [item for item in _optional_children(tree) if item is not None]
    return syntax.ListLiteral(
        span=node_span(tree, file),
        items=tuple(build_expression(_tree(item), file) for item in items),
    )


def _parenthesis(tree: Tree[Token], file: str) -> syntax.Expression:
    return build_expression(_tree(tree.children[0]), file)


def _pipe(tree: Tree[Token], file: str) -> syntax.Expression:
    source, *steps = tree.children
    return syntax.Pipe(
        span=node_span(tree, file),
        source=build_expression(_tree(source), file),
        steps=tuple(_step(_tree(step), file) for step in steps),
    )


def _step(tree: Tree[Token], file: str) -> syntax.Step:
    label, path, arguments, times, condition = _optional_children(tree)
    return syntax.Step(
        span=node_span(tree, file),
        label=build_identifier(_token(label), file) if label else None,
        path=tuple(build_identifier(_token(name), file) for name in _tree(path).children),
        arguments=_arguments(arguments, file),
        times=build_expression(_tree(times), file) if times else None,
        condition=build_expression(_tree(condition), file) if condition else None,
    )


def _arguments(child: object, file: str) -> tuple[syntax.Argument, ...]:
    if child is None:
        return ()
    return tuple(_argument(_tree(argument), file) for argument in _tree(child).children)


def _argument(tree: Tree[Token], file: str) -> syntax.Argument:
    name, value = _optional_children(tree)
    return syntax.Argument(
        span=node_span(tree, file),
        name=build_identifier(_token(name), file) if name else None,
        value=build_expression(_tree(value), file),
    )


def _optional_children(tree: Tree[Token]) -> list[Tree[Token] | Token | None]:
    """Return the children, None for the parts of the rule that were not written."""
    return cast("list[Tree[Token] | Token | None]", tree.children)


def _tree(child: object) -> Tree[Token]:
    assert isinstance(child, Tree)
    return cast("Tree[Token]", child)


def _token(child: object) -> Token:
    assert isinstance(child, Token)
    return child


_BUILDERS: dict[str, Callable[[Tree[Token], str], syntax.Expression]] = {
    **dict.fromkeys(
        ("int", "float", "dims", "string", "bool", "element", "name"),
        _leaf,
    ),
    "unary": _unary,
    "binary": _binary,
    "attribute": _attribute,
    "call": _call,
    "subscript": _subscript,
    "list": _list,
    "parenthesis": _parenthesis,
    "pipe": _pipe,
}
