"""What is known at one point of a kernel: names, the row program so far, mistakes, the way here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tdsl.diagnostics import Diagnostic, Label, Sources
from tdsl.kernels.definition import Definition
from tdsl.kernels.source import Node
from tdsl.kernels.values import Row, Value, described, row_text
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import Range
from tdsl.source import Span

MOST_VALUES = 1 << 15
MOST_STEPS = 1 << 18
"""Statements and passes through loops: more is a loop that nobody meant."""


class Rejected(Exception):
    """A mistake has been reported, or follows from one that was: give up on this statement."""


class NotYet(Exception):
    """The value of a constant, or a name defined later, is needed to go on."""


CallKernel = Callable[["Scope", Definition, list[Value], dict[str, Value], "Node"], Value]


@dataclass(slots=True)
class Build:
    """One row program under construction."""

    builder: RowBuilder
    call_kernel: CallKernel
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    final: bool = False
    """Whether every name that will ever have a value has one."""
    sources: dict[str, str] = field(default_factory=dict[str, str])
    steps: int = 0

    def texts(self) -> Sources:
        """The texts that the diagnostics point into."""
        return self.sources


@dataclass(slots=True)
class Scope:
    """The body of one kernel being worked out, for one call of it."""

    definition: Definition
    build: Build
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    calls: tuple[Label, ...] = ()
    """Where the kernels were called that led here, innermost first."""
    stack: tuple[Definition, ...] = ()

    def span(self, node: Node) -> Span:
        """Where a node stands."""
        return self.definition.file.span(node)

    def words(self, node: Node) -> str:
        """The source text of a node."""
        return self.definition.file.words(node)

    def at(self, node: Node) -> RowBuilder:
        """The builder; values that it makes now come from `node`."""
        self.build.builder.span = self.span(node)
        return self.build.builder

    def range(self, row: Row) -> Range:
        """The values of a row."""
        return self.build.builder.range(row.position)

    def type_text(self, value: Value) -> str:
        """A value in the words of a message."""
        if isinstance(value, Row):
            return row_text(self.range(value), value.trit) + "[L]"
        return described(value)

    def count(self, node: Node) -> None:
        """Count a step of unrolling; refuse what never ends."""
        self.build.steps += 1
        if self.build.steps > MOST_STEPS or len(self.build.builder.values) > MOST_VALUES:
            raise self.reject(
                "K0116",
                f"kernel `{self.definition.name}` grows beyond every program memory",
                node,
                f"more than {MOST_VALUES} values or {MOST_STEPS} steps when unrolled",
                helps=("loop over fewer values",),
            )

    def reject(
        self,
        code: str,
        message: str,
        node: Node | Span,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        helps: tuple[str, ...] = (),
    ) -> Rejected:
        """Report a mistake; raise what this returns."""
        span = node if isinstance(node, Span) else self.span(node)
        found = Diagnostic(
            code=code,
            message=message,
            primary=Label(span, label),
            secondary=secondary + self.calls,
            notes=notes,
            helps=helps,
        )
        if found not in self.build.diagnostics:
            self.build.diagnostics.append(found)
        return Rejected()
