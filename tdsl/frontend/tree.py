"""Lark tree -> syntax tree. What is nested too deep to be walked later becomes a mistake here."""

from collections.abc import Iterator

from lark import Token, Tree

from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend import syntax
from tdsl.frontend.expressions import build_expression, build_identifier, build_string, node_span
from tdsl.frontend.tokens import int_value, token_span

DEEPEST_TREE = 128


class TreeBuilder:
    """Turns the tree of one file into syntax, and keeps what is wrong with it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self.diagnostics: list[Diagnostic] = []

    def module(self, tree: Tree[Token]) -> syntax.Module:
        """Build the whole file."""
        version, *items = _subtrees(tree)
        declarations = tuple(self._declaration(item) for item in items)
        return syntax.Module(
            span=node_span(tree, self.file),
            file=self.file,
            text=self.text,
            version=int_value(_tokens(version)[0]),
            declarations=declarations,
            poisoned=frozenset(_lost_names(declarations)),
        )

    def _declaration(self, tree: Tree[Token]) -> syntax.Declaration:
        span = node_span(tree, self.file)
        header = [child for child in tree.children if not _is(child, "body")]
        if self._too_deep(header):
            names = _tokens(tree)[:1] if tree.data in ("const", "block", "network") else []
            return syntax.Broken(span=span, names=tuple(map(str, names)))
        match tree.data:
            case "use":
                path, alias = tree.children
                return syntax.Use(span=span, path=self._string(path), alias=self._optional(alias))
            case "kernel":
                name, path, alias = tree.children
                return syntax.Kernel(
                    span=span,
                    name=self._identifier(name),
                    path=self._string(path),
                    alias=self._optional(alias),
                )
            case "weights":
                name, path, digest = tree.children
                return syntax.Weights(
                    span=span,
                    name=self._identifier(name),
                    path=self._string(path),
                    sha256=self._string(digest) if digest else None,
                )
            case "target":
                name, path = tree.children
                return syntax.Target(
                    span=span, name=self._identifier(name), path=self._string(path)
                )
            case "const":
                name, value = tree.children
                return syntax.Const(
                    span=span, name=self._identifier(name), value=self._expression(value)
                )
            case "check":
                return syntax.Check(span=span, condition=self._expression(tree.children[0]))
            case "block":
                return self._block(tree)
            case "network":
                return self._network(tree)
            case "schedule":
                name, network, *layouts = tree.children
                return syntax.Schedule(
                    span=span,
                    name=self._identifier(name),
                    network=self._identifier(network),
                    layouts=tuple(self._layout(layout) for layout in layouts if layout),
                )
            case "broken_item":
                return syntax.Broken(span=span, names=_broken_names(tree))
            case unknown:
                raise AssertionError(f"the grammar has no declaration {unknown}")

    def _layout(self, child: object) -> syntax.Layout:
        *steps, organisation = _tree(child).children
        return syntax.Layout(
            span=node_span(_tree(child), self.file),
            steps=tuple(map(self._identifier, steps)),
            organisation=self._identifier(organisation),
        )

    def _block(self, tree: Tree[Token]) -> syntax.Block:
        name, symbols, parameters, outputs, where, body = tree.children
        return syntax.Block(
            span=node_span(tree, self.file),
            name=self._identifier(name),
            symbols=tuple(map(self._identifier, _children(symbols))),
            parameters=tuple(map(self._parameter, _children(parameters))),
            outputs=tuple(map(self._output, _children(outputs))),
            where=tuple(map(self._expression, _children(where))),
            body=tuple(map(self._statement, _children(body))),
        )

    def _network(self, tree: Tree[Token]) -> syntax.Network:
        name, symbols, parameters, outputs, weights, where, body = tree.children
        return syntax.Network(
            span=node_span(tree, self.file),
            name=self._identifier(name),
            symbols=tuple(map(self._identifier, _children(symbols))),
            parameters=tuple(map(self._parameter, _children(parameters))),
            outputs=tuple(map(self._output, _children(outputs))),
            weights=self._optional(weights),
            where=tuple(map(self._expression, _children(where))),
            body=tuple(map(self._statement, _children(body))),
        )

    def _parameter(self, child: object) -> syntax.Parameter:
        tree = _tree(child)
        name, kind, default = tree.children
        return syntax.Parameter(
            span=node_span(tree, self.file),
            name=self._identifier(name),
            type=self._type(_tree(kind)),
            default=self._expression(default) if default else None,
        )

    def _type(self, tree: Tree[Token]) -> syntax.TensorType | syntax.ScalarType:
        if tree.data == "tensor_type":
            return self._tensor_type(tree)
        return syntax.ScalarType(
            span=node_span(tree, self.file), name=self._identifier(tree.children[0])
        )

    def _tensor_type(self, tree: Tree[Token]) -> syntax.TensorType:
        element, *sizes = tree.children
        return syntax.TensorType(
            span=node_span(tree, self.file),
            element=self._identifier(element),
            sizes=tuple(self._expression(size) for size in sizes if size),
        )

    def _output(self, child: object) -> syntax.Output:
        name, kind = _tree(child).children
        return syntax.Output(
            span=node_span(_tree(child), self.file),
            name=self._optional(name),
            type=self._tensor_type(_tree(kind)),
        )

    def _statement(self, child: object) -> syntax.Statement:
        tree = _tree(child)
        span = node_span(tree, self.file)
        if self._too_deep(tree.children):
            lost = _children(tree.children[0]) if tree.data == "assign" else []
            return syntax.Broken(span=span, names=tuple(map(str, lost)))
        match tree.data:
            case "assign":
                targets, value = tree.children
                return syntax.Assign(
                    span=span,
                    targets=tuple(map(self._identifier, _children(targets))),
                    value=self._expression(value),
                )
            case "return":
                return syntax.Return(span=span, values=tuple(map(self._expression, tree.children)))
            case "assert":
                condition, message = tree.children
                return syntax.Assert(
                    span=span,
                    condition=self._expression(condition),
                    message=self._string(message) if message else None,
                )
            case "broken_statement":
                return syntax.Broken(span=span, names=_broken_names(tree))
            case unknown:
                raise AssertionError(f"the grammar has no statement {unknown}")

    def _expression(self, child: object) -> syntax.Expression:
        return build_expression(_tree(child), self.file)

    def _identifier(self, child: object) -> syntax.Identifier:
        return build_identifier(_token(child), self.file)

    def _optional(self, child: object) -> syntax.Identifier | None:
        return None if child is None else self._identifier(child)

    def _string(self, child: object) -> syntax.StringLiteral:
        return build_string(_token(child), self.file)

    def _too_deep(self, children: list[Tree[Token] | Token]) -> bool:
        """Report and tell whether any of these trees is too deep to be walked by recursion."""
        level = [(child, 0) for child in children]
        while level:
            child, depth = level.pop()
            if depth > DEEPEST_TREE and isinstance(child, Token):
                self.diagnostics.append(_nested_too_deep(child, self.file))
                return True
            if isinstance(child, Tree):
                level += [(one, depth + 1) for one in child.children]
        return False


def _nested_too_deep(token: Token, file: str) -> Diagnostic:
    return Diagnostic(
        code="E0113",
        message=f"this expression is nested more than {DEEPEST_TREE} levels deep",
        primary=Label(token_span(token, file), "the innermost part"),
        helps=("give its parts names of their own",),
    )


def _lost_names(parts: tuple[syntax.Declaration | syntax.Statement, ...]) -> Iterator[str]:
    for part in parts:
        match part:
            case syntax.Broken(names=names):
                yield from names
            case syntax.Block(body=body) | syntax.Network(body=body):
                yield from _lost_names(body)
            case _:
                pass


def _broken_names(tree: Tree[Token]) -> tuple[str, ...]:
    return tuple(filter(None, _tokens(tree)[0].split(",")))


def _is(child: object, rule: str) -> bool:
    return isinstance(child, Tree) and child.data == rule


def _tree(child: object) -> Tree[Token]:
    assert isinstance(child, Tree)
    return child  # pyright: ignore[reportUnknownVariableType]


def _token(child: object) -> Token:
    assert isinstance(child, Token)
    return child


def _children(child: object) -> list[Tree[Token] | Token]:
    """Return the children of an optional tree."""
    return [] if child is None else _tree(child).children


def _subtrees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]
