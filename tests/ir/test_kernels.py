"""Kernels as operations of the graph: types, values, text, and what the verifier finds."""

from dataclasses import replace

import numpy as np
import pytest

from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.infer import infer
from tdsl.ir.interpreter import run
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import Input, Kernel
from tdsl.ir.printer import print_graph
from tdsl.ir.size import symbol
from tdsl.ir.tensor_type import BIN, TRIT, U1, TensorType, signed, unsigned
from tdsl.ir.verifier import VerificationError, verify
from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import (
    Arithmetic,
    Range,
    Reduction,
    RowInput,
    RowOutput,
    RowProgram,
    RowTotal,
)

H, W = symbol("H"), symbol("W")
BYTE = Range(0, 255)


def difference(channels: int = 1) -> RowProgram:
    """`a - b`, the pixel of `b` to the right."""
    builder = RowBuilder([RowInput("a", BYTE, channels), RowInput("b", BYTE, channels)])
    values = tuple(
        builder.binary(Arithmetic.SUB, builder.read(0, c), builder.shift(builder.read(1, c), 0, 1))
        for c in range(channels)
    )
    output = RowOutput("d", values, Range(-256, 255))
    return RowProgram("diff", tuple(builder.inputs), tuple(builder.values), (output,))


def total(reduction: Reduction) -> RowProgram:
    """A total over trits."""
    builder = RowBuilder([RowInput("t", Range(-1, 1))])
    return RowProgram(
        "tally",
        tuple(builder.inputs),
        (builder.values[builder.read(0)],),
        (),
        (RowTotal("n", (0,), reduction),),
    )


DIFFERENCE = Kernel(difference(), signed(9), channelwise=True)
PAIR = Kernel(difference(2), signed(9))
COUNT = Kernel(total(Reduction.SUM), channelwise=True)


def byte(*shape: int) -> TensorType:
    return TensorType(unsigned(8), shape)


@pytest.mark.parametrize(
    ("op", "inputs", "wanted"),
    [
        (DIFFERENCE, (byte(5, 3, 4), byte(5, 3, 4)), "i9[5, 3, 4]"),
        (DIFFERENCE, (byte(5), byte(5)), "i9[5]"),
        (PAIR, (byte(2, 3, 4), byte(2, 3, 4)), "i9[2, 3, 4]"),
        (COUNT, (TensorType(TRIT, (6, 3, 4)),), "i5[6]"),
        (COUNT, (TensorType(BIN, (6, 3, 4)),), "i5[6]"),
        (Kernel(total(Reduction.ANY), channelwise=True), (TensorType(TRIT, (6, 3, 4)),), "u1[6]"),
        (DIFFERENCE, (TensorType(U1, (1, H, W)),) * 2, "i9[1, H, W]"),
    ],
)
def test_types(op: Kernel, inputs: tuple[TensorType, ...], wanted: str) -> None:
    assert str(infer(op, inputs)) == wanted


@pytest.mark.parametrize(
    ("op", "inputs", "code"),
    [
        (DIFFERENCE, (byte(5, 3, 4), byte(5, 3, 5)), "E0301"),
        (DIFFERENCE, (byte(5, 3, 4), byte(4, 3, 4)), "E0301"),
        (PAIR, (byte(3, 3, 4), byte(3, 3, 4)), "E0301"),
        (PAIR, (byte(2, 3, 4), byte(2, 2, 4)), "E0301"),
        (DIFFERENCE, (byte(5, 3, 4), TensorType(signed(8), (5, 3, 4))), "E0305"),
        (DIFFERENCE, (TensorType(unsigned(9), (5, 3, 4)), byte(5, 3, 4)), "E0305"),
        (COUNT, (TensorType(TRIT, (6, H, W)),), "E0311"),
        (COUNT, (TensorType(TRIT, (1, 1 << 20, 1 << 20)),), "E0304"),
    ],
)
def test_operands_that_misfit(op: Kernel, inputs: tuple[TensorType, ...], code: str) -> None:
    with pytest.raises(OpError) as caught:
        infer(op, inputs)
    assert caught.value.code == code


def graph(op: Kernel, *types: TensorType) -> Graph:
    """A network of this kernel alone."""
    nodes = [Node(f"x{i}", Input(), (), type_) for i, type_ in enumerate(types)]
    nodes.append(Node("k", op, tuple(range(len(types))), infer(op, types)))
    return Graph("net", (), tuple(nodes), (Output("out", len(types)),))


@pytest.mark.parametrize("op", [DIFFERENCE, PAIR])
@pytest.mark.parametrize("shape", [(2, 3, 4), (2,)])
def test_values(op: Kernel, shape: tuple[int, ...]) -> None:
    net = graph(op, byte(*shape), byte(*shape))
    verify(net)
    a, b = np.random.default_rng(0).integers(0, 256, (2, *shape))
    right = np.zeros_like(b)
    if len(shape) == 3:
        right[:, :, :-1] = b[:, :, 1:]
    assert np.array_equal(run(net, {}, {"x0": a, "x1": b})["out"], a - right)


def test_totals_are_vectors() -> None:
    net = graph(COUNT, TensorType(TRIT, (2, 3, 4)))
    verify(net)
    t = np.random.default_rng(0).integers(-1, 2, (2, 3, 4))
    assert np.array_equal(run(net, {}, {"x0": t})["out"], t.sum((1, 2)))


def test_the_text_tells_programs_apart() -> None:
    net = graph(replace(DIFFERENCE, constants=(("n", 3),)), byte(1, 2, 2), byte(1, 2, 2))
    line = print_graph(net).splitlines()[3]
    assert line.startswith("  k: i9[1, 2, 2] = kernel(x0, x1, program=diff:")
    assert line.endswith(", element=i9, constants=(n=3), channelwise=True)")
    moved = graph(replace(DIFFERENCE, file="elsewhere.py"), byte(1, 2, 2), byte(1, 2, 2))
    assert print_graph(moved) == print_graph(graph(DIFFERENCE, byte(1, 2, 2), byte(1, 2, 2)))
    assert print_graph(moved) != print_graph(graph(PAIR, byte(2, 2, 2), byte(2, 2, 2)))


STRIDED = replace(difference(), stride=(2, 1))
NARROW = replace(difference(), outputs=(RowOutput("d", (3,), Range(0, 255)),))
TWICE = replace(difference(), outputs=(*difference().outputs, RowOutput("e", (0,), BYTE)))


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (replace(DIFFERENCE, program=STRIDED), "no stride"),
        (replace(DIFFERENCE, program=NARROW), "`d` is"),
        (replace(DIFFERENCE, program=TWICE), "one result"),
        (replace(PAIR, channelwise=True), "works on each"),
        (replace(COUNT, element=U1), "not its result's type"),
    ],
)
def test_invalid_kernels_are_found(op: Kernel, message: str) -> None:
    sound = COUNT if op.program.totals else DIFFERENCE
    types = (TensorType(TRIT, (2, 3, 4)),) if op.program.totals else (byte(2, 3, 4),) * 2
    net = graph(sound, *types)
    broken = replace(net, nodes=(*net.nodes[:-1], replace(net.nodes[-1], op=op)))
    with pytest.raises(VerificationError, match=message):
        verify(broken)
