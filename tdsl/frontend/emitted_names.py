"""Names of neighbouring nodes -> the labels under which one statement gives them these names.

Nodes of a statement `t = ...` are called after their operations: `t.conv`, `t.maxpool`, and the
last one `t`. Behind a label `a` they are `t.a.conv`, and the last before another label is `t.a`.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from tdsl.frontend.emitted_calls import Call, form_of
from tdsl.frontend.names import is_plain
from tdsl.ir.graph import Node


@dataclass(frozen=True, slots=True)
class Named:
    """Under which name a node reads its parameters, and the label in front of it, if any."""

    prefix: str
    label: str = ""


@dataclass(slots=True)
class _Taken:
    """Names that nodes have already: those before the statement, and its own so far."""

    before: AbstractSet[str]
    here: set[str] = field(default_factory=set[str])

    def free(self, name: str) -> str:
        free, number = name, 1
        while free in self.before or free in self.here:
            number += 1
            free = f"{name}_{number}"
        return free


def statement_names(nodes: Sequence[Node], taken: AbstractSet[str]) -> tuple[Named, ...] | None:
    """How a statement called as the last of `nodes` names them all, or None if none can.

    `taken` are the names of the nodes before.
    """
    *inner, last = nodes
    plan = _plan(inner, last.name, _Taken(taken), labels=True)
    if plan is None:
        return None
    label, closed = _state(inner, last.name)
    if not label or closed:
        new = _label_of_key(last)
        if closed and not new:
            return None
        return *plan, Named(_join(last.name, new or label), new)
    return *plan, Named(_join(last.name, label))


def result_names(nodes: Sequence[Node], taken: AbstractSet[str]) -> tuple[Named, ...] | None:
    """How a `return` names `nodes`: after their operations alone. None if they have other names."""
    return _plan(nodes, "", _Taken(taken), labels=False)


def _plan(
    nodes: Sequence[Node], target: str, taken: _Taken, *, labels: bool
) -> tuple[Named, ...] | None:
    plan: list[Named] = []
    label, closed = "", False
    for node in nodes:
        found = _guess(node, target)
        if found is None or (found[0] and not labels):
            return None
        opens = found[0] != label
        if opens != (closed or (not label and bool(found[0]))):
            return None
        label, closed = found
        prefix = _join(target, label)
        name = taken.free(prefix if closed else _join(prefix, form_of(node.op).name))
        if name != node.name:
            return None
        taken.here.add(name)
        plan.append(Named(prefix, label if opens else ""))
    return tuple(plan)


def _state(nodes: Sequence[Node], target: str) -> tuple[str, bool]:
    """The label in force behind `nodes`, and whether its last node has its name."""
    return (_guess(nodes[-1], target) or ("", False)) if nodes else ("", False)


def _guess(node: Node, target: str) -> tuple[str, bool] | None:
    """The label of a node inside the statement `target`, and whether it ends that label's part."""
    if target and not node.name.startswith(f"{target}."):
        return None
    inner = node.name.removeprefix(f"{target}.") if target else node.name
    label, _, tail = inner.rpartition(".")
    kind = form_of(node.op).name
    if re.fullmatch(rf"{kind}(_\d+)?", tail) and (not label or is_plain(label)):
        return label, False
    return (inner, True) if is_plain(inner) else None


def _label_of_key(node: Node) -> str:
    """The label that the array of a statement's last node stands under: `b` for `t.b.w`."""
    form = form_of(node.op)
    for role, parameter in form.parameters if isinstance(form, Call) else ():
        key: str = getattr(parameter, "key", "")
        label = key.removeprefix(f"{node.name}.").removesuffix(f".{role}")
        if key == f"{node.name}.{label}.{role}" and is_plain(label):
            return label
    return ""


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name
