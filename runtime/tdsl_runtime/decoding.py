"""A program -> the tables that the kernels read; `kernels` gives their columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tdsl_runtime.encoding import FIELD, field_table
from tdsl_runtime.fusion import fused, sums_are_passed_on, weight_use
from tdsl_runtime.holding import Holding, buffer_span, holding
from tdsl_runtime.image_bytes import input_ports, output_ports, packed_ports
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.kernels import columns
from tdsl_runtime.kernels.execute import Features
from tdsl_runtime.program import Program
from tdsl_runtime.row_fields import rows_written
from tdsl_runtime.tiles import tiles_granted
from tdsl_runtime.timing import Extent, cost
from tdsl_runtime.validation import loop_ends, uop_bodies

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]

_TURNED = (Opcode.SPREAD, Opcode.PACK)
_SPANNED = (Opcode.DOT, Opcode.ACC, Opcode.STORE)


@dataclass(frozen=True, slots=True)
class Code:
    """The tables that all runs of a program share; the kernels give their columns."""

    features: Features
    table: Ints
    turns: Ints
    run_of: Ints
    holding: Holding
    written: Ints
    runs: Ints
    taps: int
    words: int
    costs: Ints
    figures: Ints
    memory: Words
    external: Words
    in_ports: Ints
    out_ports: Ints
    packed_in_ports: Ints
    packed_out_ports: Ints
    values: int
    acts: int
    trits: int
    tiles: int
    sets: int


def decode(program: Program, fuse: bool) -> Code:
    """Lay out a valid program; without `fuse` every DOT is a run of its own."""
    ops, machine = program.ops, program.machine
    turns = np.zeros(len(ops), np.int64)
    for start, end in loop_ends(ops).items():
        turns[start], turns[end] = end, start
    run_of = np.full(len(ops), -1, np.int64)
    groups = fused(ops, fuse=fuse)
    written = _written(program)
    runs = np.zeros((len(groups), columns.RUN_COLUMNS), np.int64)
    taps = words = tiles = 0
    sets: dict[tuple[int, ...], tuple[int, int]] = {}
    for r, members in enumerate(groups):
        run_of[members[0]] = r
        dots = [ops[at] for at in members]
        run = runs[r]
        run[columns.R_FIRST], run[columns.R_COUNT] = members[0], len(members)
        run[columns.R_TAPS], run[columns.R_WORDS] = taps, words
        run[columns.R_FIXED] = _steadiness(program, dots, written)
        taps += sum(dot["lines"] for dot in dots)
        count = sum(dot["lines"] * (dot["len"] // 64 + 2) for dot in dots)
        words += count
        use = weight_use(dots)
        if use not in sets:
            sets[use] = len(sets), tiles
            tiles += count * _tiles_a_step(dots[0]) * columns.TILE if tiles_granted() else 0
        run[columns.R_SET], run[columns.R_TILES] = sets[use]
    memory = _memory(program)
    values, scratch = _space(program, groups)
    holds = holding(program, groups, [_spans_of(program, op) for op in ops], scratch)
    acts = scratch + holds.words + columns.SLACK
    reach = max((_reach(program, [ops[at] for at in members]) for members in groups), default=0)
    return Code(
        features=_features(ops),
        table=_field_table(ops),
        turns=turns,
        run_of=run_of,
        holding=holds,
        written=_stretches(written, memory),
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
                accumulator_room(program),
                sums_are_passed_on(ops),
            ],
            np.int64,
        ),
        memory=memory,
        external=np.ascontiguousarray(program.external).reshape(-1),
        in_ports=input_ports(program.inputs),
        out_ports=output_ports(program),
        packed_in_ports=packed_ports(program.inputs),
        packed_out_ports=packed_ports(program.outputs),
        values=values,
        acts=acts,
        trits=64 * acts + reach if tiles_granted() else 0,
        tiles=tiles,
        sets=len(sets),
    )


def _features(ops: Sequence[MicroOp]) -> Features:
    """What a program needs of the kernels."""
    used = {op.opcode for op in ops}
    return Features(
        tiles=tiles_granted() and Opcode.DOT in used,
        lut=Opcode.LUT in used,
        levels=any(op.opcode is Opcode.DMAIN and op["format"] for op in ops),
        lines=not used.isdisjoint((Opcode.DMAIN, Opcode.DMAOUT, Opcode.DMAW)),
        dots=not used.isdisjoint((Opcode.DOT, Opcode.ACC, Opcode.TLOAD, Opcode.STORE)),
        rows=any(opcode > Opcode.ACTIVE and opcode not in _TURNED for opcode in used),
        turned=any(opcode in _TURNED for opcode in used),
    )


def _tiles_a_step(dot: MicroOp) -> int:
    """Matrix tiles that 64 columns of a run's weights take: 16 macros each."""
    return int(dot["groups"] * dot["segments"] * -(-dot["macros"] // 16))


_Spans = dict[Opcode, list[tuple[int, int]]]


def _written(program: Program) -> _Spans:
    """The stretches of words that micro-ops of each kind may write."""
    spans: _Spans = {}
    for op in program.ops:
        if found := _spans_of(program, op):
            spans.setdefault(op.opcode, []).extend(found)
    return spans


def _spans_of(program: Program, op: MicroOp) -> list[tuple[int, int]]:
    """The stretches of words that a micro-op may write."""
    row = program.machine.words * program.machine.macros
    if op.opcode in (Opcode.DMAIN, Opcode.STORE, Opcode.LUT, Opcode.PACK):
        return [
            buffer_span(one)
            for one in program.ops
            if one.opcode is Opcode.BUF and one["buffer"] == op["buffer"]
        ]
    if op.opcode is Opcode.DMAW:
        return [(op["row"] * row, (op["row"] + op["n"]) * row)]
    if op.opcode > Opcode.ACTIVE:
        first, last = rows_written(op)
        return [(first * row, last * row)] if last > first else []
    return []


def _stretches(written: _Spans, memory: Words) -> Ints:
    """The stretches of words that micro-ops may write, none of which meet.

    Their first word, their words, and whether they are 0 at the start.
    """
    merged: list[list[int]] = []
    for first, end in sorted({span for spans in written.values() for span in spans}):
        if merged and first <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([first, end])
    rows = [(first, end - first, not memory[:, first:end].any()) for first, end in merged]
    return np.array(rows, np.int64).reshape(-1, 3)


def accumulator_room(program: Program) -> int:
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
        return columns.NEVER
    return columns.UNTIL_LOADED if meets(written.get(Opcode.DMAW, [])) else columns.ALWAYS


def _reach(program: Program, dots: Sequence[MicroOp]) -> int:
    """Bytes that whole tiles read beyond the last window of a run at most."""
    pitch = max((op["pitch"] for op in program.ops if op.opcode is Opcode.BUF), default=1)
    op = dots[0]
    return 32 * op["groups"] * op["segments"] * op["dx"] * pitch + 2 * columns.TILE


def _field_table(ops: Sequence[MicroOp]) -> Ints:
    """The fields of a program, its accumulators renamed where no sum outlives its STORE.

    Programs take turns among accumulators so that units overlap; when they are executed one after
    the other, the same few do for all, and they stay in the cache.
    """
    table = field_table(ops)
    if sums_are_passed_on(ops):
        for opcode in (Opcode.DOT, Opcode.STORE):
            table[table[:, 0] == opcode, FIELD[opcode]["acc"]] = 0
    return table


def _costs(program: Program) -> Ints:
    """The terms of the cost rules that no execution changes, one row a micro-op.

    What stands in the body of a UOP takes no time: it has the terms, but no unit.
    """
    table = np.zeros((len(program.ops), columns.COST_COLUMNS), np.int64)
    macros, bodies = program.machine.macros, uop_bodies(program.ops)
    for at, (row, op) in enumerate(zip(table, program.ops, strict=True)):
        unit = TABLE[op.opcode].unit
        if unit is not Unit.SEQUENCER:
            spent = cost(program.machine, op, Extent(planes=1, pitch=1, macros=macros))
            terms = (spent.startup, spent.items, spent.first, spent.each, spent.latency)
            fields = FIELD[op.opcode]
            row[:] = unit, *terms, fields.get("counter", 0), fields.get("xcounter", 0)
        if at in bodies:
            row[columns.COST_UNIT] = Unit.SEQUENCER
        if op.opcode is Opcode.ACTIVE:
            macros = op["macros"]
    return table


def _memory(program: Program) -> Words:
    """Both planes of the memory image, each with room behind it for a vector's overhang."""
    machine = program.machine
    row = machine.words * machine.macros
    memory = np.zeros((2, (machine.rows + 1) * row + columns.SLACK), np.uint64)
    for at, data in zip(program.rows, program.row_data, strict=True):
        memory[:, at * row : (at + 1) * row] = data.reshape(2, row)
    return memory


def _space(program: Program, groups: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Upper bounds for the work space: values of a line, and words of gathered trits."""
    machine, ops = program.machine, program.ops
    pitches = [op["pitch"] for op in ops if op.opcode is Opcode.BUF]
    high = max(pitches, default=1)
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
        elif op.opcode is Opcode.STORE:
            trits.append(min(op["span"], op["limit"]) * (op["macros"] + 16))
        elif op.opcode is Opcode.LUT:
            trits.append(2 * min(op["span"], op["limit"]) * high)
        elif op.opcode in _TURNED:
            trits.append((op["width"] + 128) * high + 64 * 512)
    if any(op.opcode > Opcode.ACTIVE for op in ops):
        # A byte a column in both planes together, or a row of words with a macro more on each side.
        trits.append(64 * 5 * machine.words * machine.macros)
    runs = [_run_words([ops[at] for at in group]) for group in groups]
    slack = 8 * columns.SLACK
    return max(values) + slack, max([max(trits, default=0) // 64, *runs]) + slack


def _most_levels(ops: Sequence[MicroOp]) -> int:
    return max((op["levels"] for op in ops if op.opcode is Opcode.DMAIN), default=1) or 1


def _run_words(dots: Sequence[MicroOp]) -> int:
    """Words that the assembled windows of a run take at most."""
    op = dots[0]
    window = sum(dot["lines"] * (dot["len"] // 64 + 2) for dot in dots) + columns.LANES
    return int(window * (columns.CHUNK + op["groups"] * op["segments"]))
