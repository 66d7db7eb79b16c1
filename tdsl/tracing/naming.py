"""The names of nodes: those that a text with the same statements and labels gives them.

A step is called after its operation (`c1.conv`); the value of a statement has the statement's
name, the last step under a label the label's. Where a variable is assigned again, a step with a
label goes back to it and leaves the name to the new value, as in a text `m[0]`, `m[1]`, `m`.
"""

from dataclasses import dataclass, field

from tdsl.frontend.context import Context, join
from tdsl.frontend.graph_builder import GraphBuilder
from tdsl.tracing.places import Binding, Place


def inner_context(context: Context, place: Place, label: str | None) -> Context:
    """The context of the step at `place`: its label's, else its statement's."""
    name = label or place.binding.name
    return context.named(name) if name else context


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

    def enter(self, context: Context, place: Place, label: str | None) -> Context:
        """The context in which the step at `place` makes its nodes."""
        inner = inner_context(context, place, label)
        if label is not None and inner.prefix in self._last:
            node, name = self._last.pop(inner.prefix)
            if self.graph.nodes[node].name == inner.prefix:
                self.graph.rename(node, name)
        return inner

    def settle(
        self,
        node: int,
        kind: str,
        context: Context,
        inner: Context,
        place: Place,
        label: str | None,
    ) -> None:
        """Name the result of the step at `place`, called `kind`, that `enter` gave `inner`."""
        binding = place.binding
        fresh = node not in self._statements
        self._statements.setdefault(node, binding.statement)
        if label is not None and fresh:
            self.graph.rename(node, inner.prefix)
            self._labels[node] = inner.prefix
            self._last[inner.prefix] = node, join(inner.prefix, kind)
        same = self._statements[node] == binding.statement
        if fresh or same:
            self.bind_value(node, context, binding)

    def result(self, node: int, inner: Context, label: str | None) -> None:
        """Name the result of a block after the call of it."""
        if inner.prefix:
            self.graph.rename(node, inner.prefix)
        if label is not None:
            self._labels[node] = inner.prefix

    def bind_value(self, node: int, context: Context, binding: Binding) -> None:
        """Give a node the name of its statement, if it is the one value of one."""
        if binding.whole and binding.name and not binding.names:
            self.bind(node, join(context.prefix, binding.name))

    def bind(self, node: int, name: str) -> None:
        """Give the value of a statement the statement's name."""
        holder = self._holders.get(name)
        if holder is not None and holder != node and holder in self._labels:
            if self.graph.nodes[holder].name == name:
                self.graph.rename(holder, self._labels[holder])
        self.graph.rename(node, name)
        self._holders[name] = node
