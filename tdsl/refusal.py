"""The user's input outside any source text is wrong (a file, a machine, an option) -> CompileError.

`docs/errors` has a page for each code of the family E07.
"""

from collections.abc import Generator
from contextlib import contextmanager

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.source import NOWHERE
from tdsl_runtime.errors import MachineError


def refusal(code: str, message: str, *, note: str = "", remedy: str = "") -> CompileError:
    """One diagnostic without a place in a source text, as an error to raise."""
    return CompileError(
        [
            Diagnostic(
                code=code,
                message=message,
                primary=Label(NOWHERE),
                notes=(note,) if note else (),
                helps=(remedy,) if remedy else (),
            )
        ]
    )


@contextmanager
def machine_refusals(code: str) -> Generator[None]:
    """Turn a MachineError of the block into a CompileError with this code."""
    try:
        yield
    except MachineError as error:
        raise refusal(code, error.message, note=error.note, remedy=error.remedy) from error
