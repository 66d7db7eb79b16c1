"""A path of a `.py` file -> what its names stand for after it has been executed."""

import contextlib
import linecache
import sys
import traceback
from collections.abc import Generator
from pathlib import Path

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.frontend.reading import read_source
from tdsl.source import Span

MODULE_NAME = "tdsl_network_file"
"""`__name__` while the file is executed: what stands under `"__main__"` is left alone."""


def run_python_file(path: Path) -> dict[str, object]:
    """Execute the file as Python does a script; what it prints goes to standard error.

    Raises CompileError where it cannot be read, or stops with an exception of its own.
    """
    text = read_source(path)
    linecache.checkcache(str(path))
    namespace: dict[str, object] = {"__name__": MODULE_NAME, "__file__": str(path)}
    try:
        code = compile(text, str(path), "exec", dont_inherit=True)
        with _beside(path), contextlib.redirect_stdout(sys.stderr):
            exec(code, namespace)
    except CompileError:
        raise
    except (Exception, SystemExit) as error:
        raise CompileError([_diagnostic(path, error)], {str(path): text}) from error
    return namespace


@contextlib.contextmanager
def _beside(path: Path) -> Generator[None]:
    """Let imports find the modules beside the file."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _diagnostic(path: Path, error: BaseException) -> Diagnostic:
    name = type(error).__name__
    if isinstance(error, SyntaxError):
        line, column = error.lineno or 1, error.offset or 1
        reason = error.msg
    else:
        inside = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        last = inside[-1] if inside else None
        line = (last.lineno if last else None) or 1
        column = ((last.colno if last else None) or 0) + 1
        reason = str(error)
    span = Span(file=str(path), line=line, column=column, end_line=line, end_column=column + 1)
    return Diagnostic(
        code="N0110",
        message=f"`{path.name}` cannot be executed: {name}",
        primary=Label(span, reason.splitlines()[0] if reason else ""),
        helps=("a file of networks has to run as `python FILE` does",),
    )
