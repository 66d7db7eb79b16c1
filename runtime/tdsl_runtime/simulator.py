"""The fast engine: a program and its input images -> output images and counters.

Decoding finds runs of DOTs that can be fused and lays out the tables that the kernels read; the
kernels execute them. Outputs and counters are those of the interpreter, bit for bit.
"""

import ctypes
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime import kernels
from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.encoding import FIELD, field_table
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.ports import Images, check_inputs
from tdsl_runtime.program import Port, Program
from tdsl_runtime.timing import Extent, cost
from tdsl_runtime.validation import loop_ends, validate

# Numba's events have no type annotations.
event: Any = import_module("numba.core.event")

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_UNITS = np.array([TABLE[opcode].unit for opcode in Opcode])
_SPANNED = (Opcode.DOT, Opcode.ACC, Opcode.STORE)
_SHARED = ("xcounter", "span", "limit", "groups", "segments", "macros", "acc", "astep", "shift")
"""What the DOTs of a run have in common, besides the pixels' distance."""


@dataclass(frozen=True, slots=True)
class _Code:
    """The tables that all runs of a program share; the kernels give their columns."""

    table: Ints
    turns: Ints
    run_of: Ints
    runs: Ints
    taps: int
    words: int
    costs: Ints
    figures: Ints
    memory: Words
    external: Words
    out_ports: Ints
    written: tuple[tuple[int, int], ...]
    values: int
    acts: int
    trits: int
    tiles: int
    sets: int


class Simulator:
    """Runs one program, as often as wanted; every run starts from the program's memory image."""

    def __init__(
        self, program: Program, *, fuse: bool = True, on_compile: Callable[[], None] | None = None
    ) -> None:
        """Decode a program; without `fuse` every DOT is executed by itself.

        `on_compile` is called if the kernels must be compiled first, which takes seconds: once
        after an installation. Raises MachineError if the program is not valid on its machine.
        """
        validate(program)
        self.program = program
        self._code = _decode(program, fuse)
        self._spaces: list[_Workspace] = []
        self._on_compile = on_compile

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Result:
        """Run on images [C, H, W] by port name.

        Raises MachineError for images that do not fit the ports, and for a program that reads
        what no buffer holds or waits for a token that is never posted.
        """
        images = check_inputs(self.program.inputs, inputs)
        with _told_of_compilation(self._on_compile):
            return self._execute(images)

    def run_many(
        self, frames: Sequence[Mapping[str, NDArray[Any]]], *, threads: int = 1
    ) -> list[Result]:
        """Run on many frames, each from the program's memory image, several at once."""
        if threads == 1 or len(frames) < 2:
            return [self.run(frame) for frame in frames]
        first = self.run(frames[0])
        with ThreadPoolExecutor(threads) as pool:
            return [first, *pool.map(self.run, frames[1:])]

    def _execute(self, images: Mapping[str, NDArray[Any]], posts: int = 1024) -> Result:
        code = self._code
        try:
            space = self._spaces.pop()
        except IndexError:
            space = _workspace(self.program, code)
        _refresh(space, code)
        in_ports, raw = _input_ports(self.program.inputs, images)
        out = np.zeros(_bytes_of(code.out_ports), np.uint8)
        counts = np.zeros((len(code.table), len(Counter)), np.int64)
        clock = np.zeros(kernels.CLOCK_SIZE, np.int64)
        status = np.zeros(5, np.int64)
        run: Callable[..., None] = kernels.execute
        run(
            code.table,
            code.turns,
            code.run_of,
            *space.plans,
            code.costs,
            code.figures,
            space.memory.reshape(-1),
            code.external,
            in_ports,
            raw,
            code.out_ports,
            out,
            *space.kept,
            *space.registers,
            *space.scratch,
            counts,
            clock,
            np.zeros((len(Unit), self.program.machine.queue + 1), np.int64),
            *_token_queues(self.program.machine.tokens, posts),
            status,
        )
        self._spaces.append(space)
        if status[0] == kernels.MORE_POSTS:
            return self._execute(images, 16 * posts)
        if status[0] == kernels.EXCESS:
            # Sums beyond the 32 bits of the kernels' accumulators: exact, but slow.
            return Interpreter(self.program).run(images)
        if status[0] != kernels.DONE:
            raise _failure(self.program, status)
        outputs = _outputs(self.program.outputs, code.out_ports, out)
        return Result(outputs, _counters(code.table, counts, clock))


@dataclass(frozen=True, slots=True)
class _Workspace:
    """The arrays of one run at a time, in the order of the kernels' arguments.

    `plans` and `kept` (the buffers' descriptors) hold from frame to frame; `registers` start at 0.
    """

    plans: tuple[NDArray[Any], ...]
    memory: Words
    kept: tuple[NDArray[Any], ...]
    registers: tuple[NDArray[Any], ...]
    scratch: tuple[NDArray[Any], ...]


def _refresh(space: _Workspace, code: _Code) -> None:
    """Make a workspace ready for the next frame: memory and registers as at the start."""
    for start, end in code.written:
        space.memory[:, start:end] = code.memory[:, start:end]
    for register in space.registers:
        register.fill(0)


def _workspace(program: Program, code: _Code) -> _Workspace:
    machine = program.machine
    bits = 2 * (machine.macros // 64 + 2)
    return _Workspace(
        plans=_plan_tables(code),
        memory=code.memory.copy(),
        kept=(np.zeros((1 << 8, kernels.DESCRIPTOR_COLUMNS), np.int64),),
        registers=(
            np.zeros(8, np.int64),
            np.zeros(4 * kernels.LEVELS, np.int32),
            _aligned(4 * (machine.accumulators + 32) * _room(program), np.int32),
            np.zeros(machine.thresholds * machine.macros + 64, np.int32),
            np.zeros(kernels.LANES, np.int64),
        ),
        scratch=(
            np.zeros(code.values, np.int64),
            np.zeros(bits, np.uint64),
            np.zeros(bits, np.uint64),
            np.zeros(2 * code.acts, np.uint64),
            np.zeros(code.acts, np.int64),
        ),
    )


def _aligned(size: int, kind: type[np.generic]) -> NDArray[Any]:
    """Zeroed bytes as elements of a type, from a 64-byte boundary on: twice as fast for tiles."""
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(kind)


@cache
def _may_use_tiles() -> bool:
    """Whether the CPU has matrix tiles and the operating system grants them to this process."""
    if not kernels.TILES or sys.platform != "linux":
        return False
    request_permission, tile_data = 0x1023, 18
    arch_prctl = 158
    return bool(ctypes.CDLL(None).syscall(arch_prctl, request_permission, tile_data) == 0)


@contextmanager
def _told_of_compilation(on_compile: Callable[[], None] | None) -> Generator[None]:
    """Call back when the kernels are compiled, which they are not where compiled ones are cached."""
    if on_compile is None:
        yield
        return
    pending = [on_compile]

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            if pending and event.data["dispatcher"] is kernels.execute:
                pending.pop()()

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield


def _decode(program: Program, fuse: bool) -> _Code:
    ops, machine = program.ops, program.machine
    turns = np.zeros(len(ops), np.int64)
    for start, end in loop_ends(ops).items():
        turns[start], turns[end] = end, start
    run_of = np.full(len(ops), -1, np.int64)
    groups = _fused(ops, fuse)
    written = _written(program)
    runs = np.zeros((len(groups), kernels.RUN_COLUMNS), np.int64)
    taps = words = tiles = 0
    sets: dict[tuple[int, ...], tuple[int, int]] = {}
    for r, members in enumerate(groups):
        run_of[members[0]] = r
        dots = [ops[at] for at in members]
        run = runs[r]
        run[kernels.R_FIRST], run[kernels.R_COUNT] = members[0], len(members)
        run[kernels.R_TAPS], run[kernels.R_WORDS] = taps, words
        run[kernels.R_FIXED] = _steadiness(program, dots, written)
        taps += sum(dot["lines"] for dot in dots)
        count = sum(dot["lines"] * (dot["len"] // 64 + 2) for dot in dots)
        words += count
        use = _weight_use(dots)
        if use not in sets:
            sets[use] = len(sets), tiles
            tiles += count * _tiles_a_step(dots[0]) * kernels.TILE if _may_use_tiles() else 0
        run[kernels.R_SET], run[kernels.R_TILES] = sets[use]
    values, acts = _space(program, groups)
    reach = max((_reach(program, [ops[at] for at in members]) for members in groups), default=0)
    return _Code(
        table=_field_table(ops),
        turns=turns,
        run_of=run_of,
        runs=runs,
        taps=taps + 1,
        words=words + 1,
        costs=_costs(program),
        figures=np.array(
            [
                machine.macros,
                machine.words,
                machine.channel_trits,
                machine.gather_trits,
                machine.dma_bits,
                machine.window_lines,
                _may_use_tiles(),
                _room(program),
                _sums_are_passed_on(ops),
            ],
            np.int64,
        ),
        memory=_memory(program),
        external=np.ascontiguousarray(program.external).reshape(-1),
        out_ports=_output_ports(program),
        written=tuple(sorted({span for spans in written.values() for span in spans})),
        values=values,
        acts=acts,
        trits=64 * acts + reach if _may_use_tiles() else 0,
        tiles=tiles,
        sets=len(sets),
    )


def _weight_use(dots: Sequence[MicroOp]) -> tuple[int, ...]:
    """What the expanded weights of a run depend on: runs that differ in place alone share them."""
    free = ("span", "limit", "xcounter", "acc", "astep", "shift", "clear", "x0")
    first = dots[0]["x0"]
    values = [
        value
        for dot in dots
        for name, value in zip(FIELD[Opcode.DOT], dot.values, strict=True)
        if name not in free
    ]
    return (*values, *(dot["x0"] - first for dot in dots))


def _tiles_a_step(dot: MicroOp) -> int:
    """Matrix tiles that 64 columns of a run's weights take: 16 macros each."""
    return int(dot["groups"] * dot["segments"] * -(-dot["macros"] // 16))


_Spans = dict[Opcode, list[tuple[int, int]]]


def _written(program: Program) -> _Spans:
    """The stretches of words that micro-ops of each kind may write."""
    spans: _Spans = {}
    buffers: dict[int, list[tuple[int, int]]] = {}
    row = program.machine.words * program.machine.macros
    for op in program.ops:
        if op.opcode is Opcode.BUF:
            line = -(-op["width"] * op["pitch"] // 64)
            start = op["base"] // 64
            end = start + op["planes"] * op["depth"] * line
            buffers.setdefault(op["buffer"], []).append((start, end))
    for op in program.ops:
        if op.opcode in (Opcode.DMAIN, Opcode.STORE, Opcode.LUT):
            spans.setdefault(op.opcode, []).extend(buffers[op["buffer"]])
        elif op.opcode is Opcode.DMAW:
            span = (op["row"] * row, (op["row"] + op["n"]) * row)
            spans.setdefault(op.opcode, []).append(span)
    return spans


def _room(program: Program) -> int:
    """Sums that an accumulator takes, of the segments in use: whole rows of a matrix tile."""
    segments = max((op["segments"] for op in program.ops if op.opcode in _SPANNED), default=1)
    return -(-segments * program.machine.macros // 16) * 16


def _steadiness(program: Program, dots: Sequence[MicroOp], written: _Spans) -> int:
    """How long the expanded weights of a run hold: a number of the kernels."""
    row = program.machine.words * program.machine.macros
    rows = [(dot["row"] * row, (dot["row"] + 1) * row) for dot in dots]

    def meets(spans: Sequence[tuple[int, int]]) -> bool:
        return any(low < end and start < high for low, high in rows for start, end in spans)

    if any(meets(spans) for opcode, spans in written.items() if opcode is not Opcode.DMAW):
        return kernels.NEVER
    return kernels.UNTIL_LOADED if meets(written.get(Opcode.DMAW, [])) else kernels.ALWAYS


def _reach(program: Program, dots: Sequence[MicroOp]) -> int:
    """Bytes that whole tiles read beyond the last window of a run at most."""
    pitch = max((op["pitch"] for op in program.ops if op.opcode is Opcode.BUF), default=1)
    op = dots[0]
    return 32 * op["groups"] * op["segments"] * op["dx"] * pitch + 2 * kernels.TILE


def _field_table(ops: Sequence[MicroOp]) -> Ints:
    """The fields of a program, its accumulators renamed where no sum outlives its STORE.

    Programs take turns among accumulators so that units overlap; when they are executed one after
    the other, the same few do for all, and they stay in the cache.
    """
    table = field_table(ops)
    if _sums_are_passed_on(ops):
        for opcode in (Opcode.DOT, Opcode.STORE):
            table[table[:, 0] == opcode, FIELD[opcode]["acc"]] = 0
    return table


def _sums_are_passed_on(ops: Sequence[MicroOp]) -> bool:
    """Whether every STORE takes the sums of the DOTs in front of it, and nothing else does."""
    entered = {at + 1 + op["skip"] for at, op in enumerate(ops) if op.opcode is Opcode.GUARD}
    last: MicroOp | None = None
    for at, op in enumerate(ops):
        if at in entered or op.opcode in (Opcode.LOOP, Opcode.END, Opcode.GUARD):
            last = None
        if op.opcode is Opcode.ACC:
            return False
        if op.opcode in (Opcode.DOT, Opcode.STORE):
            starts = op.opcode is Opcode.DOT and op["clear"]
            if not starts and (last is None or not _same_sums(last, op)):
                return False
            last = op if op.opcode is Opcode.DOT else last
    return True


def _same_sums(before: MicroOp, op: MicroOp) -> bool:
    """Whether a micro-op takes the sums of a DOT, all of its steps."""
    return bool(before["astep"]) and all(
        before[name] == op[name] for name in _SHARED if name not in ("astep", "shift")
    )


def _fused(ops: Sequence[MicroOp], fuse: bool) -> list[list[int]]:
    """Group DOTs that follow each other and work on the same pixels and accumulators."""
    entered = {at + 1 + op["skip"] for at, op in enumerate(ops) if op.opcode is Opcode.GUARD}
    groups: list[list[int]] = []
    for at, op in enumerate(ops):
        if op.opcode is not Opcode.DOT:
            continue
        last = groups[-1][-1] if groups else -1
        if fuse and last == at - 1 and at not in entered and _joins(ops[last], op):
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def _joins(before: MicroOp, op: MicroOp) -> bool:
    if before.opcode is not Opcode.DOT or op["clear"]:
        return False
    return all(before[name] == op[name] for name in (*_SHARED, "dx"))


def _costs(program: Program) -> Ints:
    """The terms of the cost rules that no execution changes, one row a micro-op."""
    table = np.zeros((len(program.ops), kernels.COST_COLUMNS), np.int64)
    for row, op in zip(table, program.ops, strict=True):
        unit = TABLE[op.opcode].unit
        if unit is not Unit.SEQUENCER:
            spent = cost(program.machine, op, Extent(planes=1, pitch=1))
            row[:] = unit, spent.startup, spent.items, spent.first, spent.each, spent.latency
    return table


def _memory(program: Program) -> Words:
    """Both planes of the memory image, each with room behind it for a vector's overhang."""
    machine = program.machine
    row = machine.words * machine.macros
    memory = np.zeros((2, (machine.rows + 1) * row + kernels.SLACK), np.uint64)
    for at, data in zip(program.rows, program.row_data, strict=True):
        memory[:, at * row : (at + 1) * row] = data.reshape(2, row)
    return memory


def _plan_tables(code: _Code) -> tuple[NDArray[Any], ...]:
    """Room for the plans of all runs, for windows and weights at work, and for expanded weights."""
    return (
        code.runs.copy(),
        np.zeros((code.taps, kernels.STRIP_COLUMNS), np.int64),
        np.zeros((code.taps, kernels.TAP_COLUMNS), np.int64),
        np.zeros((code.taps, kernels.TAP_COLUMNS), np.int64),
        np.zeros((code.words, kernels.WORD_COLUMNS), np.int64),
        np.zeros(code.words, np.uint64),
        np.zeros(code.words, np.int64),
        np.zeros((code.words, kernels.ENTRY_COLUMNS), np.int64),
        np.zeros((code.words, 2 * kernels.LANES), np.uint64),
        np.zeros((code.words, kernels.STEP_COLUMNS), np.int64),
        np.zeros(code.words, np.int64),
        np.zeros(code.words, np.int64),
        np.zeros(code.words, np.int64),
        np.zeros(32 * code.words, np.uint64),
        _aligned(code.trits, np.int8),
        _aligned(code.tiles, np.int8),
        np.zeros(code.sets, np.int64),
        _aligned(4 * 32 * 32, np.int32),
        np.ones(2, np.int64),
        np.frombuffer(kernels.TILE_CONFIG, np.uint8).copy(),
    )


def _token_queues(tokens: int, posts: int) -> tuple[Ints, ...]:
    """Empty queues for the tokens, and a chain of unused posts."""
    links = np.arange(1, posts + 1)
    links[-1] = -1
    none = np.full(tokens, -1, np.int64)
    return none, none.copy(), np.zeros(posts, np.int64), links, np.zeros(1, np.int64)


def _input_ports(
    ports: Sequence[Port], images: Mapping[str, NDArray[Any]]
) -> tuple[Ints, NDArray[np.uint8]]:
    """The table of the input ports, and all images as one row of bytes."""
    table = np.zeros((len(ports), kernels.PORT_COLUMNS), np.int64)
    parts = [np.zeros(0, np.uint8)]
    start = 0
    for row, port in zip(table, ports, strict=True):
        kind = _element(port.low, port.high)
        image = np.ascontiguousarray(images[port.name], kernels.ELEMENTS[kind])
        row[:] = start, kind, *port.shape, port.bits
        parts.append(image.reshape(-1).view(np.uint8))
        start += image.nbytes
    return table, parts[1] if len(parts) == 2 else np.concatenate(parts)


def _output_ports(program: Program) -> Ints:
    """The table of the output ports, with element types that hold whatever DMAOUT writes."""
    planes = [1] * (1 << 8)
    for op in program.ops:
        if op.opcode is Opcode.BUF:
            planes[op["buffer"]] = max(planes[op["buffer"]], op["planes"])
    largest = [0] * len(program.outputs)
    for op in program.ops:
        if op.opcode is Opcode.DMAOUT:
            value = op["n"] if op["format"] else (1 << planes[op["buffer"]]) - 1
            largest[op["port"]] = max(largest[op["port"]], value)
    table = np.zeros((len(program.outputs), kernels.PORT_COLUMNS), np.int64)
    start = 0
    for row, port, value in zip(table, program.outputs, largest, strict=True):
        kind = _element(-value, value)
        row[:] = start, kind, *port.shape, port.bits
        size = int(np.prod(port.shape)) * np.dtype(kernels.ELEMENTS[kind]).itemsize
        start += (size + 7) // 8 * 8
    return table


def _bytes_of(table: Ints) -> int:
    """Bytes that the images of the output ports take."""
    if not len(table):
        return 0
    last = table[-1]
    values = last[kernels.P_CHANNELS] * last[kernels.P_HEIGHT] * last[kernels.P_WIDTH]
    size = np.dtype(kernels.ELEMENTS[int(last[kernels.P_TYPE])]).itemsize
    return int(last[kernels.P_START] + values * size)


def _element(low: int, high: int) -> int:
    """The number of the first element type that holds all of low..high."""
    for number, kind in enumerate(kernels.ELEMENTS):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return number
    return len(kernels.ELEMENTS) - 1


def _space(program: Program, groups: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Upper bounds for the work space: values of a line, and words of gathered trits."""
    machine, ops = program.machine, program.ops
    pitches = [op["pitch"] for op in ops if op.opcode is Opcode.BUF]
    low, high = min(pitches, default=1), max(pitches, default=1)
    values = [machine.macros, *(port.channels * port.width for port in program.inputs)]
    trits = [
        (port.channels + 63) * (port.width + 127) * (_most_levels(ops) + 1)
        for port in program.inputs
    ]
    for op in ops:
        if op.opcode is Opcode.DMAOUT:
            width = min(op["limit"], program.outputs[op["port"]].width)
            values.append(op["n"] * width)
            trits.append((width + 128) * (high + op["n"]))
        elif op.opcode is Opcode.LUT:
            trits.append(2 * min(op["span"], op["limit"]) * high)
    runs = [_run_words([ops[at] for at in group], low, high) for group in groups]
    slack = 8 * kernels.SLACK
    return max(values) + slack, max([max(trits, default=0) // 64, *runs]) + slack


def _most_levels(ops: Sequence[MicroOp]) -> int:
    return max((op["levels"] for op in ops if op.opcode is Opcode.DMAIN), default=1) or 1


def _run_words(dots: Sequence[MicroOp], low: int, high: int) -> int:
    """Words that the strips and the assembled windows of a run take at most."""
    op = dots[0]
    first = min(dot["x0"] + dot["toff"] // high for dot in dots)
    last = max(dot["x0"] + (dot["toff"] + dot["len"]) // low + 1 for dot in dots)
    pixels = (min(op["span"], op["limit"]) - 1) * op["dx"] + last - first
    taps = sum(dot["lines"] for dot in dots)
    strips = taps * (pixels * high // 64 + 2 * kernels.SLACK)
    window = sum(dot["lines"] * (dot["len"] // 64 + 2) for dot in dots) + kernels.LANES
    return strips + window * (kernels.CHUNK + op["groups"] * op["segments"])


def _outputs(ports: Sequence[Port], table: Ints, out: NDArray[np.uint8]) -> Images:
    images: Images = {}
    for port, row in zip(ports, table, strict=True):
        kind = np.dtype(kernels.ELEMENTS[int(row[kernels.P_TYPE])])
        start = row[kernels.P_START]
        size = int(np.prod(port.shape)) * kind.itemsize
        images[port.name] = out[start : start + size].view(kind).reshape(port.shape)
    return images


def _counters(table: Ints, counts: Ints, clock: Ints) -> Counters:
    units = _UNITS[table[:, 0]]
    done = clock[kernels.CLOCK_DONE : kernels.CLOCK_DONE + len(Unit)].copy()
    issue_cycles = int(clock[kernels.CLOCK_ISSUE])
    return Counters(
        table=counts,
        done=done,
        busy=np.array([counts[units == unit, Counter.BUSY].sum() for unit in Unit], np.int64),
        issued=int(clock[kernels.CLOCK_ISSUED]),
        issue_cycles=issue_cycles,
        cycles=max(issue_cycles, int(done.max())),
    )


def _failure(program: Program, status: Ints) -> MachineError:
    kind, at, first, second, last = (int(value) for value in status)
    where = f"micro-op {at} ({program.ops[at].opcode.name}): "
    note, remedy = "", "the program is wrong: compile it again"
    if kind == kernels.MISSING_PIXEL:
        what = f"pixel {first} of line {second} is read: inside the image, outside the buffer"
        note = f"the buffer holds pixels 0 to {last} of a line"
    else:
        what = f"WAIT for token {first}, which no earlier SIGNAL posts"
    return MachineError(where + what, note, remedy)
