"""What an operation refuses, as data: each front end adds the places of its own source."""

from dataclasses import dataclass

from tdsl.ir.condition import Where


@dataclass(frozen=True, slots=True)
class OperandNote:
    """What is to be said of the operand at position `index`."""

    index: int
    text: str


@dataclass(eq=False, kw_only=True)
class OpError(Exception):
    """An operation does not fit its operands or arguments: the user's mistake."""

    code: str
    message: str
    """What is wrong, one sentence."""
    label: str = ""
    """What stands beside the operation, or beside the argument at fault."""
    argument: str | None = None
    """The name of the argument at fault; None means the whole operation."""
    operands: tuple[OperandNote, ...] = ()
    where_made: bool = False
    """Mark the operands where they were made, not where they are used."""
    notes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    conditions: Where = ()
    """Conditions on the network's sizes that would make the operation fit."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message} ({self.label})"
