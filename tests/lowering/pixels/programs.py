"""Row programs written by hand."""

from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import Arithmetic, Range, RowInput, RowOutput, RowProgram


def blur() -> RowProgram:
    """The sum of a pixel's 3 x 3 neighbourhood; 9 outside."""
    builder = RowBuilder([RowInput("x", Range(0, 255), pad=9)])
    pixel = builder.read(0)
    total = builder.constant(0)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            total = builder.binary(Arithmetic.ADD, total, builder.shift(pixel, dy, dx))
    output = RowOutput("y", (total,), builder.range(total))
    return RowProgram("blur", tuple(builder.inputs), tuple(builder.values), (output,))
