"""A kernel or micro-op as it is written: its signature, its body, and the names around it."""

import ast
from collections.abc import Callable
from dataclasses import dataclass

from tdsl.kernels.row_types import ConstType, ResultType, RowType
from tdsl.kernels.source import SourceFile
from tdsl.source import Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument: its name and type; only constants have defaults."""

    name: str
    type: RowType | ConstType
    span: Span
    default: int | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What the user says of a micro-op: its opcode, its cycles, its energy a macro."""

    opcode: int
    cycles: int
    femtojoules: int


@dataclass(frozen=True, slots=True)
class Plain:
    """A Python value from outside the kernel; `text` is how it is shown."""

    value: object
    text: str
    function: bool = False
    """Whether it is something to call, or a module of such."""


@dataclass(frozen=True, slots=True)
class Missing:
    """No such name outside the kernel; `later` if it may still be defined."""

    later: bool = False


@dataclass(frozen=True, eq=False)
class Definition:
    """A kernel; a micro-op, if `declared`."""

    name: str
    file: SourceFile
    function: ast.FunctionDef
    parameters: tuple[Parameter, ...]
    results: tuple[ResultType, ...]
    """More than one where the result is a tuple."""
    outside: "Callable[[str], Outer]"
    """What a name means outside the kernel."""
    declared: Declared | None = None
    path: str = ""
    """The file it was read from; nothing for a notebook's cell."""

    @property
    def kind(self) -> str:
        """The word for it in messages."""
        return "kernel" if self.declared is None else "micro-op"

    @property
    def span(self) -> Span:
        """Where its name stands."""
        return self.file.name_span(self.function)

    @property
    def rows(self) -> tuple[Parameter, ...]:
        """The arguments that are images."""
        return tuple(p for p in self.parameters if isinstance(p.type, RowType))

    @property
    def constants(self) -> tuple[Parameter, ...]:
        """The arguments that are known when it is compiled."""
        return tuple(p for p in self.parameters if isinstance(p.type, ConstType))


Outer = Definition | Plain | Missing
