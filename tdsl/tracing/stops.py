"""An exception of the user's own code -> a diagnostic at the line where that code stopped."""

import traceback
from pathlib import Path

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.source import Span
from tdsl.tracing.source_files import source_file, source_texts

_PACKAGE = str(Path(__file__).parents[1])
_SAMPLES = str(Path(__file__).parents[1] / "samples")


def stopped(code: str, message: str, file: str, error: BaseException, remedy: str) -> CompileError:
    """The error to raise where code of `file`, or code that it called, raised `error`.

    Raises `error` itself where it is our own code that failed.
    """
    if _is_our_failure(error):
        raise error
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    reason = reason or type(error).__name__
    place = _syntax_place(file, error) if isinstance(error, SyntaxError) else None
    diagnostic = Diagnostic(
        code=code,
        message=f"{message}: {type(error).__name__}",
        primary=Label(place or _place(file, error), reason.splitlines()[0]),
        helps=(remedy,),
    )
    return CompileError([diagnostic], source_texts([diagnostic]))


def _syntax_place(file: str, error: SyntaxError) -> Span | None:
    if error.filename != file:
        return None
    line, column = error.lineno or 1, error.offset or 1
    return Span(file=file, line=line, column=column, end_line=line, end_column=column + 1)


def _place(file: str, error: BaseException) -> Span:
    """What the innermost line of the user's computed: of `file` if it can be, else of another."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_ours(f.filename)]
    inside = [frame for frame in frames if frame.filename == file] or frames
    if not inside:
        return Span(file=file, line=1, column=1, end_line=1, end_column=1)
    last = inside[-1]
    line, end_line = last.lineno or 1, last.end_lineno or last.lineno or 1
    found = source_file(last.filename)
    if found is None or last.colno is None or last.end_colno is None:
        return Span(file=last.filename, line=line, column=1, end_line=line, end_column=1)
    return found.extent_span((line, end_line, last.colno, last.end_colno))


def _is_our_failure(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    elsewhere = isinstance(error, RecursionError | SyntaxError | KeyboardInterrupt)
    return bool(frames) and not elsewhere and _is_ours(frames[-1].filename)


def _is_ours(file: str) -> bool:
    return file.startswith(_PACKAGE) and not file.startswith(_SAMPLES)
