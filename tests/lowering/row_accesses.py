"""What row micro-ops read and write: trit rows, and the lines of line buffers that tiles touch."""

from collections.abc import Iterator

from tdsl_runtime.isa import MicroOp, Opcode
from tdsl_runtime.micro_ops import line
from tdsl_runtime.row_fields import rows_written
from tdsl_runtime.state import State

_OPERANDS = {
    Opcode.LOGIC: (("a", "astep"), ("b", "bstep")),
    Opcode.SUM: (("a", "an"), ("b", "bn")),
    Opcode.SUMI: (("a", "an"),),
    Opcode.CMP: (("a", "an"), ("b", "bn")),
    Opcode.CMPI: (("a", "an"),),
    Opcode.SELECT: (("a", "an"), ("b", "bn"), ("tag", "")),
    Opcode.MOVE: (("a", "n"),),
}
"""First bit rows of operands, and the field that says how many there are."""

ROW_OPCODES = frozenset({*_OPERANDS, Opcode.SPREAD, Opcode.PACK})


def rows_touched(op: MicroOp) -> Iterator[tuple[int, int, bool]]:
    """Trit rows: the first, one past the last, whether they are written."""
    first, past = rows_written(op)
    if past > first:
        yield first, past, True
    if op.opcode is Opcode.PACK:
        yield op["row"], op["row"] + op["n"], False
    for name, count in _OPERANDS.get(op.opcode, ()):
        if op.opcode is Opcode.LOGIC and not _asks(op["table"], name):
            continue
        rows = _rows(op, count)
        yield op[name] // 2, (op[name] + rows - 1) // 2 + 1, False


def _asks(table: int, name: str) -> bool:
    """Whether a table of two operands (entry 2 a + b) depends on one of them."""
    apart = 2 if name == "a" else 1
    return any((table >> i ^ table >> (i + apart)) & 1 for i in range(4) if not i & apart)


def _rows(op: MicroOp, count: str) -> int:
    if not count:
        return 1
    if count.endswith("step"):
        return 1 + (op["n"] - 1) * op[count]
    return op[count]


def tile_lines(op: MicroOp, state: State) -> range:
    """The lines of the image that a transposition touches."""
    first = line(state, op)
    return range(first, first + op["lines"])
