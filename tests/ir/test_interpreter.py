"""The meaning of the graph: against hand-made examples and against loops over single pixels."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tdsl.ir import ops
from tdsl.ir.graph import Graph
from tdsl.ir.interpreter import interpret, run
from tdsl.ir.ops import Constant, Conv, GateKind, Input, Pool, PoolKind
from tdsl.ir.parameters import Integers, resolve
from tdsl.ir.tensor_type import TRIT, Kind, TensorType
from tests.builder import Builder, element
from tests.networks import Case, named_network, named_networks

CONVOLUTIONS = [c for c in named_networks() if any(isinstance(n.op, Conv) for n in c.graph.nodes)]
POOLS = [c for c in named_networks() if any(isinstance(n.op, Pool) for n in c.graph.nodes)]


def conv_pixel(op: Conv, x: Integers, weight: Integers, out: int, y: int, z: int) -> int:
    """One sum, by its definition."""
    total = 0
    per_group = x.shape[0] // op.groups
    first = out // (op.out_channels // op.groups) * per_group
    for channel, ky, kx in product(range(per_group), *map(range, op.kernel)):
        row = y * op.stride[0] + ky * op.dilation[0] - op.padding[0]
        column = z * op.stride[1] + kx * op.dilation[1] - op.padding[1]
        inside = 0 <= row < x.shape[1] and 0 <= column < x.shape[2]
        pixel = x[first + channel, row, column] if inside else op.pad_value
        total += int(weight[out, channel, ky, kx]) * int(pixel)
    return total


def sampled(shape: tuple[int, ...], count: int = 60) -> list[tuple[int, ...]]:
    """The corners of an array, and more of its indices."""
    random = np.random.default_rng(0)
    corners = product(*((0, size - 1) for size in shape))
    inner = (tuple(int(random.integers(size)) for size in shape) for _ in range(count))
    return [*corners, *inner]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_convolutions_are_sums_over_single_pixels(case: Case) -> None:
    values = interpret(case.graph, case.arrays, case.inputs)
    for position, node in enumerate(case.graph.nodes):
        if isinstance(node.op, Conv):
            x, weight = values[node.inputs[0]], resolve(node.op.weight, case.arrays)
            for out, y, z in sampled(values[position].shape):
                wanted = conv_pixel(node.op, x, weight, out, y, z)
                assert values[position][out, y, z] == wanted


@pytest.mark.parametrize("case", POOLS, ids=str)
def test_pools_reduce_each_window(case: Case) -> None:
    values = interpret(case.graph, case.arrays, case.inputs)
    for position, node in enumerate(case.graph.nodes):
        if isinstance(node.op, Pool):
            (rows, columns), (down, right) = node.op.kernel, node.op.stride
            for channel, y, z in sampled(values[position].shape):
                top, left = y * down, z * right
                window = values[node.inputs[0]][channel, top : top + rows, left : left + columns]
                assert window.shape == (rows, columns)
                wanted = pooled(node.op.kind, [int(v) for v in window.flat])
                assert values[position][channel, y, z] == wanted


def pooled(kind: PoolKind, window: list[int]) -> int:
    match kind:
        case PoolKind.MAX:
            return max(window)
        case PoolKind.SUM:
            return sum(window)
        case PoolKind.AVG:
            return (sum(window) + len(window) // 2) // len(window)


def test_average_rounds_half_up() -> None:
    b = Builder()
    x = b.input("x", "i4", (1, 2, 8))
    b.pool(x, "avg")
    b.inputs["x"] = np.array([[[0, 0, 1, 0, -1, 0, -3, 0], [1, 0, 1, 0, -1, 0, 0, 0]]])
    case = b.case()
    out = run(case.graph, case.arrays, b.inputs)["out0"]
    assert out.tolist() == [[[0, 1, 0, -1]]]  # 1/4, 1/2, -1/2, -3/4


TRITS = [-1, 0, 1]
BITS = [0, 1]
UNARY: list[tuple[str, ops.Op, str, list[int], list[int]]] = [
    ("not_trit", ops.Not(), "trit", TRITS, [1, 0, -1]),
    ("not_u1", ops.Not(), "u1", BITS, [1, 0]),
    ("shift_left", ops.Shift(2), "i4", [-3, 0, 3], [-12, 0, 12]),
    ("shift_right", ops.Shift(-1), "i4", [-3, -1, 0, 1, 3], [-2, -1, 0, 0, 1]),
    ("clip", ops.Clip(element("u2")), "i4", [-8, -1, 0, 3, 4, 7], [0, 0, 0, 3, 3, 3]),
    ("ternarize", ops.Ternarize(Constant((-1,)), Constant((2,))), "i4", [-2, -1, 2, 3],
     [-1, 0, 0, 1]),
    ("ternarize_no_zero", ops.Ternarize(Constant((1,)), Constant((0,))), "i4", [0, 1], [-1, 1]),
    ("binarize", ops.Binarize(Constant((0,))), "i4", [-1, 0, 1], [-1, -1, 1]),
    ("step", ops.Step(Constant((0,))), "i4", [-1, 0, 1], [0, 0, 1]),
    ("quantize", ops.Quantize(element("i2"), Constant((-2, 1, 1), (3,))), "i4",
     [-8, -2, -1, 1, 2, 7], [-2, -2, -1, -1, 1, 1]),
    ("compare", ops.Compare(ops.CompareKind.GE, 1), "i4", [0, 1, 2], [0, 1, 1]),
    ("argmax", ops.Argmax(), "i4", [1, 5, -2, 5], [1]),
    ("sum", ops.Sum(), "i4", [1, 5, -2, 5], [9]),
]  # fmt: skip


@pytest.mark.parametrize(("op", "elements", "x", "wanted"), [u[1:] for u in UNARY],
                         ids=[u[0] for u in UNARY])  # fmt: skip
def test_unary_operations(op: ops.Op, elements: str, x: list[int], wanted: list[int]) -> None:
    b = Builder()
    b.add(op, b.input("x", elements, (len(x),)))
    case = b.case()
    assert run(case.graph, {}, {"x": np.array(x)})["out0"].tolist() == wanted


@pytest.mark.parametrize(
    ("kind", "elements", "wanted"),
    [
        (GateKind.AND, "trit", [[-1, -1, -1], [-1, 0, 0], [-1, 0, 1]]),
        (GateKind.OR, "trit", [[-1, 0, 1], [0, 0, 1], [1, 1, 1]]),
        (GateKind.XOR, "trit", [[-1, 0, 1], [0, 0, 0], [1, 0, -1]]),
        (GateKind.AND, "bin", [[-1, -1], [-1, 1]]),
        (GateKind.OR, "bin", [[-1, 1], [1, 1]]),
        (GateKind.XOR, "bin", [[-1, 1], [1, -1]]),
        (GateKind.AND, "u1", [[0, 0], [0, 1]]),
        (GateKind.OR, "u1", [[0, 1], [1, 1]]),
        (GateKind.XOR, "u1", [[0, 1], [1, 0]]),
    ],
)
def test_truth_tables(kind: GateKind, elements: str, wanted: list[list[int]]) -> None:
    values = {"trit": TRITS, "bin": [-1, 1], "u1": BITS}[elements]
    shape = (len(values), len(values), 1)
    b = Builder()
    b.add(ops.Gate(kind), b.input("a", elements, shape), b.input("b", elements, shape))
    rows, columns = np.meshgrid(values, values, indexing="ij")
    inputs = {"a": rows[..., np.newaxis], "b": columns[..., np.newaxis]}
    assert run(b.case().graph, {}, inputs)["out0"][..., 0].tolist() == wanted


def test_mux_by_channel_and_by_pixel() -> None:
    for shape in ((2,), (2, 1, 2)):
        b = Builder()
        s = b.input("s", "u1", shape)
        b.add(ops.Mux(), s, b.input("a", "i4", (2, 1, 2)), b.input("b", "i4", (2, 1, 2)))
        chosen = np.array([1, 0]) if len(shape) == 1 else np.array([[[1, 0]], [[0, 1]]])
        inputs = {"s": chosen, "a": np.full((2, 1, 2), 5), "b": np.full((2, 1, 2), -5)}
        out = run(b.case().graph, {}, inputs)["out0"].tolist()
        assert out == ([[[5, 5]], [[-5, -5]]] if len(shape) == 1 else [[[5, -5]], [[-5, 5]]])


def numbered(op: ops.Op, shape: tuple[int, ...]) -> list[int]:
    """What `op` makes of the numbers 0, 1, 2 ..."""
    b = Builder()
    b.add(op, b.input("x", "u8", shape))
    x = np.arange(np.prod(shape)).reshape(shape)
    return [int(v) for v in run(b.case().graph, {}, {"x": x})["out0"].flat]


def test_rearrangements() -> None:
    assert numbered(ops.Upsample(2), (1, 1, 2)) == [0, 0, 1, 1, 0, 0, 1, 1]
    assert numbered(ops.PixelShuffle(2), (8, 1, 1)) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert numbered(ops.PixelShuffle(2), (4, 1, 2)) == [0, 2, 1, 3, 4, 6, 5, 7]
    assert numbered(ops.ChannelShuffle(2), (6, 1, 1)) == [0, 3, 1, 4, 2, 5]
    assert numbered(ops.ChannelShuffle(3), (6,)) == [0, 2, 4, 1, 3, 5]
    assert numbered(ops.Slice(1, 3), (4, 1, 1)) == [1, 2]
    assert numbered(ops.Flatten(), (2, 2, 2)) == list(range(8))


@pytest.mark.parametrize(("bits", "levels"), [(1, 1), (3, 2), (4, 5), (8, 32), (8, 1), (2, 9)])
@pytest.mark.parametrize("kind", [Kind.TRIT, Kind.BIN])
def test_thermometer_levels_are_evenly_spaced(bits: int, levels: int, kind: Kind) -> None:
    """The sum of the planes is the value's rank among equal parts of the range."""
    b = Builder()
    b.add(ops.Thermometer(levels, kind), b.input("x", f"u{bits}", (1, 1, 1 << bits)))
    x = np.arange(1 << bits).reshape(1, 1, -1)
    planes = run(b.case().graph, {}, {"x": x})["out0"][:, 0]
    parts = 2 * levels + 1 if kind is Kind.TRIT else levels + 1
    ranks = [value * parts >> bits for value in range(1 << bits)]
    wanted = [r - levels if kind is Kind.TRIT else 2 * r - levels for r in ranks]
    assert planes.sum(axis=0).tolist() == wanted


def test_thermometer_keeps_the_levels_of_a_channel_together() -> None:
    b = Builder()
    b.add(ops.Thermometer(2, Kind.BIN), b.input("x", "u8", (3, 1, 1)))
    x = np.array([0, 100, 255]).reshape(3, 1, 1)  # levels at 86 and 171
    assert run(b.case().graph, {}, {"x": x})["out0"].ravel().tolist() == [-1, -1, 1, -1, 1, 1]


def test_add_and_sub() -> None:
    b = Builder()
    x, y = b.input("x", "u8", (2,)), b.input("y", "u8", (2,))
    case = b.case(b.add(ops.Add(), x, y), b.add(ops.Sub(), x, y))
    out = run(case.graph, {}, {"x": np.array([255, 0]), "y": np.array([255, 255])})
    assert [value.tolist() for value in out.values()] == [[510, 255], [0, -255]]


def test_sums_of_wide_values_are_exact() -> None:
    b = Builder()
    x = b.input("x", "u24", (64, 1, 1))
    b.conv(x, 1, 1)
    case = b.case()
    (weight,) = case.arrays.values()
    image = np.full((64, 1, 1), (1 << 24) - 1)
    wanted = int(weight.sum()) * ((1 << 24) - 1)
    assert run(case.graph, case.arrays, {"x": image})["out0"].item() == wanted


def test_a_value_outside_its_type_is_our_bug() -> None:
    case = named_network("conv_3x3")
    nodes = list(case.graph.nodes)
    nodes[1] = replace(nodes[1], type=TensorType(TRIT, nodes[1].type.shape))
    wrong = replace(case.graph, nodes=tuple(nodes))
    with pytest.raises(AssertionError, match=r"`n1`: .* is outside trit"):
        interpret(wrong, case.arrays, case.inputs)


def test_a_graph_with_free_sizes_has_no_value() -> None:
    free = replace(named_network("conv_3x3").graph, symbols=("H",))
    with pytest.raises(AssertionError, match="free sizes"):
        run(free, {}, {})


def test_outputs_keep_their_order_and_inputs_are_values_too() -> None:
    case = named_network("several_outputs")
    values = interpret(case.graph, case.arrays, case.inputs)
    out = run(case.graph, case.arrays, case.inputs)
    assert list(out) == ["out0", "out1", "out2", "out3"]
    for output in case.graph.outputs:
        np.testing.assert_array_equal(out[output.name], values[output.node])
    assert sorted(values) == list(range(len(case.graph.nodes)))


def test_the_table_of_networks_has_every_operation() -> None:
    graphs: list[Graph] = [case.graph for case in named_networks()]
    used = {type(node.op) for graph in graphs for node in graph.nodes}
    # Kernels have tests of their own: no layer can stand beside them yet.
    assert used == (set(ops.Op.__args__) | {Input}) - {ops.Kernel}
