"""Micro-ops <-> 64-bit code words <-> the field table that interpreters read.

A micro-op is its opcode in the low 8 bits, then its fields from low to high bits in the table's
order, in as few 64-bit words as hold them; the bits left over are zero.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import INSTRUCTIONS, TABLE, Field, Instruction, MicroOp, Opcode, check_field

OPCODE_BITS = 8
WORD_BITS = 64
_WORD_MASK = (1 << WORD_BITS) - 1

FIELD: dict[Opcode, dict[str, int]] = {
    instruction.opcode: {field.name: i + 1 for i, field in enumerate(instruction.fields)}
    for instruction in INSTRUCTIONS
}
"""Column of the field table that holds a field; column 0 holds the opcode."""

FIELD_COLUMNS = 1 + max(len(instruction.fields) for instruction in INSTRUCTIONS)
"""Columns of the field table."""


def words_of(opcode: Opcode) -> int:
    """Code words that a micro-op takes."""
    bits = OPCODE_BITS + sum(field.bits for field in TABLE[opcode].fields)
    return -(-bits // WORD_BITS)


def field_table(ops: Sequence[MicroOp]) -> NDArray[np.int64]:
    """The micro-ops as int64 [n, FIELD_COLUMNS]: opcode, the fields in order, zeros."""
    table = np.zeros((len(ops), FIELD_COLUMNS), np.int64)
    for row, op in zip(table, ops, strict=True):
        row[0] = op.opcode
        row[1 : 1 + len(op.values)] = op.values
    return table


def encode(ops: Iterable[MicroOp]) -> NDArray[np.uint64]:
    """Encode micro-ops into code words; their origins are not part of the code."""
    words: list[int] = []
    for op in ops:
        code = _pack(op)
        for i in range(words_of(op.opcode)):
            words.append(code >> (i * WORD_BITS) & _WORD_MASK)
    return np.array(words, np.uint64)


def decode(words: NDArray[np.uint64]) -> tuple[MicroOp, ...]:
    """Decode code words; the micro-ops' origins are 0.

    Raises MachineError for an unknown opcode, a field outside its range, a bit beyond the fields
    that is not zero, or a last micro-op that is not complete; it names the word.
    """
    ops: list[MicroOp] = []
    position = 0
    code = [int(word) for word in words]
    while position < len(code):
        instruction = _instruction(code[position] & (1 << OPCODE_BITS) - 1, position)
        length = words_of(instruction.opcode)
        taken = code[position : position + length]
        if len(taken) < length:
            raise _damaged(
                position, f"{instruction.opcode.name} takes {length} words", "the code ends"
            )
        ops.append(_unpack(instruction, taken, position))
        position += length
    return tuple(ops)


def _pack(op: MicroOp) -> int:
    code, shift = int(op.opcode), OPCODE_BITS
    for field, value in zip(TABLE[op.opcode].fields, op.values, strict=True):
        code |= (value & (1 << field.bits) - 1) << shift
        shift += field.bits
    return code


def _unpack(instruction: Instruction, words: Sequence[int], position: int) -> MicroOp:
    code = sum(word << (i * WORD_BITS) for i, word in enumerate(words)) >> OPCODE_BITS
    values: list[int] = []
    for field in instruction.fields:
        values.append(_value(field, code & (1 << field.bits) - 1))
        code >>= field.bits
        try:
            check_field(instruction.opcode, field, values[-1])
        except ValueError as error:
            raise _damaged(position, str(error), "no such micro-op exists") from error
    if code:
        name = instruction.opcode.name
        raise _damaged(position, f"{name} has set bits beyond its fields", "they must be zero")
    return MicroOp(instruction.opcode, tuple(values))


def _value(field: Field, bits: int) -> int:
    negative = field.signed and bits >> (field.bits - 1)
    return bits - (1 << field.bits) if negative else bits


def _instruction(opcode: int, position: int) -> Instruction:
    try:
        return TABLE[Opcode(opcode)]
    except ValueError as error:
        raise _damaged(position, f"unknown opcode {opcode}", "no such micro-op exists") from error


def _damaged(position: int, what: str, note: str) -> MachineError:
    return MachineError(
        f"code word {position}: {what}", note, "the program is damaged: compile it again"
    )
