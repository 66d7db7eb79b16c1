"""The instruction set: one table of micro-ops, their units, fields and meanings.

Encoder, decoder, assembler, documentation, timing and energy all read this table.
`docs/machine.md` gives the exact rules that the one-line meanings below summarise.
"""

from dataclasses import dataclass
from enum import IntEnum


class Unit(IntEnum):
    """The parts of the machine that work in parallel, each in order."""

    SEQUENCER = 0
    DMA = 1
    ARRAY = 2
    POST = 3


class Opcode(IntEnum):
    """The operation of a micro-op."""

    HALT = 0
    LOOP = 1
    END = 2
    GUARD = 3
    WAIT = 4
    SIGNAL = 5
    BUF = 6
    LEVEL = 7
    DMAIN = 8
    DMAOUT = 9
    DMAW = 10
    DOT = 11
    ACC = 12
    LUT = 13
    TLOAD = 14
    STORE = 15
    ACTIVE = 16
    LOGIC = 17
    SUM = 18
    SUMI = 19
    CMP = 20
    CMPI = 21
    SELECT = 22
    MOVE = 23
    COUNT = 24
    BANDIN = 25
    BANDOUT = 26
    REGOUT = 27
    SPREAD = 28
    PACK = 29
    UOP = 30


class AccOp(IntEnum):
    """What `ACC` does to an accumulator."""

    SET = 0
    COPY = 1
    ADD = 2
    MAX = 3
    MIN = 4
    ADDI = 5
    MAXI = 6
    MINI = 7
    SHR = 8


class StoreMode(IntEnum):
    """How `STORE` turns a sum into trits."""

    TERN = 0
    COUNT = 1
    SPACED = 2
    RAW = 3


class Relation(IntEnum):
    """What `CMP` and `CMPI` test."""

    LESS = 0
    EQUAL = 1


class Reduction(IntEnum):
    """What `COUNT` makes of the columns."""

    SUM = 0
    ANY = 1


class Border(IntEnum):
    """What `BANDIN` reads outside the image."""

    CONSTANT = 0
    EDGE = 1


@dataclass(frozen=True, slots=True)
class Field:
    """One field: width in bits, meaning, whether it is two's complement, smallest legal value."""

    name: str
    bits: int
    meaning: str
    signed: bool = False
    low: int = 0


@dataclass(frozen=True, slots=True)
class Instruction:
    """One row of the table."""

    opcode: Opcode
    unit: Unit
    meaning: str
    fields: tuple[Field, ...]


def _line(counter: str = "counter") -> tuple[Field, ...]:
    return (
        Field(counter, 3, "loop counter of the line (0: constant)"),
        Field("div", 12, "divisor of the counter", low=1),
        Field("mul", 12, "factor of the counter", signed=True),
        Field("off", 20, "line offset", signed=True),
    )


_SPAN = (
    Field("xcounter", 3, "loop counter of the span (0: the first)"),
    Field("span", 16, "pixels of a span", low=1),
    Field("limit", 20, "pixels of a line"),
)
_SPLIT = (
    Field("groups", 8, "runs of macros, each with its channel and pixel", low=1),
    Field("segments", 8, "stretches of a row, each with its pixel", low=1),
)
_BUFFER = Field("buffer", 8, "line buffer")


def _value(name: str, what: str) -> tuple[Field, ...]:
    """A value of the pixel-packed organisation: bit rows, low first."""
    return (
        Field(name, 12, f"first bit row of {what}"),
        Field(f"{name}n", 5, "its bit rows", low=1),
        Field(f"{name}s", 1, "1: two's complement, 0: unsigned"),
    )


_RESULT = (Field("dst", 12, "first bit row written"), Field("n", 5, "bit rows written", low=1))
_RELATION = (
    Field("dst", 12, "bit row written"),
    Field("op", 1, "0 less, 1 equal"),
    Field("inv", 1, "1: the opposite"),
)
_TILE = (
    Field("pitch", 20, "columns from line to line", low=1),
    Field("lines", 12, "lines of the tile", low=1),
    Field("width", 20, "pixels of a line of the tile", low=1),
)
_ORIGIN = (
    *_line(),
    Field("xcounter", 3, "loop counter of the first pixel (0: constant)"),
    Field("xmul", 20, "factor of that counter", signed=True),
    Field("xoff", 20, "pixel offset", signed=True),
)
_FIRST = (
    Field("first", 20, "column of the tile's first pixel"),
    Field("step", 8, "columns from pixel to pixel", low=1),
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
            _BUFFER,
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
            _BUFFER,
            Field("port", 4, "input port"),
            Field("format", 1, "0 planes, 1 levels"),
            Field("base", 12, "first level entry (levels)"),
            Field("levels", 12, "trits a channel (levels)"),
            Field("each", 1, "1: own levels for each channel"),
            *_line(),
        ),
    ),
    Instruction(
        Opcode.DMAOUT,
        Unit.DMA,
        "one line of a buffer to an output",
        (
            _BUFFER,
            Field("port", 4, "output port"),
            Field("format", 1, "0 values, 1 index of the first largest"),
            Field("chan", 16, "first channel"),
            Field("n", 16, "channels", low=1),
            Field("to", 16, "first channel of the output"),
            Field("x0", 16, "first pixel of the buffer"),
            Field("limit", 20, "pixels"),
            *_line(),
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
            _BUFFER,
            Field("plane", 6, "plane read"),
            *_line(),
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
            _BUFFER,
            Field("plane", 6, "plane written"),
            Field("a", 8, "buffer of the first operand"),
            Field("aplane", 6, "its plane"),
            Field("ahold", 1, "1: a vector, pixel 0 of line 0 for all"),
            Field("b", 8, "buffer of the second operand"),
            Field("bplane", 6, "its plane"),
            Field("bhold", 1, "1: a vector, pixel 0 of line 0 for all"),
            Field("table", 18, "nine 2-bit trits, entry 3 * (a + 1) + (b + 1): 0, 1, or 3 for -1"),
            *_line(),
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
            _BUFFER,
            *_line(),
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
    Instruction(
        Opcode.ACTIVE,
        Unit.SEQUENCER,
        "the first macros take part in row micro-ops from now on",
        (Field("macros", 16, "active macros", low=1),),
    ),
    Instruction(
        Opcode.LOGIC,
        Unit.ARRAY,
        "two-row logic: any function of two bits",
        (
            *_RESULT,
            Field("a", 12, "first bit row of the first operand"),
            Field("astep", 1, "bit rows of it a row written"),
            Field("b", 12, "first bit row of the second operand"),
            Field("bstep", 1, "bit rows of it a row written"),
            Field("table", 4, "four bits, entry 2 * a + b"),
        ),
    ),
    Instruction(
        Opcode.SUM,
        Unit.ARRAY,
        "bit-serial sum or difference of two values",
        (
            *_RESULT,
            *_value("a", "the first operand"),
            *_value("b", "the second operand"),
            Field("sub", 1, "1: a - b"),
        ),
    ),
    Instruction(
        Opcode.SUMI,
        Unit.ARRAY,
        "bit-serial sum of a value and an immediate",
        (
            *_RESULT,
            *_value("a", "the operand"),
            Field("neg", 1, "1: imm - a"),
            Field("imm", 20, "immediate", signed=True),
        ),
    ),
    Instruction(
        Opcode.CMP,
        Unit.ARRAY,
        "bit-serial comparison of two values",
        (*_RELATION, *_value("a", "the first operand"), *_value("b", "the second operand")),
    ),
    Instruction(
        Opcode.CMPI,
        Unit.ARRAY,
        "bit-serial comparison of a value and an immediate",
        (
            *_RELATION,
            *_value("a", "the operand"),
            Field("imm", 20, "immediate", signed=True),
        ),
    ),
    Instruction(
        Opcode.SELECT,
        Unit.ARRAY,
        "one of two values, column by column",
        (
            *_RESULT,
            Field("tag", 12, "bit row that is 1 where the first operand is taken"),
            *_value("a", "the first operand"),
            *_value("b", "the second operand"),
        ),
    ),
    Instruction(
        Opcode.MOVE,
        Unit.ARRAY,
        "bit rows of neighbouring columns",
        (
            *_RESULT,
            Field("a", 12, "first bit row read"),
            Field("by", 24, "column k takes column k + by", signed=True),
        ),
    ),
    Instruction(
        Opcode.COUNT,
        Unit.ARRAY,
        "reduction of a value over the columns into a result register",
        (
            Field("slot", 10, "result register"),
            Field("op", 1, "0 sum, 1 any"),
            Field("clear", 1, "set instead of add (any: or)"),
            *_value("a", "the operand"),
            Field("mask", 12, "bit row of the columns that count"),
        ),
    ),
    Instruction(
        Opcode.BANDIN,
        Unit.DMA,
        "a tile of one channel of an input into bit rows",
        (
            *_RESULT,
            Field("port", 4, "input port"),
            Field("chan", 16, "channel of the port"),
            Field("border", 1, "outside the image: 0 pad, 1 the nearest pixel"),
            Field("pad", 20, "value outside the image", signed=True),
            *_TILE,
            *_ORIGIN,
        ),
    ),
    Instruction(
        Opcode.BANDOUT,
        Unit.DMA,
        "a tile of one channel of an output from bit rows",
        (
            *_value("a", "the value"),
            Field("port", 4, "output port"),
            Field("chan", 16, "channel of the port"),
            *_FIRST,
            *_TILE,
            *_ORIGIN,
        ),
    ),
    Instruction(
        Opcode.REGOUT,
        Unit.DMA,
        "result registers to an output of one pixel",
        (
            Field("slot", 10, "first result register"),
            Field("n", 10, "registers", low=1),
            Field("port", 4, "output port"),
            Field("chan", 16, "first channel of the port"),
        ),
    ),
    Instruction(
        Opcode.SPREAD,
        Unit.ARRAY,
        "transposition: channels of a tile of a line buffer into trit rows",
        (
            Field("row", 16, "trit row of the first channel"),
            Field("n", 12, "channels", low=1),
            _BUFFER,
            Field("plane", 6, "plane read"),
            Field("chan", 16, "first channel"),
            *_TILE,
            *_ORIGIN,
        ),
    ),
    Instruction(
        Opcode.PACK,
        Unit.ARRAY,
        "transposition: trit rows into channels of a tile of a line buffer",
        (
            Field("row", 16, "trit row of the first channel"),
            Field("n", 12, "channels", low=1),
            _BUFFER,
            Field("plane", 6, "plane written"),
            Field("chan", 16, "first channel"),
            *_FIRST,
            *_TILE,
            *_ORIGIN,
        ),
    ),
    Instruction(
        Opcode.UOP,
        Unit.ARRAY,
        "a user-defined micro-op: the next micro-ops are its meaning, its cost is declared",
        (
            Field("code", 8, "opcode the user gave it"),
            Field("body", 12, "row micro-ops of its body", low=1),
            Field("cycles", 16, "declared cycles", low=1),
            Field("energy", 24, "declared fJ an active macro"),
        ),
    ),
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
