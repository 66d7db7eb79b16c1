"""Which pixels around its own a tile needs of every channel of every input."""

from tdsl.lowering.pixels.code import ALONE, Offset, Region
from tdsl.lowering.pixels.order import results
from tdsl.rows.ir import Read, RowProgram, Shift, operands


def regions(program: RowProgram) -> dict[Read, Region]:
    """The region of every `Read` that a result needs."""
    needed: list[Region | None] = [None] * len(program.values)
    for result in results(program):
        for value in result.values:
            needed[value] = _joined(needed[value], ALONE)
    found: dict[Read, Region] = {}
    for position in reversed(range(len(program.values))):
        region, op = needed[position], program.values[position].op
        if region is None:
            continue
        if isinstance(op, Read):
            found[op] = _joined(found.get(op), region)
        if isinstance(op, Shift):
            region = region.moved(Offset(op.dy, op.dx))
        for operand in operands(op):
            needed[operand] = _joined(needed[operand], region)
    return dict(sorted(found.items(), key=lambda item: (item[0].input, item[0].channel)))


def _joined(before: Region | None, region: Region) -> Region:
    return region if before is None else before.join(region)
