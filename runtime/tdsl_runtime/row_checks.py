"""What every row micro-op must satisfy on its machine: `checks.py` for the pixel-packed ones."""

from collections.abc import Callable

from tdsl_runtime import check_terms as terms
from tdsl_runtime.check_terms import Context, Problems
from tdsl_runtime.description import PLANES
from tdsl_runtime.isa import Border, MicroOp, Opcode
from tdsl_runtime.program import Port
from tdsl_runtime.row_fields import idle_fields
from tdsl_runtime.state import RESULTS


def _idle(op: MicroOp) -> Problems:
    yield from terms.idle(op, idle_fields(op), "here")


def _bit_rows(first: int, count: int, context: Context) -> Problems:
    held = PLANES * context.program.machine.rows
    if first + count > held:
        yield f"bit row {first + count - 1}; the machine has bit rows 0 to {held - 1}"


def _operand(op: MicroOp, context: Context, name: str) -> Problems:
    """An operand that is worked through with the result has no more bits than that."""
    yield from _bit_rows(op[name], op[f"{name}n"], context)
    if op[f"{name}n"] > op["n"]:
        yield f"{op[f'{name}n']} bit rows of {name} for a result of {op['n']}"


def _active(op: MicroOp, context: Context) -> Problems:
    yield from terms.outside_loops(op, context)
    if op["macros"] > context.program.machine.macros:
        yield f"{op['macros']} macros; the machine has {context.program.machine.macros}"


def _logic(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["dst"], op["n"], context)
    for name in "ab":
        yield from _bit_rows(op[name], (op["n"] - 1) * op[f"{name}step"] + 1, context)
    yield from _idle(op)


def _sum(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["dst"], op["n"], context)
    for name in "ab":
        yield from _operand(op, context, name)
    yield from _idle(op)


def _sum_immediate(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["dst"], op["n"], context)
    yield from _operand(op, context, "a")
    yield from _constant(op, "imm")
    yield from _idle(op)


def _constant(op: MicroOp, name: str) -> Problems:
    """A constant fits the bit rows written, signed or unsigned."""
    if not -(1 << op["n"] - 1) <= op[name] < 1 << op["n"]:
        yield f"{name} {op[name]} does not fit {op['n']} bits"


def _compare(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["dst"], 1, context)
    yield from _bit_rows(op["a"], op["an"], context)
    if op.opcode is Opcode.CMP:
        yield from _bit_rows(op["b"], op["bn"], context)


def _select(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["tag"], 1, context)
    yield from _sum(op, context)


def _move(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["dst"], op["n"], context)
    yield from _bit_rows(op["a"], op["n"], context)


def _count(op: MicroOp, context: Context) -> Problems:
    yield from _bit_rows(op["a"], op["an"], context)
    yield from _bit_rows(op["mask"], 1, context)
    yield from _idle(op)


def _tile(op: MicroOp, context: Context, first: int = 0, step: int = 1) -> Problems:
    columns = context.active * context.program.machine.columns
    last = first + (op["lines"] - 1) * op["pitch"] + (op["width"] - 1) * step
    yield from terms.line(op, context)
    yield from terms.counter(op, context, "xcounter")
    if last >= columns:
        yield f"column {last} of a tile; the active macros have {columns}"
    yield from _idle(op)


def _lines_apart(op: MicroOp) -> Problems:
    if op["width"] > op["pitch"]:
        yield f"lines of {op['width']} pixels overlap at a pitch of {op['pitch']}"


def _channel(op: MicroOp, port: Port, last: int) -> Problems:
    if last >= port.channels:
        yield f"channel {last} of port `{port.name}`, which has {port.channels}"


def _band_in(op: MicroOp, context: Context) -> Problems:
    ports = context.program.inputs
    yield from terms.port(ports, op, "input")
    yield from _channel(op, ports[op["port"]], op["chan"])
    yield from _bit_rows(op["dst"], op["n"], context)
    if op["border"] == Border.CONSTANT:
        yield from _constant(op, "pad")
    yield from _lines_apart(op)
    yield from _tile(op, context)


def _band_out(op: MicroOp, context: Context) -> Problems:
    ports = context.program.outputs
    yield from terms.port(ports, op, "output")
    yield from _channel(op, ports[op["port"]], op["chan"])
    yield from _bit_rows(op["a"], op["an"], context)
    yield from _tile(op, context, op["first"], op["step"])


def _results_out(op: MicroOp, context: Context) -> Problems:
    ports = context.program.outputs
    yield from terms.port(ports, op, "output")
    port = ports[op["port"]]
    yield from _channel(op, port, op["chan"] + op["n"] - 1)
    if (port.height, port.width) != (1, 1):
        yield f"port `{port.name}` has more than one pixel"
    if op["slot"] + op["n"] > RESULTS:
        yield f"result register {op['slot'] + op['n'] - 1}; the machine has {RESULTS}"


def _transposed(op: MicroOp, context: Context) -> Problems:
    machine = context.program.machine
    yield from terms.buffer(op, context)
    yield from terms.plane(op, context, "buffer", "plane")
    yield from terms.rows(op["row"], op["n"], context)
    buffer, row = context.buffers[op["buffer"]], machine.macros * machine.columns
    if op["chan"] + op["n"] > buffer.pitch:
        yield f"channel {op['chan'] + op['n'] - 1} of a pitch of {buffer.pitch}"
    if buffer.base < (op["row"] + op["n"]) * row and op["row"] * row < buffer.end:
        yield f"rows {op['row']} to {op['row'] + op['n'] - 1} meet the buffer"


def _spread(op: MicroOp, context: Context) -> Problems:
    yield from _transposed(op, context)
    yield from _lines_apart(op)
    yield from _tile(op, context)


def _pack(op: MicroOp, context: Context) -> Problems:
    yield from _transposed(op, context)
    yield from _tile(op, context, op["first"], op["step"])


ROW_CHECKS: dict[Opcode, Callable[[MicroOp, Context], Problems]] = {
    Opcode.ACTIVE: _active,
    Opcode.LOGIC: _logic,
    Opcode.SUM: _sum,
    Opcode.SUMI: _sum_immediate,
    Opcode.CMP: _compare,
    Opcode.CMPI: _compare,
    Opcode.SELECT: _select,
    Opcode.MOVE: _move,
    Opcode.COUNT: _count,
    Opcode.BANDIN: _band_in,
    Opcode.BANDOUT: _band_out,
    Opcode.REGOUT: _results_out,
    Opcode.SPREAD: _spread,
    Opcode.PACK: _pack,
    Opcode.UOP: terms.nothing,
}
"""The check of every row micro-op."""
