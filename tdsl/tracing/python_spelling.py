"""What a diagnostic says in the words of `.tnn` -> the same in those of Python.

Every snippet in backquotes that is an expression of `.tnn`, a pipeline, an argument or conditions
is translated: `-> s: conv(64, 1x1) -> ternarize` is `.conv(64, 1, label="s").ternarize(label="s")`.
"""

import re
from dataclasses import replace

from tdsl.diagnostics import Diagnostic, Label
from tdsl.frontend import syntax
from tdsl.frontend.context import WORDS
from tdsl.frontend.parser import parse
from tdsl.ir.condition import COMPARISONS

_REST = "rest_of_the_arguments"
_PHRASES = {
    "add conditions to the header": "add conditions to the decorator",
    "extend the conditions of the header": "extend the conditions of the decorator",
    "add a condition to the header": "add a condition to the decorator",
    "in the network's header": "in the network's annotations",
}
_HELPS = {
    "E0203": (
        'give each of them a name of its own: `label="a"` makes the key `a.w`,\n'
        'in a loop `label=f"a[{i}]"`; the steps of a part that is used twice stand in a `@block`',
    ),
    "E0408": ('name the file: `@network(weights("file.npz"))`',),
}
"""Helps that are other sentences in Python."""

_ORDER = ("or", "and", "== != < <= > >=", "|", "^", "&", "<< >>", "+ -", "* // %")
_STRENGTHS = {
    syntax.BinaryOperator(sign): 2 * strength
    for strength, signs in enumerate(_ORDER)
    for sign in signs.split()
}
_STRONGEST = 2 * len(_ORDER)


def in_python(diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with its labels, notes and helps spelled in Python."""
    helps = _HELPS.get(diagnostic.code, tuple(map(_translated, diagnostic.helps)))
    primary = diagnostic.primary
    others = dict.fromkeys(one for one in diagnostic.secondary if one.span != primary.span)
    return replace(
        diagnostic,
        primary=_label(primary),
        secondary=tuple(map(_label, others)),
        notes=tuple(map(_translated, diagnostic.notes)),
        helps=helps,
    )


def _label(label: Label) -> Label:
    return Label(label.span, _translated(label.text))


def _translated(text: str) -> str:
    for phrase, ours in _PHRASES.items():
        text = text.replace(phrase, ours)
    return re.sub(r"`([^`]+)`", lambda found: f"`{_snippet(found[1])}`", text)


def _snippet(text: str) -> str:
    """One snippet in Python, or as it is where it is no part of a `.tnn` file."""
    if text in WORDS:
        return f'"{text}"'
    if re.fullmatch(r"[\w.]+", text) and not re.fullmatch(r"\d+x\d+", text):
        return text
    source = text.replace("...", _REST)
    if source.startswith("where "):
        found = _parsed(f"[{source.removeprefix('where ')}]")
        return text if found is None else f"where={spelled(found)}"
    if source.startswith("->"):
        found = _parsed(f"({_REST} {source})")
        return text if found is None else spelled(found).removeprefix("...")
    found = _parsed(source)
    if found is None:
        called = _parsed(f"{_REST}({source})")
        return text if called is None else spelled(called)[len("...(") : -1]
    return spelled(found)


def _parsed(source: str) -> syntax.Expression | None:
    module, mistakes = parse(f"tnn 1\nconst A = {source}\n", "snippet")
    match module.declarations:
        case (syntax.Const(value=value),) if not mistakes:
            return value
        case _:
            return None


def spelled(expression: syntax.Expression) -> str:
    """An expression of the language as Python that means the same."""
    match expression:
        case syntax.Name(text=text):
            return {_REST: "...", "same": '"same"', "valid": '"valid"'}.get(text, text)
        case syntax.IntLiteral(value=value):
            return str(value)
        case syntax.FloatLiteral(value=fraction):
            return str(fraction)
        case syntax.BoolLiteral(value=truth):
            return str(truth)
        case syntax.StringLiteral(value=text):
            return f'"{text}"'
        case syntax.ElementLiteral(name=name):
            return name
        case syntax.DimsLiteral(height=height, width=width):
            return f"({height}, {width})"
        case syntax.ListLiteral(items=items):
            return f"[{', '.join(map(spelled, items))}]"
        case syntax.Unary(operator=operator, operand=operand):
            space = " " if operator.value.isalpha() else ""
            return f"{operator}{space}{_operand(operand, _STRONGEST)}"
        case syntax.Binary(operator=operator, left=left, right=right):
            strength = _STRENGTHS[operator]
            first = strength + (operator.value in COMPARISONS)
            return f"{_operand(left, first)} {operator} {_operand(right, strength + 1)}"
        case syntax.Attribute(value=value, name=name):
            return f"{spelled(value)}.{name.text}"
        case syntax.Subscript(value=value, indices=indices):
            return f"{_operand(value, _STRONGEST)}[{', '.join(map(_index, indices))}]"
        case syntax.Call(function=function, arguments=arguments):
            return f"{spelled(function)}({_arguments(arguments, '')})"
        case syntax.Pipe(source=source, steps=steps):
            return _pipe(source, steps)


def _operand(expression: syntax.Expression, least: int) -> str:
    """An operand of what binds with strength `least`, in parentheses where it binds weaker."""
    match expression:
        case syntax.Binary(operator=operator) if _STRENGTHS[operator] < least:
            return f"({spelled(expression)})"
        case syntax.Unary() if least == _STRONGEST:
            return f"({spelled(expression)})"
        case _:
            return spelled(expression)


def _pipe(source: syntax.Expression, steps: tuple[syntax.Step, ...]) -> str:
    text, label = _operand(source, _STRONGEST), ""
    for step in steps:
        label = step.label.text if step.label is not None else label
        name = ".".join(part.text for part in step.path)
        text += f".{name}({_arguments(step.arguments, label)})"
    return text


def _arguments(arguments: tuple[syntax.Argument, ...], label: str) -> str:
    texts = [
        _argument(one.value) if one.name is None else f"{one.name.text}={_argument(one.value)}"
        for one in arguments
    ]
    return ", ".join([*texts, *([f'label="{label}"'] if label else [])])


def _argument(value: syntax.Expression) -> str:
    match value:
        case syntax.DimsLiteral(height=height, width=width) if height == width:
            return str(height)
        case _:
            return spelled(value)


def _index(index: syntax.Index) -> str:
    match index:
        case syntax.Range(low=low, high=high):
            return f"{spelled(low)}:{spelled(high)}"
        case syntax.All():
            return ":"
        case _:
            return spelled(index)
