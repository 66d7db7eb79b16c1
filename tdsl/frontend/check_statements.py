"""The statements of a network or block -> its results, with the mistakes of every statement."""

import re
from dataclasses import replace

from tdsl.diagnostics import Label
from tdsl.frontend import syntax
from tdsl.frontend.check_expressions import evaluate, evaluate_truth
from tdsl.frontend.context import Context, look_up
from tdsl.frontend.graph_builder import MOST_NODES, TooLarge
from tdsl.frontend.reports import Rejected
from tdsl.frontend.values import Several, Tensor, Value, described, interpolated
from tdsl.source import Span

Results = tuple[tuple[Tensor, Span], ...]
"""What a body returns, each with the place of its expression."""


def run_body(body: tuple[syntax.Statement, ...], c: Context, owner: syntax.Identifier) -> Results:
    """Check all statements; raises Rejected at the end if the results have not come about."""
    results: Results | None = None
    returned: syntax.Return | None = None
    for statement in body:
        if returned is not None and not isinstance(statement, syntax.Broken):
            c.reject("E0208", "nothing runs after `return`", statement.span, "never reached")
            break
        if c.build.reports.enough:
            raise Rejected
        if isinstance(statement, syntax.Return):
            returned = statement
        try:
            results = _guarded(statement, c)
        except Rejected:
            if isinstance(statement, syntax.Assert):
                raise
            results = None
            if isinstance(statement, syntax.Assign):
                c.poisoned.update(target.text for target in statement.targets)
    if returned is None and not any(isinstance(statement, syntax.Broken) for statement in body):
        raise c.reject(
            "E0208",
            f"`{owner.text}` returns nothing",
            owner.span,
            "its last line has to be `return ...`",
        )
    if results is None:
        raise Rejected
    return results


def _guarded(statement: syntax.Statement, c: Context) -> Results | None:
    """Check one statement; our own failures become E0999 with its place."""
    try:
        return _run(statement, c)
    except Rejected:
        raise
    except Exception as error:
        raise failed(c, statement.span, error) from error


def failed(c: Context, span: Span, error: Exception) -> Rejected:
    """Report that a limit was passed at `span`, or that the compiler itself failed there."""
    if isinstance(error, TooLarge):
        return c.reject(
            "E0308",
            f"the network has more than {MOST_NODES} operations",
            span,
            "the limit is passed here",
        )
    if isinstance(error, RecursionError):
        return c.reject(
            "E0315",
            "this expression is nested too deeply",
            span,
            helps=("give parts of it names of their own",),
        )
    return c.reject(
        "E0999",
        "the compiler failed on this statement",
        span,
        "the mistake is ours, not yours",
        notes=(f"{type(error).__name__}: {error}",),
        helps=("please report it with this file",),
    )


def _run(statement: syntax.Statement, c: Context) -> Results | None:
    match statement:
        case syntax.Assign():
            _assign(statement, c)
        case syntax.Return():
            return tuple(r for value in statement.values for r in _result(value, c))
        case syntax.Assert():
            _assert(statement, c)
        case syntax.Broken():
            c.poisoned.update(statement.names)
            raise Rejected
    return None


def _assign(statement: syntax.Assign, c: Context) -> None:
    for target in statement.targets:
        _define(target, c)
    start = len(c.build.graph.nodes)
    name = "_".join(target.text for target in statement.targets)
    value = evaluate(statement.value, c.named(name))
    if len(statement.targets) == 1:
        _bind(statement.targets[0], value, start, c)
        return
    if not isinstance(value, Several) or len(value.items) != len(statement.targets):
        raise c.reject(
            "E0207",
            f"{len(statement.targets)} names for {described(value)}",
            statement.span,
            helps=("a block with as many results gives them: `a, b = part(x)`",),
        )
    for target, item in zip(statement.targets, value.items, strict=True):
        _bind(target, item, start, c)


def _bind(target: syntax.Identifier, value: Value, start: int, c: Context) -> None:
    if isinstance(value, Several):
        raise c.reject(
            "E0207",
            f"one name for {described(value)}",
            target.span,
            helps=(f"write a name for each: `{target.text}, other = ...`",),
        )
    if isinstance(value, Tensor) and value.node >= start:
        c.build.graph.rename(value.node, c.named(target.text).prefix)
        value = replace(value, made=target.span)
    c.names[target.text] = value


def _define(target: syntax.Identifier, c: Context) -> None:
    """Every name is assigned once, and hides none of the file's."""
    name = target.text
    first = c.places.get(name) or c.file.places.get(name)
    if first is not None:
        raise c.reject(
            "E0204",
            f"`{name}` already has a value",
            target.span,
            "second definition",
            secondary=(Label(first, "first definition"),),
            helps=("names are assigned once; choose a new name",),
        )
    c.places[name] = target.span


def _result(expression: syntax.Expression, c: Context) -> Results:
    value = evaluate(expression, c)
    if isinstance(value, Several):
        return tuple((item, expression.span) for item in value.items)
    if isinstance(value, Tensor):
        return ((value, expression.span),)
    raise c.reject(
        "E0308", f"{described(value)} cannot be returned", expression.span, "a tensor is needed"
    )


def _assert(statement: syntax.Assert, c: Context) -> None:
    """A failed assertion speaks to the caller of the block."""
    if evaluate_truth(statement.condition, c, "an assertion"):
        return
    text = "an assertion of this block does not hold"
    if statement.message is not None:
        text = _interpolate(statement.message, c)
    if not c.calls:
        raise c.reject("E0316", text, statement.condition.span, "this does not hold")
    outer = replace(c, calls=c.calls[1:])
    raise outer.reject(
        "E0316",
        text,
        c.calls[0].span,
        secondary=(Label(statement.condition.span, "this does not hold"),),
    )


def _interpolate(message: syntax.StringLiteral, c: Context) -> str:
    return re.sub(
        r"\{([A-Za-z_]\w*)\}",
        lambda found: interpolated(look_up(c, found[1], message.span)),
        message.value,
    )
