"""Programs changed in one place: a weight, a threshold, or a field of a micro-op."""

from dataclasses import dataclass, replace
from random import Random

import numpy as np

from tdsl.lowering.plan import Plan
from tdsl_runtime.description import WORD
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import TABLE, Field, MicroOp, Opcode
from tdsl_runtime.program import Program


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed program, and what was changed in words."""

    what: str
    program: Program


def weight_mutant(program: Program, plan: Plan, random: Random) -> Mutant:
    """One trit that a DOT reads becomes another one, in every replica."""
    number, dot = random.choice([(n, d) for n, d in plan.dots.items() if d.rows])
    one = random.choice([p for p in dot.passes if p.pieces])
    piece = random.choice(one.pieces)
    row = dot.row + sum(p.rows for p in dot.passes[: dot.passes.index(one)]) + piece.row
    column = piece.column + random.randrange(piece.weights.shape[1])
    macro = random.randrange(one.count)
    word, bit = divmod(column, WORD)
    old = [int(plane) >> bit & 1 for plane in program.row_data[row, :, word, macro]]
    new = random.choice([t for t in ([0, 0], [1, 0], [1, 1]) if t != old])
    data = program.row_data.copy()
    machine, split = plan.machine, dot.parallelism
    for group in range(split.groups):
        for segment in range(split.segments):
            at = macro + group * (machine.macros // split.groups)
            words = word + segment * (machine.words // split.segments)
            for plane in range(2):
                cell = int(data[row, plane, words, at]) & ~(1 << bit)
                data[row, plane, words, at] = np.uint64(cell | new[plane] << bit)
    name = plan.selection.steps[number].name
    return Mutant(
        f"weight of {name}, row {row}, column {column}, macro {macro}: {old} to {new}",
        replace(program, row_data=data),
    )


def threshold_mutant(program: Program, plan: Plan, random: Random) -> Mutant:
    """One bit of a threshold is flipped."""
    thresholds = [op for op in program.ops if op.opcode is Opcode.TLOAD]
    op = random.choice(thresholds)
    step = plan.selection.steps[op.origin - 1]
    dot = plan.dots[op.origin - 1]
    macro = random.randrange(dot.passes[0].count)
    row, slot = divmod(op["slot"] + random.randrange(op["n"]), 4 * plan.machine.words)
    bit = random.randrange(4)
    data = program.row_data.copy()
    data[op["row"] + row, slot // 2 % 2, slot // 4, macro] ^= np.uint64(
        1 << (32 * (slot % 2) + bit)
    )
    return Mutant(
        f"threshold of {step.name}, slot {slot}, macro {macro}, bit {bit}",
        replace(program, row_data=data),
    )


def field_mutant(program: Program, random: Random) -> Mutant:
    """One field of one micro-op holds another value, near or far."""
    ops = list(program.ops)
    at = random.choice([k for k, op in enumerate(ops) if op.values])
    op, fields = ops[at], TABLE[ops[at].opcode].fields
    k = random.randrange(len(fields))
    far = op.opcode is not Opcode.LOOP  # which would run for hours
    value = random.choice(_others(fields[k], op.values[k], far))
    values = (*op.values[:k], value, *op.values[k + 1 :])
    ops[at] = MicroOp(op.opcode, values, op.origin)
    what = f"micro-op {at} {op.opcode.name}.{fields[k].name}: {op.values[k]} to {value}"
    return Mutant(what, replace(program, code=encode(ops)))


def _others(field: Field, value: int, far: bool) -> list[int]:
    low = -(1 << field.bits - 1) if field.signed else 0
    high = (1 << field.bits - int(field.signed)) - 1
    low = max(low, field.low) if field.low else low
    values = {value - 1, value + 1, value ^ 1, 2 * value, 0, *((low, high) if far else ())}
    return sorted(v for v in values if low <= v <= high and v != value)
