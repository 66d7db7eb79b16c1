"""Why a row program does not fit a machine: diagnostics K0112, with the exact figures."""

from collections.abc import Iterator

from tdsl.diagnostics import Diagnostic, Label
from tdsl.lowering.pixels.image_plan import ImagePlan
from tdsl.lowering.pixels.order import as_written
from tdsl.lowering.pixels.regions import regions
from tdsl.rows.ir import RowProgram
from tdsl.source import NOWHERE, Span
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.isa import FieldError
from tdsl_runtime.program import Program
from tdsl_runtime.state import RESULTS

MOST_BITS = 31
"""Bit rows that a row micro-op works through."""
_LARGER = "choose a machine with more rows (`tdsl machines`)"


def too_large(program: RowProgram) -> Iterator[Diagnostic]:
    """What no machine can do: values too wide, too many totals."""
    for position in as_written(program):
        value = program.values[position]
        if value.range.bits > MOST_BITS:
            yield _refusal(
                f"a value of `{program.name}` has {value.range.bits} bits;"
                f" row micro-ops work on at most {MOST_BITS}",
                value.span,
                f"it lies between {value.range.low} and {value.range.high}",
                "narrow its operands first: `x >> 4`, `clip(x, U16)`",
            )
            return
    totals = sum(len(total.values) for total in program.totals)
    if totals > RESULTS:
        last = program.totals[-1].values[-1]
        yield _refusal(
            f"`{program.name}` counts {totals} totals; the machine has {RESULTS} result registers",
            program.values[last].span,
            "the last one",
            "use fewer bins, or two kernels",
        )


def too_many_rows(program: RowProgram, least: ImagePlan, machine: MachineDescription) -> Diagnostic:
    """Of all ways to work through the image, the one with the fewest rows still has too many."""
    assignment, steps = least.placed.assignment, least.placed.steps
    peak = steps[min(max(assignment.peak, 0), len(steps) - 1)].span if steps else NOWHERE
    return _refusal(
        f"`{program.name}` needs {assignment.rows} bit rows at once;"
        f" `{machine.name}` has {PLANES * machine.rows}",
        peak,
        "here most values are needed at the same time",
        _LARGER,
        "narrow values (`x >> 2`, `clip(x, U8)`), or use them soon after they are made",
    )


def too_many_columns(program: RowProgram, machine: MachineDescription) -> Diagnostic:
    """A single pixel with its neighbourhood is larger than the array."""
    found = regions(program).values()
    lines, pixels = (max(r.extra.dy for r in found) + 1, max(r.extra.dx for r in found) + 1)
    return _refusal(
        f"`{program.name}` reads {lines} x {pixels} pixels around a pixel;"
        f" `{machine.name}` has {machine.macros * machine.columns} columns",
        program.values[-1].span,
        "every column of the array holds one pixel",
        "choose a machine with more macros or columns (`tdsl machines`)",
    )


def beyond_field(program: RowProgram, error: FieldError, span: Span) -> Diagnostic:
    """A number, of the program or of its image, that the instruction set cannot express."""
    return _refusal(
        f"`{program.name}` cannot run on the array: a number is too large for the instruction set",
        span,
        str(error),
        "use smaller constants, distances or images",
    )


def too_long(program: RowProgram, made: Program) -> Diagnostic:
    """The program memory does not hold the program."""
    return _refusal(
        f"`{program.name}` takes {len(made.code)} words of program memory;"
        f" `{made.machine.name}` has {made.machine.program_words}",
        program.values[-1].span,
        "loops of kernels are unrolled",
        "do less in one kernel, or choose a machine with a larger program memory",
    )


def _refusal(message: str, span: Span, label: str, *helps: str) -> Diagnostic:
    return Diagnostic(code="K0112", message=message, primary=Label(span, label), helps=helps)
