"""Row micro-ops and which of their fields have no say: those must hold their smallest legal value.

`row_micro_op` builds a micro-op that observes this, whatever is given for such fields.
"""

from tdsl_runtime.description import PLANES
from tdsl_runtime.isa import TABLE, Border, MicroOp, Opcode, Reduction, micro_op

BODY = frozenset(
    {
        Opcode.LOGIC,
        Opcode.SUM,
        Opcode.SUMI,
        Opcode.CMP,
        Opcode.CMPI,
        Opcode.SELECT,
        Opcode.MOVE,
        Opcode.COUNT,
    }
)
"""What the body of a UOP may hold."""
_TILED = (Opcode.BANDIN, Opcode.BANDOUT, Opcode.SPREAD, Opcode.PACK)


def row_micro_op(opcode: Opcode, origin: int = 0, **fields: int) -> MicroOp:
    """Build a micro-op as `micro_op` does, with the smallest value in fields that have no say.

    Raises FieldError for a value that its field cannot hold, ValueError for an unknown field.
    """
    op = micro_op(opcode, origin, **fields)
    idle = idle_fields(op)
    pairs = zip(TABLE[opcode].fields, op.values, strict=True)
    return MicroOp(opcode, tuple(idle.get(field.name, value) for field, value in pairs), origin)


def idle_fields(op: MicroOp) -> dict[str, int]:
    """The fields of a row micro-op that have no say, and the value that they must hold."""
    match op.opcode:
        case Opcode.LOGIC:
            return _idle_operands(op)
        case Opcode.SUM | Opcode.SELECT:
            return _idle_sign(op, "a") | _idle_sign(op, "b")
        case Opcode.SUMI:
            return _idle_sign(op, "a")
        case Opcode.COUNT if op["op"] == Reduction.ANY:
            return {"as": 0}
        case opcode if opcode in _TILED:
            return _idle_in_tile(op)
        case _:
            return {}


def reads(op: MicroOp) -> tuple[bool, bool]:
    """Whether the table of a LOGIC depends on its first and on its second operand."""
    entries = [op["table"] >> entry & 1 for entry in range(4)]
    return entries[:2] != entries[2:], entries[::2] != entries[1::2]


def _idle_operands(op: MicroOp) -> dict[str, int]:
    idle: dict[str, int] = {}
    for name, read in zip("ab", reads(op), strict=True):
        if not read:
            idle[name] = 0
        if not read or op["n"] == 1:
            idle[f"{name}step"] = 0
    return idle


def _idle_sign(op: MicroOp, name: str) -> dict[str, int]:
    """A sign matters only where bits are repeated."""
    return {f"{name}s": 0} if op[f"{name}n"] >= op["n"] else {}


def _idle_in_tile(op: MicroOp) -> dict[str, int]:
    idle: dict[str, int] = {}
    from_first = op.opcode in (Opcode.BANDOUT, Opcode.PACK)
    if 0 in (op["counter"], op["mul"]):
        idle |= {"counter": 0, "div": 1, "mul": 0}
    if 0 in (op["xcounter"], op["xmul"]):
        idle |= {"xcounter": 0, "xmul": 0}
    if op["lines"] == 1:
        idle["pitch"] = 1 if from_first else op["width"]
    if from_first and op["width"] == 1:
        idle["step"] = 1
    if op.opcode is Opcode.BANDIN and op["border"] == Border.EDGE:
        idle["pad"] = 0
    return idle


def rows_written(op: MicroOp) -> tuple[int, int]:
    """The trit rows that a row micro-op changes, but for what PACK writes: first, one past last."""
    match op.opcode:
        case Opcode.SPREAD:
            return op["row"], op["row"] + op["n"]
        case Opcode.CMP | Opcode.CMPI:
            return op["dst"] // PLANES, op["dst"] // PLANES + 1
        case Opcode.COUNT | Opcode.BANDOUT | Opcode.REGOUT | Opcode.PACK | Opcode.UOP:
            return 0, 0
        case _:
            return op["dst"] // PLANES, (op["dst"] + op["n"] - 1) // PLANES + 1
