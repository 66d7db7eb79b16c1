"""A program -> the memory it needs, in bits, read off its own micro-ops."""

from dataclasses import dataclass

from tdsl_runtime.description import PLANES, WORD
from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.program import Program


@dataclass(frozen=True, slots=True)
class MemoryBits:
    """Bits of weights (and thresholds), of feature lines, of the program; and of `external` memory.

    External memory holds weights that are paged: loaded into rows that they share, when needed.
    """

    weights: int
    features: int
    program: int
    external: int


def memory_bits(program: Program) -> MemoryBits:
    """The bits of `program` in the array (weights, features), in program memory and outside."""
    machine = program.machine
    row_bits = machine.macros * machine.columns * PLANES
    return MemoryBits(
        weights=len(program.rows) * row_bits,
        features=_covered(program.ops) * PLANES,
        program=program.code.size * WORD,
        external=len(program.external) * row_bits,
    )


def _covered(ops: tuple[MicroOp, ...]) -> int:
    """Trits that lie in at least one line buffer."""
    regions = sorted(_region(op) for op in ops if op.opcode is Opcode.BUF)
    total = reached = 0
    for start, end in regions:
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _region(op: MicroOp) -> tuple[int, int]:
    line = -(-op["width"] * op["pitch"] // WORD) * WORD
    return op["base"], op["base"] + op["planes"] * op["depth"] * line
