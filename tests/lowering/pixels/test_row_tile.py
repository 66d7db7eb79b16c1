"""Tile code inside another program: line buffers as sources and sinks, rows and counters given."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tdsl.lowering.pixels.places import BufferSink, BufferSource, PortSink, PortSource, Walk
from tdsl.lowering.pixels.row_tile import row_tile, tile_ops
from tdsl.lowering.pixels.tiling import tilings
from tdsl.lowering.writer import Writer
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import Arithmetic, Range, Relation, RowInput, RowOutput, RowProgram
from tdsl.rows.meaning import evaluate
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.encoding import encode
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import MicroOp, Opcode, Unit
from tdsl_runtime.program import Origin, Port, Program
from tests.lowering.pixels.machines import machine

SOURCE, SINK = 0, 1


def differences(planes: int, stride: tuple[int, int]) -> RowProgram:
    """Of two channels: the difference to the pixel on the right and below, and a sum."""
    most = (1 << planes) - 1
    builder = RowBuilder([RowInput("x", Range(-most, most), channels=2)])
    a, b = builder.read(0, 0), builder.read(0, 1)
    slope = builder.binary(Arithmetic.SUB, a, builder.shift(b, 1, 1))
    total = builder.binary(Arithmetic.ADD, builder.shift(a, -1, 0), b)
    found = (slope, total)
    output = RowOutput("y", found, Range(-2 * most, 2 * most))
    return RowProgram(
        "both", tuple(builder.inputs), tuple(builder.values), (output,), stride=stride
    )


def embedded(
    rows: RowProgram, planes: int, size: tuple[int, int], on: MachineDescription
) -> Program:
    """All lines into a buffer, tile after tile to another one, all lines out of it."""
    height, width = size
    down, right = rows.stride
    most = (1 << planes) - 1
    results = -(-height // down), -(-width // right)
    tile = row_tile(rows, (BufferSource(SOURCE, planes),), (BufferSink(SINK, planes + 1),), rows=64)
    tiling = min(
        tilings(height, width, rows.stride, tile.regions, on),
        key=lambda t: t.down * t.across * tile.cycles(t.layout, on),
    )
    layout = tiling.layout
    walk = tiling.walk(1, 2)
    writer = Writer()
    buffer_rows = on.columns * on.macros
    image = {"image_width": width, "image_height": height, "width": width, "depth": height}
    first = {"buffer": SOURCE, "base": 100 * buffer_rows, "pitch": 2, "planes": planes}
    writer.op(Opcode.BUF, **first, **image)
    writer.op(
        Opcode.BUF,
        buffer=SINK,
        base=150 * buffer_rows,
        pitch=2,
        planes=planes + 1,
        width=results[1],
        depth=results[0],
        image_width=results[1],
        image_height=results[0],
    )
    writer.op(Opcode.ACTIVE, macros=layout.macros)
    with writer.loop(1, height):
        writer.op(Opcode.DMAIN, buffer=SOURCE, port=0, counter=1, mul=1)
    writer.hand_over(Unit.DMA, Unit.ARRAY, 0)
    with writer.loop(1, tiling.down), writer.loop(2, tiling.across):
        writer.code += tile_ops(tile, layout, walk, first_row=10).steps
    writer.hand_over(Unit.ARRAY, Unit.DMA, 1)
    with writer.loop(1, results[0]):
        writer.op(Opcode.DMAOUT, buffer=SINK, port=0, n=2, limit=results[1], counter=1, mul=1)
    writer.op(Opcode.HALT)
    ports = (Port("x", 2, height, width, -most, most), Port("y", 2, *results, -2 * most, 2 * most))
    return program_of(writer.code, on, ports[:1], ports[1:])


def program_of(
    ops: list[MicroOp],
    on: MachineDescription,
    inputs: tuple[Port, ...],
    outputs: tuple[Port, ...],
) -> Program:
    """Micro-ops as a program that starts with an empty memory."""
    row = (2, on.words, on.macros)
    return Program(
        network="tile",
        machine=on,
        code=encode(ops),
        code_origins=np.zeros(len(ops), np.int32),
        rows=np.zeros(0, np.int64),
        row_data=np.zeros((0, *row), np.uint64),
        external=np.zeros((0, *row), np.uint64),
        inputs=inputs,
        outputs=outputs,
        origins=(Origin("tile", 0, ""),),
    )


@pytest.mark.parametrize("planes", [1, 2, 3])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (12, 65)])
def test_line_buffers_in_and_out(
    planes: int, stride: tuple[int, int], size: tuple[int, int]
) -> None:
    on = machine(rows=200, columns=64, macros=4)
    rows = differences(planes, stride)
    image = _image(rows, size)
    result = Interpreter(embedded(rows, planes, size, on)).run({"x": image})
    expected = evaluate(rows, {"x": image})["y"]
    np.testing.assert_array_equal(result.outputs["y"], expected)


def _image(rows: RowProgram, size: tuple[int, int]) -> NDArray[np.int64]:
    given = rows.inputs[0]
    rng = np.random.default_rng(3)
    return rng.integers(given.range.low, given.range.high + 1, (given.channels, *size))


def test_ports_are_loads_and_stores_for_the_embedding_program_to_order() -> None:
    rows = differences(2, (1, 1))
    tile = row_tile(rows, (PortSource(0),), (PortSink(3),), rows=64)
    layout = next(tilings(5, 5, (1, 1), tile.regions, machine())).layout
    ops = tile_ops(tile, layout, Walk())
    assert [op.opcode for op in ops.loads] == [Opcode.BANDIN] * 2
    assert [(op.opcode, op["port"]) for op in ops.stores] == [(Opcode.BANDOUT, 3)] * 2
    assert not {Opcode.BANDIN, Opcode.BANDOUT} & {op.opcode for op in ops.steps}


def test_fewer_rows_are_used_where_few_are_free() -> None:
    rows = differences(3, (1, 1))
    sources, sinks = (BufferSource(SOURCE, 3),), (BufferSink(SINK, 4),)
    quick = row_tile(rows, sources, sinks, rows=64)
    tight = row_tile(rows, sources, sinks, rows=1)
    assert tight.rows <= quick.rows


@pytest.mark.parametrize("stride", [(1, 1), (2, 2)])
def test_predicted_cycles_are_those_executed(stride: tuple[int, int]) -> None:
    """For an image of one tile of which every neighbour lies inside the image."""
    on = machine(rows=200, columns=64, macros=4)
    rows = replace(inner(2), stride=stride)
    program = embedded(rows, 2, (6, 10), on)
    counters = Interpreter(program).run({"x": _image(rows, (6, 10))}).counters
    tile = row_tile(rows, (BufferSource(SOURCE, 2),), (BufferSink(SINK, 3),), rows=64)
    layout = next(t.layout for t in tilings(6, 10, stride, tile.regions, on))
    assert counters.busy[Unit.ARRAY] == tile.cycles(layout, on)


def inner(planes: int) -> RowProgram:
    """The same two values without neighbours."""
    most = (1 << planes) - 1
    builder = RowBuilder([RowInput("x", Range(-most, most), channels=2)])
    a, b = builder.read(0, 0), builder.read(0, 1)
    found = (
        builder.binary(Arithmetic.SUB, a, b),
        builder.binary(Arithmetic.ADD, a, b),
    )
    output = RowOutput("y", found, Range(-2 * most, 2 * most))
    return RowProgram("both", tuple(builder.inputs), tuple(builder.values), (output,))


def test_trits_are_packed_from_where_they_are_made() -> None:
    builder = RowBuilder([RowInput("x", Range(-1, 1), channels=3)])
    a, b, c = (builder.read(0, channel) for channel in range(3))
    total = builder.binary(Arithmetic.ADD, builder.binary(Arithmetic.ADD, a, b), c)
    above = builder.compare(Relation.LESS, builder.constant(1), total)
    below = builder.compare(Relation.LESS, total, builder.constant(-1))
    trit = builder.binary(Arithmetic.SUB, above, below)
    rows = RowProgram(
        "sign",
        tuple(builder.inputs),
        tuple(builder.values),
        (RowOutput("y", (trit, a), Range(-1, 1)),),
    )
    tile = row_tile(rows, (BufferSource(SOURCE),), (BufferSink(SINK),), rows=64)
    opcodes = [step.opcode for step in tile.code.steps]
    assert opcodes.count(Opcode.PACK) == 2
    assert Opcode.LOGIC not in opcodes
