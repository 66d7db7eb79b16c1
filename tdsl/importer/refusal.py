"""What cannot be imported, as data: one reason and one suggested rewrite a node.

Nothing is imported in part: every node is looked at, all refusals are collected, and together they
are one CompileError.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.source import NOWHERE


class Refusal(Exception):
    """This node has no exact counterpart. `rewrite` says what to put in its place."""

    def __init__(self, reason: str, rewrite: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rewrite = rewrite


@dataclass(frozen=True, slots=True)
class Finding:
    """A node of the file, or an input or output of it, that cannot be imported."""

    place: str
    """How the file names it: "node `Relu_3` (Relu)"."""
    reason: str
    rewrite: str


def legality_report(file: str, findings: Sequence[Finding], looked_at: int) -> CompileError:
    """All findings as one error: E0903, one diagnostic a node."""
    total = f"{len(findings)} of {looked_at} nodes of `{file}` cannot be imported"
    return CompileError(
        Diagnostic(
            code="E0903",
            message=f"{finding.place}: {finding.reason}",
            primary=Label(NOWHERE),
            notes=(f"{total}; nothing was written",) if finding is findings[-1] else (),
            helps=(finding.rewrite,),
        )
        for finding in findings
    )


def unreadable(file: str, reason: str, remedy: str = "export it again") -> CompileError:
    """The file is no model that can be read: E0902."""
    return CompileError(
        [
            Diagnostic(
                code="E0902",
                message=f"`{file}` cannot be read as an ONNX model: {reason}",
                primary=Label(NOWHERE),
                helps=(remedy,),
            )
        ]
    )
