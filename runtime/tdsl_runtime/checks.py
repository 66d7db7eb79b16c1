"""What every micro-op must satisfy on its machine, whatever happens when the program runs.

A micro-op and what is known where it stands -> the first thing wrong with it, in words, or None.
"""

from collections.abc import Callable

from tdsl_runtime import check_terms as terms
from tdsl_runtime.check_terms import Context, Problems
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, StoreMode
from tdsl_runtime.program import Port
from tdsl_runtime.row_checks import ROW_CHECKS
from tdsl_runtime.state import LEVELS, Buffer
from tdsl_runtime.timing import steps


def check(op: MicroOp, context: Context) -> str | None:
    """The first thing wrong with a micro-op, None if nothing is."""
    return next(_CHECKS[op.opcode](op, context), None)


def _span(op: MicroOp, context: Context) -> Problems:
    machine = context.program.machine
    yield from terms.counter(op, context, "xcounter")
    if op["xcounter"] == 0 and op["span"] != op["limit"]:
        yield "where xcounter is 0, span and limit must be equal"
    if machine.macros % op["groups"]:
        yield f"{op['groups']} groups do not divide {machine.macros} macros"
    if op["groups"] > machine.channels:
        yield f"{op['groups']} groups need as many channels; the machine has {machine.channels}"
    if machine.words % op["segments"]:
        yield f"{op['segments']} segments do not divide {machine.words} words"


def _macros(op: MicroOp, context: Context) -> Problems:
    group = context.program.machine.macros // op["groups"]
    if op["macros"] > group:
        yield f"{op['macros']} active macros in a group of {group}"


def _accumulators(op: MicroOp, context: Context, first: str, step: str | None) -> Problems:
    most = steps(op, min(op["span"], op["limit"]))
    advance = 1 if step is None else op[step]
    last = op[first] + max(0, most - 1) * advance
    if last >= context.program.machine.accumulators:
        yield f"accumulator {last}; the machine has {context.program.machine.accumulators}"


def _token(op: MicroOp, context: Context) -> Problems:
    if op["token"] >= context.program.machine.tokens:
        yield f"token {op['token']}; the machine has {context.program.machine.tokens}"


def _guard(op: MicroOp, context: Context) -> Problems:
    yield from terms.counter(op, context, "counter")
    if op["skip"] == 0:
        yield "skips nothing"
    if op["rem"] >= op["mod"]:
        yield f"remainder {op['rem']} of modulus {op['mod']} never occurs"


def _buf(op: MicroOp, context: Context) -> Problems:
    machine, buffer = context.program.machine, Buffer.described(op)
    yield from terms.outside_loops(op, context)
    if op["buffer"] >= machine.buffers:
        yield f"buffer {op['buffer']}; the machine has {machine.buffers}"
    if op["base"] % 64:
        yield "base is not a multiple of 64"
    if buffer.end > machine.trits:
        yield f"the buffer ends at trit {buffer.end}; the machine has {machine.trits}"
    if not op["strip"] or not op["step"]:
        yield from terms.idle(op, {"strip": 0, "step": 0}, "where the other is 0")


def _dmain(op: MicroOp, context: Context) -> Problems:
    yield from terms.buffer(op, context)
    yield from terms.line(op, context)
    buffer, ports = context.buffers[op["buffer"]], context.program.inputs
    yield from terms.port(ports, op, "input")
    port = ports[op["port"]]
    yield from _image(port, buffer)
    if op["format"] == 0:
        yield from terms.idle(op, {"base": 0, "levels": 0, "each": 0}, "in format 0")
        yield from _fits(port.low, port.high, buffer)
    elif buffer.planes > 1:
        yield "format 1 needs a buffer of one plane"
    elif op["levels"] == 0:
        yield "format 1 needs levels"
    last = op["base"] + op["levels"] * (port.channels if op["each"] else 1)
    if last > LEVELS or not context.levels.issuperset(range(op["base"], last)):
        yield f"levels {op['base']} to {last - 1} are not all set"
    if port.channels * max(1, op["levels"]) > buffer.pitch:
        yield f"the channels of a pixel do not fit a pitch of {buffer.pitch}"


def _dmaout(op: MicroOp, context: Context) -> Problems:
    yield from terms.buffer(op, context)
    yield from terms.line(op, context)
    buffer, ports = context.buffers[op["buffer"]], context.program.outputs
    yield from terms.port(ports, op, "output")
    port = ports[op["port"]]
    yield from _image(port, buffer)
    first = op["x0"] - buffer.halo
    if not buffer.strip and not 0 <= first <= first + op["limit"] <= port.width:
        yield f"pixels {first} to {first + op['limit'] - 1} of lines of {port.width}"
    if op["chan"] + op["n"] > buffer.pitch:
        yield f"channel {op['chan'] + op['n'] - 1} of a pitch of {buffer.pitch}"
    last = op["to"] + (1 if op["format"] else op["n"])
    if last > port.channels:
        yield f"channel {last - 1} of output `{port.name}`, which has {port.channels}"


def _image(port: Port, buffer: Buffer) -> Problems:
    if (port.height, port.width) != (buffer.image_height, buffer.image_width):
        yield f"the image of the buffer is not that of port `{port.name}`"


def _dmaw(op: MicroOp, context: Context) -> Problems:
    yield from terms.rows(op["row"], op["n"], context)
    held = len(context.program.external)
    if op["source"] + op["n"] > held:
        yield f"row {op['source'] + op['n'] - 1} of external memory, which has {held}"


def _dot(op: MicroOp, context: Context) -> Problems:
    machine = context.program.machine
    yield from terms.buffer(op, context)
    yield from terms.plane(op, context, "buffer", "plane")
    yield from terms.line(op, context)
    yield from _span(op, context)
    yield from _macros(op, context)
    yield from terms.rows(op["row"], 1, context)
    yield from _accumulators(op, context, "acc", "astep")
    if op["lines"] == 1:
        yield from terms.idle(op, {"ldil": 1}, "where lines is 1")
    elif op["lines"] > machine.window_lines:
        yield f"{op['lines']} lines; the window register holds {machine.window_lines}"
    stretch, last = machine.columns // op["segments"], op["col"] + op["lines"] * op["len"]
    if last > stretch or last + (op["segments"] - 1) * stretch > machine.lanes:
        yield f"columns {op['col']} to {last - 1} are not all lanes of a segment"


def _acc(op: MicroOp, context: Context) -> Problems:
    yield from _span(op, context)
    yield from _accumulators(op, context, "dst", "dstep")
    if op["op"] >= len(AccOp):
        yield f"unknown operation {op['op']}"
    if op["op"] in (AccOp.COPY, AccOp.ADD, AccOp.MAX, AccOp.MIN):
        yield from _accumulators(op, context, "src", "sstep")
        yield from terms.idle(op, {"imm": 0}, "in this operation")
    else:
        yield from terms.idle(op, {"src": 0, "sstep": 0}, "in this operation")
    if op["op"] == AccOp.SHR and not 0 <= op["imm"] < 64:
        yield "shifts go from 0 to 63"


def _lut(op: MicroOp, context: Context) -> Problems:
    for name in ("buffer", "a", "b"):
        yield from terms.buffer(op, context, name)
    for name, plane in (("buffer", "plane"), ("a", "aplane"), ("b", "bplane")):
        yield from terms.plane(op, context, name, plane)
    yield from terms.line(op, context)
    yield from terms.counter(op, context, "xcounter")
    if op["xcounter"] == 0 and op["span"] != op["limit"]:
        yield "where xcounter is 0, span and limit must be equal"
    if len({context.buffers[op[name]].pitch for name in ("buffer", "a", "b")}) > 1:
        yield "the buffers differ in pitch"
    if any(op["table"] >> 2 * entry & 3 == 2 for entry in range(9)):
        yield "an entry of the table is 2, which is no trit"


def _tload(op: MicroOp, context: Context) -> Problems:
    machine = context.program.machine
    yield from terms.rows(op["row"], (op["slot"] + op["n"] - 1) // (4 * machine.words) + 1, context)
    if op["n"] > machine.thresholds:
        yield f"{op['n']} thresholds; the machine has {machine.thresholds}"


def _store(op: MicroOp, context: Context) -> Problems:
    yield from terms.buffer(op, context)
    yield from terms.line(op, context)
    yield from _span(op, context)
    yield from _macros(op, context)
    yield from _accumulators(op, context, "acc", None)
    buffer, mode = context.buffers[op["buffer"]], StoreMode(op["mode"])
    if op["chan"] + op["macros"] > buffer.pitch:
        yield f"channel {op['chan'] + op['macros'] - 1} of a pitch of {buffer.pitch}"
    if buffer.planes > 1 and (op["pool"] > 1 or op["combine"]):
        yield "the maximum needs a buffer of one plane"
    if mode in (StoreMode.TERN, StoreMode.RAW):
        yield from terms.idle(op, {"levels": 0, "bias": 0, "shift": 0}, "in this mode")
        return
    if mode is StoreMode.COUNT:
        yield from terms.idle(op, {"shift": 0}, "in this mode")
        if op["levels"] > context.program.machine.thresholds:
            yield f"{op['levels']} thresholds; the machine has fewer"
    yield from _fits(op["bias"], op["bias"] + op["levels"], buffer)


def _fits(low: int, high: int, buffer: Buffer) -> Problems:
    if max(abs(low), abs(high)) >> buffer.planes:
        yield f"values from {low} to {high} do not fit {buffer.planes} planes"


_CHECKS: dict[Opcode, Callable[[MicroOp, Context], Problems]] = {
    Opcode.HALT: terms.nothing,
    Opcode.LOOP: terms.nothing,
    Opcode.END: terms.nothing,
    Opcode.GUARD: _guard,
    Opcode.WAIT: _token,
    Opcode.SIGNAL: _token,
    Opcode.BUF: _buf,
    Opcode.LEVEL: terms.outside_loops,
    Opcode.DMAIN: _dmain,
    Opcode.DMAOUT: _dmaout,
    Opcode.DMAW: _dmaw,
    Opcode.DOT: _dot,
    Opcode.ACC: _acc,
    Opcode.LUT: _lut,
    Opcode.TLOAD: _tload,
    Opcode.STORE: _store,
    **ROW_CHECKS,
}
