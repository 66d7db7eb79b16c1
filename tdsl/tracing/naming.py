"""The names of nodes: those that a text with the same statements and labels gives them.

A step is called after its operation (`c1.conv`); the value of a statement has the statement's
name, the last step under a label the label's. Where a variable is assigned again, a step with a
label goes back to it and leaves the name to the new value, as in a text `m[0]`, `m[1]`, `m`.
"""

from dataclasses import dataclass, field

from tdsl.frontend.context import Context, join
from tdsl.frontend.graph_builder import GraphBuilder
from tdsl.tracing.places import Place


@dataclass(frozen=True, slots=True)
class Step:
    """One operation, or one call of a block."""

    place: Place
    outer: Context
    """That of the statement it stands in."""
    inner: Context
    """That in which its nodes get their names: called after its label, else its statement."""
    label: str | None
    start: int
    """How many nodes there were before."""


@dataclass(slots=True)
class Names:
    """Gives names to the nodes of one network while it is traced."""

    graph: GraphBuilder
    _last: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """By label: the last node under it, and what it is called if another follows."""
    _labels: dict[int, str] = field(default_factory=dict[int, str])
    _holders: dict[str, int] = field(default_factory=dict[str, int])
    _statements: dict[int, int] = field(default_factory=dict[int, int])
    """The line of the statement that each node was made in."""

    def enter(self, outer: Context, place: Place, label: str | None) -> Step:
        """Begin the step at `place`."""
        name = label or place.binding.name
        inner = outer.named(name) if name else outer
        if label is not None and inner.prefix in self._last:
            node, former = self._last.pop(inner.prefix)
            if self.graph.nodes[node].name == inner.prefix:
                self.graph.rename(node, former)
        return Step(place, outer, inner, label, len(self.graph.nodes))

    def settle(self, step: Step, node: int, kind: str) -> None:
        """Name the result of an operation called `kind`; it may be that of one before."""
        if node >= step.start:
            self._statements[node] = step.place.binding.statement
            if step.label is not None:
                self.graph.rename(node, step.inner.prefix)
                self._labels[node] = step.inner.prefix
                self._last[step.inner.prefix] = node, join(step.inner.prefix, kind)
        if self._statements.get(node) == step.place.binding.statement:
            self._bind_value(step, node)

    def settle_block(self, step: Step, node: int) -> None:
        """Name the result of a block."""
        if node < step.start:
            return
        if step.inner.prefix:
            self.graph.rename(node, step.inner.prefix)
        if step.label is not None:
            self._labels[node] = step.inner.prefix
        else:
            self._labels.pop(node, None)
        self._bind_value(step, node)

    def settle_several(self, step: Step, node: int, name: str) -> None:
        """Name one of several results of a block after its target in the statement."""
        if node >= step.start and name != "_":
            self._bind(node, join(step.outer.prefix, name))

    def _bind_value(self, step: Step, node: int) -> None:
        binding = step.place.binding
        if binding.whole and binding.name and not binding.names:
            self._bind(node, join(step.outer.prefix, binding.name))

    def _bind(self, node: int, name: str) -> None:
        """Give the value of a statement the statement's name."""
        holder = self._holders.get(name)
        if holder is not None and holder != node and holder in self._labels:
            if self.graph.nodes[holder].name == name:
                self.graph.rename(holder, self._labels[holder])
        self.graph.rename(node, name)
        self._holders[name] = node
