"""The operations of the machine, its units, and what a row of the instruction table is.

`isa.py` gives the whole table; other modules take these names from there.
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


def line_fields(counter: str = "counter") -> tuple[Field, ...]:
    """The fields of a line, counted by a loop."""
    return (
        Field(counter, 3, "loop counter of the line (0: constant)"),
        Field("div", 12, "divisor of the counter", low=1),
        Field("mul", 12, "factor of the counter", signed=True),
        Field("off", 20, "line offset", signed=True),
    )


BUFFER = Field("buffer", 8, "line buffer")
"""The field that names a line buffer."""
