"""A path of a `.py` file -> what its names stand for after it has been executed."""

import contextlib
import linecache
import sys
from collections.abc import Generator
from pathlib import Path

from tdsl.diagnostics import CompileError
from tdsl.frontend.reading import read_source
from tdsl.tracing.stops import stopped

MODULE_NAME = "tdsl_network_file"
"""`__name__` while the file is executed: what stands under `"__main__"` is left alone."""


def run_python_file(path: Path) -> dict[str, object]:
    """Execute the file as Python does a script; what it prints goes to standard error.

    Raises CompileError where it cannot be read, or stops with an exception of its own.
    """
    text = read_source(path)
    file = str(path)
    linecache.checkcache(file)
    namespace: dict[str, object] = {"__name__": MODULE_NAME, "__file__": file}
    try:
        code = compile(text, file, "exec", dont_inherit=True)
        with _beside(path), contextlib.redirect_stdout(sys.stderr):
            exec(code, namespace)
    except CompileError:
        raise
    except (Exception, SystemExit) as error:
        raise stopped(
            "N0110",
            f"`{path.name}` cannot be executed",
            file,
            error,
            "a file of networks has to run as `python FILE` does",
        ) from error
    return namespace


@contextlib.contextmanager
def _beside(path: Path) -> Generator[None]:
    """Let imports find the modules beside the file."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)
