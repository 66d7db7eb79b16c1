"""Neighbouring nodes of a graph -> one expression or pipeline of the language."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tdsl.frontend.emitted_calls import Call, Infix, Part, Prefix, form_of, parameter_text
from tdsl.frontend.emitted_names import Named
from tdsl.ir.graph import Node
from tdsl.ir.ops import Stored

_PIPE, _COMPARISON, _UNARY, _POSTFIX, _ATOM = 0, 1, 8, 9, 10
_LEVELS = {"|": 2, "^": 3, "&": 4, "<<": 5, ">>": 5, "+": 6, "-": 6}
"""How strongly operators bind, as in the grammar."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An expression; a pipeline has its steps behind its source."""

    source: str
    strength: int = _ATOM
    steps: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole on one line."""
        return " -> ".join((self.source, *self.steps))

    def inside(self, level: int) -> str:
        """The text as an operand of what binds with `level`."""
        return self.text if self.strength >= level else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a statement can refer to."""

    references: Mapping[int, str]
    """The values of statements before, by the positions of their nodes."""
    store: str
    """Where parameters are read that the names of steps give."""
    keys: AbstractSet[str]
    """The parameters that statements before read so."""


@dataclass(frozen=True, slots=True)
class Written:
    """The expressions that nobody has used yet, with their nodes; the parameters read by name."""

    pieces: Mapping[int, Piece]
    keys: frozenset[str]


def write_expressions(
    first: int, nodes: Sequence[Node], names: Sequence[Named], around: Surroundings
) -> Written | None:
    """Write `nodes`, the first of which has the position `first`, each where it is used.

    None where evaluating the text would make the nodes in another order, or where a label
    stands at what is no step of a pipeline.
    """
    waiting: dict[int, Piece] = {}
    keys: set[str] = set()
    labelled = False
    for position, (node, named) in enumerate(zip(nodes, names, strict=True), first):
        labelled = labelled or bool(named.label)
        inner = [i for i in node.inputs if i >= first]
        if inner != list(waiting)[len(waiting) - len(inner) :]:
            return None
        operands = [
            waiting.pop(i) if i >= first else Piece(around.references[i]) for i in node.inputs
        ]
        if labelled and (waiting or inner not in ([], list(node.inputs[:1]))):
            return None
        form = form_of(node.op)
        if isinstance(form, Call):
            own = _own_keys(form, named.prefix, around, keys)
            keys.update(own.values())
            waiting[position] = _call(form, own.keys(), operands, named.label, labelled)
        elif labelled:
            return None
        else:
            waiting[position] = _operator(form, operands)
    return Written(waiting, frozenset(keys))


def _own_keys(
    form: Call, prefix: str, around: Surroundings, here: AbstractSet[str]
) -> dict[str, str]:
    """The keys of the parameters, by role, that the name of the step gives."""
    return {
        role: parameter.key
        for role, parameter in form.parameters
        if isinstance(parameter, Stored)
        and parameter.store == around.store
        and parameter.key == (f"{prefix}.{role}" if prefix else role)
        and parameter.key not in around.keys
        and parameter.key not in here
    }


def _call(
    form: Call, own: AbstractSet[str], operands: Sequence[Piece], label: str, labelled: bool
) -> Piece:
    given = [parameter_text(role, value) for role, value in form.parameters if role not in own]
    arguments = [*form.arguments, *given]
    flow, *others = operands
    joined = _COMPARISON <= flow.strength < _POSTFIX
    if not labelled and (others or joined):
        inside = ", ".join([*(operand.text for operand in operands), *arguments])
        return Piece(f"{form.name}({inside})")
    inside = ", ".join([*(operand.text for operand in others), *arguments])
    step = f"{label}: " * bool(label) + form.name + f"({inside})" * bool(inside)
    if flow.steps:
        return Piece(flow.source, _PIPE, (*flow.steps, step))
    return Piece(flow.inside(_POSTFIX), _PIPE, (step,))


def _operator(form: Infix | Prefix | Part, operands: Sequence[Piece]) -> Piece:
    left = operands[0]
    match form:
        case Prefix(sign=sign):
            return Piece(f"{sign}{left.inside(_UNARY)}", _UNARY)
        case Part(start=start, stop=stop):
            part = f"{start}" if stop == start + 1 else f"{start}..{stop}"
            return Piece(f"{left.inside(_POSTFIX)}[{part}]", _POSTFIX)
        case Infix(sign=sign, right=number):
            level = _LEVELS.get(sign, _COMPARISON)
            right = number or operands[1].inside(level + 1)
            return Piece(f"{left.inside(level + (sign not in _LEVELS))} {sign} {right}", level)
