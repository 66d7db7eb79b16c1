"""The rows of the instruction table for the pixel-packed organisation: row micro-ops."""

from tdsl_runtime.opcodes import BUFFER, Field, Instruction, Opcode, Unit, line_fields


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
    *line_fields(),
    Field("xcounter", 3, "loop counter of the first pixel (0: constant)"),
    Field("xmul", 20, "factor of that counter", signed=True),
    Field("xoff", 20, "pixel offset", signed=True),
)
_FIRST = (
    Field("first", 20, "column of the tile's first pixel"),
    Field("step", 8, "columns from pixel to pixel", low=1),
)

ROW_INSTRUCTIONS: tuple[Instruction, ...] = (
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
            BUFFER,
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
            BUFFER,
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
"""Every row micro-op."""
