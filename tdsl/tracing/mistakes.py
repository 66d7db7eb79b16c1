"""A mistake outside of any network -> the error to raise."""

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.source import Span
from tdsl.tracing.source_files import source_texts


def mistake(
    code: str,
    message: str,
    span: Span,
    label: str = "",
    *,
    notes: tuple[str, ...] = (),
    helps: tuple[str, ...] = (),
) -> CompileError:
    """One diagnostic about a line of Python, with its source where that can be read."""
    diagnostic = Diagnostic(
        code=code, message=message, primary=Label(span, label), notes=notes, helps=helps
    )
    return CompileError([diagnostic], source_texts([diagnostic]))
