"""`tdsl COMMAND ...`: the commands by name, and what becomes of every way to end."""

import errno
import os
import sys
import traceback
from typing import Annotated

import typer

from tdsl.cli import build, catalogue, cost, evaluate, golden, importing, run, text
from tdsl.cli.terminal import print_error, print_text
from tdsl.diagnostics import CompileError
from tdsl.resources import release

INPUT_IS_WRONG = 1
INTERNAL_ERROR = 70
INTERRUPTED = 130

app = typer.Typer(
    name="tdsl",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_text(f"tdsl {release()}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Ternary networks on near-memory arrays: check, compile, simulate, and see the cost."""


app.command("check")(text.check)
app.command("fmt")(text.fmt)
app.command("explain")(text.explain)
app.command("test")(golden.run_checks)
app.command("run")(run.run)
app.command("exec")(run.exec_program)
app.command("eval")(evaluate.evaluate)
app.command("compile")(build.compile_program)
app.command("show")(build.show)
app.command("cost")(cost.cost)
app.command("import")(importing.import_model)
app.command("samples")(catalogue.samples)
app.command("machines")(catalogue.machines)


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 wrong input, 2 wrong command line."""
    if sys.stdout is None:  # the caller closed it: the work is still done
        sys.stdout = open(os.devnull, "w")
    try:
        app()
    except CompileError as error:
        print_error(error)
        sys.exit(INPUT_IS_WRONG)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        _leave_pipe()
    except Exception as error:
        sys.exit(_report_unexpected(error))
    finally:
        _flush()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_pipe()


def _leave_pipe() -> None:
    """The reader has gone: nothing more can be said, and nothing went wrong."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_unexpected(error: Exception) -> int:
    """Say what happened; returns the exit status. What is full is no mistake of ours."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        sys.stderr.write(
            "error[E0712]: the result cannot be written: no space left\n"
            "  = help: make room, or write it to another place\n"
        )
        return INPUT_IS_WRONG
    if isinstance(error, MemoryError):
        sys.stderr.write(
            "error[E0704]: this computer has too little memory for inputs of this size\n"
            "  = help: choose a smaller size, or fewer frames at a time\n"
        )
        return INPUT_IS_WRONG
    _report_internal(error)
    return INTERNAL_ERROR


def _report_internal(error: Exception) -> None:
    if os.environ.get("TDSL_DEBUG") == "1":
        traceback.print_exception(error)
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    sys.stderr.write(
        f"internal error, please report it: {reason}\n"
        "  = help: set TDSL_DEBUG=1 to see where it happened\n"
    )
