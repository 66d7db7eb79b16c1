"""The energy events of a row micro-op: `energy.py` for the pixel-packed organisation.

As there, each event is so many times a counter, from the micro-op's fields alone: TRITS counts bit
rows times active columns, so that a part of `1 / rows` of it is once a column, and of `1 / (rows *
columns)` once a macro. Beside its assumptions: one function of two bits, or one bit of a sum, costs
the two-row logic of a trit, and so does every stage of the column shifter; half of the bits that
travel are set.
"""

from collections.abc import Iterator, Sequence

from tdsl_runtime.counters import Counter
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.program import Port
from tdsl_runtime.row_fields import reads
from tdsl_runtime.timing import immediate_bits

DECLARED = "declared"
"""The event of a UOP: energy that its author declared, in no machine's table."""
SET_BITS = 0.5
_SUM_BITS = 16
_FEMTO_PER_PICO = 1000

Event = tuple[str, Counter, float]
"""Energy entry, counter, and how often the event happens each time the counter counts."""


def half_way(machine: MachineDescription) -> float:
    """Half the width and height of the grid in mm."""
    return (machine.macro_rows + machine.macro_columns) / 2 * machine.macro_pitch.typical


def row_events(
    op: MicroOp, machine: MachineDescription, inputs: Sequence[Port], outputs: Sequence[Port]
) -> Iterator[Event]:
    """The events of a row micro-op, without its issue."""
    match op.opcode:
        case Opcode.LOGIC:
            yield from _rows_read(machine, op["n"] * sum(reads(op)), op["n"])
            yield from _computed(op["n"], op["n"], carries=0)
        case Opcode.SUM:
            yield from _rows_read(machine, op["an"] + op["bn"], op["n"])
            yield from _computed(op["n"], op["n"], carries=op["n"])
        case Opcode.SUMI:
            yield from _rows_read(machine, op["an"], op["n"])
            yield from _computed(op["n"], op["n"], carries=op["n"])
        case Opcode.CMP:
            rows = max(op["an"], op["bn"])
            yield from _rows_read(machine, op["an"] + op["bn"], rows)
            yield from _computed(rows, 1, carries=rows)
        case Opcode.CMPI:
            rows = max(op["an"], immediate_bits(op["imm"]))
            yield from _rows_read(machine, op["an"], rows)
            yield from _computed(rows, 1, carries=rows)
        case Opcode.SELECT:
            yield from _rows_read(machine, op["an"] + op["bn"] + 1, op["n"])
            yield from _computed(op["n"], op["n"], carries=1)
        case Opcode.MOVE:
            yield from _move_events(op, machine)
        case Opcode.COUNT:
            yield from _count_events(op, machine)
        case Opcode.BANDIN | Opcode.BANDOUT:
            yield from _band_events(op, machine, inputs, outputs)
        case Opcode.REGOUT:
            bits = op["n"] * outputs[op["port"]].bits
            yield "dma", Counter.EXECUTED, bits
            yield "sensor", Counter.EXECUTED, bits
        case Opcode.SPREAD:
            yield "row_read", Counter.PIXELS, PLANES * op["n"] / machine.columns
            yield from _gathered(machine, PLANES * op["n"])
            yield "write", Counter.TRITS, 1
        case Opcode.PACK:
            yield "row_read", Counter.TRITS, 1 / machine.columns
            yield from _gathered(machine, PLANES * op["n"])
            yield "write", Counter.PIXELS, PLANES * op["n"]
        case _:
            assert op.opcode is Opcode.UOP
            yield DECLARED, Counter.TRITS, op["energy"] / _FEMTO_PER_PICO / machine.columns


def _rows_read(machine: MachineDescription, read: int, rows: int) -> Iterator[Event]:
    yield "row_read", Counter.TRITS, read / (rows * machine.columns)


def _computed(rows: int, written: int, carries: int) -> Iterator[Event]:
    yield "logic", Counter.TRITS, 1
    yield "latch", Counter.TRITS, carries / rows
    yield "write", Counter.TRITS, written / rows


def _move_events(op: MicroOp, machine: MachineDescription) -> Iterator[Event]:
    distance = abs(op["by"]) / machine.columns * machine.macro_pitch.typical
    stages = (abs(op["by"]) % machine.columns).bit_count()
    yield from _rows_read(machine, op["n"], op["n"])
    yield "wire", Counter.TRITS, SET_BITS * distance
    yield "logic", Counter.TRITS, stages
    yield "write", Counter.TRITS, 1


def _count_events(op: MicroOp, machine: MachineDescription) -> Iterator[Event]:
    macros = 1 / (op["an"] * machine.columns)
    yield from _rows_read(machine, op["an"] + 1, op["an"])
    yield "latch", Counter.TRITS, 1 / op["an"]
    yield "logic", Counter.TRITS, 1
    yield "tree", Counter.TRITS, 1
    yield "accumulate", Counter.TRITS, (op["an"] + 1) * macros
    yield "wire", Counter.TRITS, _SUM_BITS * SET_BITS * half_way(machine) * macros


def _band_events(
    op: MicroOp, machine: MachineDescription, inputs: Sequence[Port], outputs: Sequence[Port]
) -> Iterator[Event]:
    if op.opcode is Opcode.BANDIN:
        port, rows = inputs[op["port"]], op["n"]
        yield "write", Counter.TRITS, 1
    else:
        port, rows = outputs[op["port"]], op["an"]
        yield "row_read", Counter.TRITS, 1 / machine.columns
    yield from _gathered(machine, rows)
    yield "dma", Counter.PIXELS, rows
    yield "sensor", Counter.PIXELS, port.bits


def _gathered(machine: MachineDescription, bits: int) -> Iterator[Event]:
    """The bits of every pixel travel the gather path."""
    yield "wire", Counter.PIXELS, bits * SET_BITS * half_way(machine)
