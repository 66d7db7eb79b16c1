"""An ACC -> its accumulators."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import (
    A_DST,
    A_DSTEP,
    A_IMM,
    A_OP,
    A_SEGMENTS,
    A_SRC,
    A_SSTEP,
    ADD,
    ADDI,
    COPY,
    MAX,
    MAXI,
    MIN,
    MINI,
    SET,
)
from tdsl_runtime.kernels.jit import inner


@inner
def accumulated(operation: Any, old: Any, source: Any, imm: Any) -> Any:
    """What an operation makes of an accumulator and a source."""
    if operation == SET:
        return imm
    if operation == COPY:
        return source
    if operation == ADD:
        return old + source
    if operation == MAX:
        return max(old, source)
    if operation == MIN:
        return min(old, source)
    if operation == ADDI:
        return old + imm
    if operation == MAXI:
        return max(old, imm)
    if operation == MINI:
        return min(old, imm)
    return old >> min(imm, 63)


@inner
def accumulate(op: Any, acc: Any, excess: Any, steps: Any, room: Any, macros: Any) -> None:
    """Execute an ACC; values that 32 bits do not hold leave a mark in `excess`."""
    size = op[A_SEGMENTS] * macros
    operation, imm = op[A_OP], op[A_IMM]
    for q in range(steps):
        into = (op[A_DST] + q * op[A_DSTEP]) * room
        source = (op[A_SRC] + q * op[A_SSTEP]) * room
        for i in range(size):
            value = accumulated(operation, np.int64(acc[into + i]), np.int64(acc[source + i]), imm)
            acc[into + i] = value
            if acc[into + i] != value:
                excess[0] = 1
