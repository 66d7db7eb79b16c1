"""The instruction set: one table of micro-ops, their units, fields and meanings.

Encoder, decoder, assembler, documentation, timing and energy all read this table.
`docs/machine.md` gives the exact rules that the one-line meanings below summarise.
"""

from dataclasses import dataclass

from tdsl_runtime.opcodes import BUFFER, line_fields
from tdsl_runtime.opcodes import AccOp as AccOp
from tdsl_runtime.opcodes import Border as Border
from tdsl_runtime.opcodes import Field as Field
from tdsl_runtime.opcodes import Instruction as Instruction
from tdsl_runtime.opcodes import Opcode as Opcode
from tdsl_runtime.opcodes import Reduction as Reduction
from tdsl_runtime.opcodes import Relation as Relation
from tdsl_runtime.opcodes import StoreMode as StoreMode
from tdsl_runtime.opcodes import Unit as Unit
from tdsl_runtime.row_instructions import ROW_INSTRUCTIONS

_SPAN = (
    Field("xcounter", 3, "loop counter of the span (0: the first)"),
    Field("span", 16, "pixels of a span", low=1),
    Field("limit", 20, "pixels of a line"),
)
_SPLIT = (
    Field("groups", 8, "runs of macros, each with its channel and pixel", low=1),
    Field("segments", 8, "stretches of a row, each with its pixel", low=1),
)
INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction(Opcode.HALT, Unit.SEQUENCER, "ends the program", ()),
    Instruction(
        Opcode.LOOP,
        Unit.SEQUENCER,
        "repeats up to the END of its level; the level's counter runs 0..count-1",
        (Field("level", 3, "counter it owns", low=1), Field("count", 24, "times")),
    ),
    Instruction(
        Opcode.END,
        Unit.SEQUENCER,
        "closes the LOOP of its level",
        (Field("level", 3, "counter of the loop", low=1),),
    ),
    Instruction(
        Opcode.GUARD,
        Unit.SEQUENCER,
        "skips micro-ops unless lo <= counter < hi and counter mod mod == rem",
        (
            Field("skip", 16, "micro-ops skipped"),
            Field("counter", 3, "loop counter tested"),
            Field("lo", 24, "first value", signed=True),
            Field("hi", 24, "value past the last", signed=True),
            Field("mod", 12, "modulus", low=1),
            Field("rem", 12, "remainder"),
        ),
    ),
    Instruction(
        Opcode.WAIT,
        Unit.SEQUENCER,
        "the unit goes on only when the token was signalled",
        (Field("unit", 2, "unit that waits", low=1), Field("token", 10, "token queue")),
    ),
    Instruction(
        Opcode.SIGNAL,
        Unit.SEQUENCER,
        "posts the token when all earlier work of the unit is done",
        (Field("unit", 2, "unit that signals", low=1), Field("token", 10, "token queue")),
    ),
    Instruction(
        Opcode.BUF,
        Unit.SEQUENCER,
        "describes a line buffer",
        (
            BUFFER,
            Field("base", 40, "trit address, a multiple of 64"),
            Field("pitch", 16, "trits a pixel", low=1),
            Field("width", 20, "pixels a line", low=1),
            Field("depth", 20, "lines held", low=1),
            Field("planes", 6, "trit planes of a value", low=1),
            Field("image_width", 20, "pixels of an image line", low=1),
            Field("image_height", 20, "lines of the image", low=1),
            Field("pad", 2, "trit outside the image (signed)", signed=True, low=-1),
            Field("strip", 3, "loop counter of the column strip (0: none)"),
            Field("step", 20, "pixels from strip to strip"),
            Field("halo", 16, "pixels a strip starts early"),
        ),
    ),
    Instruction(
        Opcode.LEVEL,
        Unit.SEQUENCER,
        "sets an entry of the port's level table",
        (
            Field("index", 12, "entry"),
            Field("lo", 24, "-1 below it", signed=True),
            Field("hi", 24, "+1 above it", signed=True),
        ),
    ),
    Instruction(
        Opcode.DMAIN,
        Unit.DMA,
        "one line of an input into a buffer",
        (
            BUFFER,
            Field("port", 4, "input port"),
            Field("format", 1, "0 planes, 1 levels"),
            Field("base", 12, "first level entry (levels)"),
            Field("levels", 12, "trits a channel (levels)"),
            Field("each", 1, "1: own levels for each channel"),
            *line_fields(),
        ),
    ),
    Instruction(
        Opcode.DMAOUT,
        Unit.DMA,
        "one line of a buffer to an output",
        (
            BUFFER,
            Field("port", 4, "output port"),
            Field("format", 1, "0 values, 1 index of the first largest"),
            Field("chan", 16, "first channel"),
            Field("n", 16, "channels", low=1),
            Field("to", 16, "first channel of the output"),
            Field("x0", 16, "first pixel of the buffer"),
            Field("limit", 20, "pixels"),
            *line_fields(),
        ),
    ),
    Instruction(
        Opcode.DMAW,
        Unit.DMA,
        "weight rows from external memory",
        (
            Field("row", 16, "first row"),
            Field("source", 24, "first row in external memory"),
            Field("n", 16, "rows", low=1),
        ),
    ),
    Instruction(
        Opcode.DOT,
        Unit.ARRAY,
        "ternary dot products of a span of pixels with one weight row",
        (
            BUFFER,
            Field("plane", 6, "plane read"),
            *line_fields(),
            Field("lines", 4, "lines joined in the window register", low=1),
            Field("ldil", 8, "distance of these lines", low=1),
            Field("x0", 20, "source pixel of the first output pixel", signed=True),
            Field("dx", 8, "source pixels an output pixel"),
            Field("toff", 20, "trits skipped after the pixel's start"),
            Field("len", 16, "trits a line", low=1),
            Field("row", 16, "weight row"),
            Field("col", 16, "first weight column"),
            *_SPAN,
            *_SPLIT,
            Field("macros", 16, "active macros a group", low=1),
            Field("acc", 12, "first accumulator"),
            Field("astep", 1, "accumulators a step"),
            Field("shift", 5, "the sum counts 2^shift"),
            Field("clear", 1, "set instead of add"),
        ),
    ),
    Instruction(
        Opcode.ACC,
        Unit.ARRAY,
        "arithmetic on accumulators",
        (
            Field("op", 4, "set copy add max min addi maxi mini shr"),
            Field("dst", 12, "first accumulator changed"),
            Field("dstep", 1, "accumulators a step"),
            Field("src", 12, "first operand"),
            Field("sstep", 1, "operands a step"),
            Field("imm", 33, "immediate", signed=True),
            *_SPAN,
            *_SPLIT,
        ),
    ),
    Instruction(
        Opcode.LUT,
        Unit.ARRAY,
        "a function of two trits over a span of pixels",
        (
            BUFFER,
            Field("plane", 6, "plane written"),
            Field("a", 8, "buffer of the first operand"),
            Field("aplane", 6, "its plane"),
            Field("ahold", 1, "1: a vector, pixel 0 of line 0 for all"),
            Field("b", 8, "buffer of the second operand"),
            Field("bplane", 6, "its plane"),
            Field("bhold", 1, "1: a vector, pixel 0 of line 0 for all"),
            Field("table", 18, "nine 2-bit trits, entry 3 * (a + 1) + (b + 1): 0, 1, or 3 for -1"),
            *line_fields(),
            *_SPAN,
        ),
    ),
    Instruction(
        Opcode.TLOAD,
        Unit.POST,
        "thresholds from rows into the T registers",
        (
            Field("row", 16, "first row"),
            Field("slot", 12, "first 32-bit slot"),
            Field("n", 10, "thresholds", low=1),
        ),
    ),
    Instruction(
        Opcode.STORE,
        Unit.POST,
        "sums to trits, gathered into a span of pixels",
        (
            BUFFER,
            *line_fields(),
            Field("x0", 20, "pixel of the first result", signed=True),
            Field("dx", 8, "pixels between results"),
            Field("pool", 8, "results combined into one pixel", low=1),
            Field("combine", 1, "1: maximum with what is there"),
            Field("chan", 16, "first channel written"),
            *_SPAN,
            *_SPLIT,
            Field("macros", 16, "active macros a group", low=1),
            Field("acc", 12, "first accumulator"),
            Field("mode", 2, "tern count spaced raw"),
            Field("levels", 10, "thresholds (count, spaced)"),
            Field("bias", 33, "value below all thresholds (count, spaced)", signed=True),
            Field("shift", 5, "distance 2^shift of the thresholds (spaced)"),
        ),
    ),
    *ROW_INSTRUCTIONS,
)

TABLE: dict[Opcode, Instruction] = {i.opcode: i for i in INSTRUCTIONS}


class FieldError(ValueError):
    """A value that its field cannot hold; `origin` says which part of the program wants it."""

    def __init__(self, message: str, origin: int = 0) -> None:
        super().__init__(message)
        self.origin = origin


@dataclass(frozen=True, slots=True)
class MicroOp:
    """One micro-op: field values in the table's order; `origin` indexes the program's origins."""

    opcode: Opcode
    values: tuple[int, ...]
    origin: int = 0

    def __getitem__(self, name: str) -> int:
        for field, value in zip(TABLE[self.opcode].fields, self.values, strict=True):
            if field.name == name:
                return value
        raise KeyError(name)


def micro_op(opcode: Opcode, origin: int = 0, **fields: int) -> MicroOp:
    """Build a micro-op from named fields; absent ones take their smallest legal value from 0 on.

    Raises FieldError for a value that its field cannot hold, ValueError for an unknown field.
    """
    table = TABLE[opcode].fields
    unknown = fields.keys() - {f.name for f in table}
    if unknown:
        raise ValueError(f"{opcode.name} has no field {', '.join(sorted(unknown))}")
    values = tuple(fields.get(f.name, max(0, f.low)) for f in table)
    for field, value in zip(table, values, strict=True):
        check_field(opcode, field, value, origin)
    return MicroOp(opcode, values, origin)


def check_field(opcode: Opcode, field: Field, value: int, origin: int = 0) -> None:
    """Raise FieldError unless the field can hold the value."""
    low = -(1 << (field.bits - 1)) if field.signed else 0
    high = (1 << (field.bits - int(field.signed))) - 1
    if not max(low, field.low if field.low else low) <= value <= high:
        message = f"{opcode.name}.{field.name} = {value} is outside {low}..{high}"
        raise FieldError(message, origin)
