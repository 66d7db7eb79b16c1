"""Mistakes found while checking -> diagnostics, each reported once."""

from dataclasses import dataclass, field

from tdsl.diagnostics import Diagnostic, Label
from tdsl.ir.condition import Where, condition_text
from tdsl.ir.op_error import OpError
from tdsl.source import Span


class Rejected(Exception):
    """A mistake has been reported (or follows from one that was): give up on this statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an operation stands: itself, its arguments by name, its tensors in order."""

    span: Span
    arguments: dict[str, Span] = field(default_factory=dict[str, Span])
    uses: tuple[Span, ...] = ()
    made: tuple[Span, ...] = ()


ENOUGH = 100
"""So many mistakes in one file are read by nobody: statements after them are not looked at."""


@dataclass(slots=True)
class Reports:
    """Every diagnostic so far, in the order found."""

    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    @property
    def enough(self) -> bool:
        """Whether checking should stop."""
        return len(self.diagnostics) >= ENOUGH

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic unless the very same mistake has been reported at this place."""
        same = (
            d.code == diagnostic.code
            and d.span == diagnostic.span
            and d.message == diagnostic.message
            and d.primary.text == diagnostic.primary.text
            for d in self.diagnostics
        )
        if not any(same):
            self.diagnostics.append(diagnostic)

    def reject(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        secondary: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        helps: tuple[str, ...] = (),
    ) -> Rejected:
        """Report a mistake; raise what this returns."""
        self.add(
            Diagnostic(
                code=code,
                message=message,
                primary=Label(span, label),
                secondary=secondary,
                notes=notes,
                helps=helps,
            )
        )
        return Rejected()


def diagnostic_of(error: OpError, site: Site, calls: tuple[Label, ...], where: Where) -> Diagnostic:
    """The diagnostic of what an operation refuses; `where` are the network's conditions."""
    places = site.made if error.where_made else site.uses
    marks = tuple(
        Label(places[note.index], note.text) for note in error.operands if note.index < len(places)
    )
    span = site.span if error.argument is None else site.arguments.get(error.argument, site.span)
    return Diagnostic(
        code=error.code,
        message=error.message,
        primary=Label(span, error.label),
        secondary=marks + calls,
        notes=error.notes,
        helps=(*error.helps, *condition_help(error.conditions, where)),
    )


def condition_help(conditions: Where, where: Where) -> tuple[str, ...]:
    """The help that writes conditions into the network's header; none for no conditions."""
    if not conditions:
        return ()
    text = ", ".join(condition_text(condition) for condition in (*where, *conditions))
    verb = "extend the conditions of" if where else "add conditions to"
    return (f"{verb} the header: `where {text}`",)
