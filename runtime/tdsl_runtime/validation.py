"""A program -> nothing, or a MachineError: all that can be known wrong before it runs."""

from collections.abc import Sequence

from tdsl_runtime.assembly import op_text
from tdsl_runtime.check_terms import Context
from tdsl_runtime.checks import check
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.program import Program
from tdsl_runtime.row_fields import BODY
from tdsl_runtime.state import Buffer

_CONFIGURATION = (Opcode.BUF, Opcode.LEVEL, Opcode.ACTIVE)


def validate(program: Program) -> None:
    """Check a program against its machine.

    Raises MachineError for the first thing wrong, with the micro-op's number and text.
    """
    _check_image(program)
    ops = program.ops
    if [k for k, op in enumerate(ops) if op.opcode is Opcode.HALT] != [len(ops) - 1]:
        raise _invalid("one HALT must stand at the end of the program, and only there")
    ends = loop_ends(ops)
    _check_bodies(ops)
    _check_guards(ops, ends)
    context = Context(program)
    for number, op in enumerate(ops):
        if problem := check(op, context):
            raise _wrong(number, op, problem)
        _advance(op, context)


def loop_ends(ops: Sequence[MicroOp]) -> dict[int, int]:
    """The END of every LOOP, by their numbers. Raises MachineError unless loops nest and close."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for number, op in enumerate(ops):
        if op.opcode is Opcode.LOOP:
            if any(ops[start]["level"] == op["level"] for start in opened):
                raise _wrong(number, op, "the level is open already")
            opened.append(number)
        elif op.opcode is Opcode.END:
            if not opened or ops[opened[-1]]["level"] != op["level"]:
                raise _wrong(number, op, "closes a loop that is not the innermost one")
            ends[opened.pop()] = number
    if opened:
        raise _wrong(opened[-1], ops[opened[-1]], "is never closed")
    return ends


def uop_bodies(ops: Sequence[MicroOp]) -> frozenset[int]:
    """The numbers of all micro-ops that stand in the body of a UOP."""
    return frozenset(
        number + k
        for number, op in enumerate(ops)
        if op.opcode is Opcode.UOP
        for k in range(1, op["body"] + 1)
    )


def _check_bodies(ops: Sequence[MicroOp]) -> None:
    """The body of a UOP holds row micro-ops alone."""
    for number, op in enumerate(ops):
        if op.opcode is Opcode.UOP:
            body = ops[number + 1 : number + 1 + op["body"]]
            for other in body:
                if other.opcode not in BODY:
                    raise _wrong(number, op, f"its body holds {other.opcode.name}")


def _check_guards(ops: Sequence[MicroOp], ends: dict[int, int]) -> None:
    """What a GUARD skips must be whole loops and UOPs of its own body, without configuration."""
    bodies = uop_bodies(ops)
    for number, op in enumerate(ops):
        if op.opcode is not Opcode.GUARD:
            continue
        last = number + op["skip"]
        if last >= len(ops) - 1:
            raise _wrong(number, op, "skips beyond the program")
        skipped = range(number + 1, last + 1)
        if any((start in skipped) != (end in skipped) for start, end in ends.items()):
            raise _wrong(number, op, "skips a part of a loop")
        if last + 1 in bodies:
            raise _wrong(number, op, "skips a part of a UOP")
        if any(ops[k].opcode in _CONFIGURATION for k in skipped):
            raise _wrong(number, op, "skips a BUF, LEVEL or ACTIVE")


def _advance(op: MicroOp, context: Context) -> None:
    """Take note of what a micro-op makes known to the following ones."""
    match op.opcode:
        case Opcode.LOOP:
            context.open_levels.append(op["level"])
        case Opcode.END:
            context.open_levels.pop()
        case Opcode.BUF:
            context.buffers[op["buffer"]] = Buffer.described(op)
        case Opcode.LEVEL:
            context.levels.add(op["index"])
        case Opcode.ACTIVE:
            context.active = op["macros"]
        case _:
            pass


def _check_image(program: Program) -> None:
    """Check everything of a program but its micro-ops."""
    machine = program.machine
    row = (2, machine.words, machine.macros)
    if len(program.code) > machine.program_words:
        raise _invalid(
            f"its {len(program.code)} words exceed the {machine.program_words} of program memory"
        )
    if program.row_data.shape != (len(program.rows), *row):
        raise _invalid("its memory image does not have the shape of the machine's rows")
    if program.external.shape[1:] != row:
        raise _invalid("its external memory does not have the shape of the machine's rows")
    if any(not 0 <= number < machine.rows for number in program.rows):
        raise _invalid("its memory image has a row that the machine does not have")
    if any(not 0 <= number < len(program.origins) for number in program.code_origins):
        raise _invalid("a micro-op has an origin that is not in the table")
    for port in (*program.inputs, *program.outputs):
        if min(port.shape) < 1 or port.low > port.high:
            raise _invalid(f"port `{port.name}` holds nothing")


def _invalid(problem: str) -> MachineError:
    return MachineError(
        f"the program cannot run: {problem}",
        remedy="compile it again, or choose a machine that it fits",
    )


def _wrong(number: int, op: MicroOp, problem: str) -> MachineError:
    return MachineError(
        f"micro-op {number} is wrong: {problem}",
        f"it reads `{op_text(op)}`",
        "the program does not fit the machine: compile it again",
    )
