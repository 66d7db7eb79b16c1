"""The meaning of kernels: their row programs, worked out on whole images."""

from collections.abc import Sequence

from tdsl.ir.ops import Kernel
from tdsl.ir.parameters import Integers
from tdsl.rows.ir import RowTotal
from tdsl.rows.meaning import evaluate
from tdsl.rows.rewrite import for_channels


def kernel(op: Kernel, operands: Sequence[Integers]) -> Integers:
    """The one result of a kernel; vectors are images of one pixel."""
    channels, *plane = operands[0].shape
    program = for_channels(op.program, channels) if op.channelwise else op.program
    images = {
        given.name: x.reshape(len(x), *(plane or (1, 1)))
        for given, x in zip(program.inputs, operands, strict=True)
    }
    result = program.results[0]
    found = evaluate(program, images)[result.name]
    if isinstance(result, RowTotal) or not plane:
        return found.reshape(-1)
    return found
