"""Free sizes from `--size` and from the shapes of inputs."""

from pathlib import Path

import pytest

from tdsl.diagnostics import CompileError
from tdsl.free_sizes import input_ports, parse_size, sizes_from_shapes, sizes_from_size
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Input
from tdsl.ir.size import Size, symbol
from tdsl.ir.tensor_type import TensorType, unsigned
from tdsl.random_values import random_inputs
from tdsl.resources import samples_folder
from tests.cli.conftest import Command

FIRST = samples_folder() / "first" / "first.tnn"
H, W = symbol("H"), symbol("W")


def network(*shapes: tuple[Size, ...]) -> Graph:
    nodes = tuple(
        Node(f"in{i}", Input(), (), TensorType(unsigned(8), shape))
        for i, shape in enumerate(shapes)
    )
    return Graph("net", ("H", "W"), nodes, ())


def code(graph: Graph, **shapes: tuple[int, ...]) -> str:
    with pytest.raises(CompileError) as caught:
        sizes_from_shapes(graph, shapes)
    return caught.value.diagnostics[0].code


def test_a_size_is_width_by_height() -> None:
    assert parse_size("160x120") == (160, 120)
    assert sizes_from_size(network((1, H, W)), (160, 120)) == {"H": 120, "W": 160}


@pytest.mark.parametrize("text", ["", "160", "0x1", "-1x2", "1.5x2", "160x120x3", "9999999x1"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(CompileError) as caught:
        parse_size(text)
    assert caught.value.diagnostics[0].code == "E0709"


def test_a_multiple_of_a_symbol_is_solved() -> None:
    graph = network((1, 2 * H + 1, W), (1, H, W))
    assert sizes_from_shapes(graph, {"in0": (1, 9, 5)}) == {"H": 4, "W": 5}
    assert code(graph, in0=(1, 8, 5)) == "E0704"


def test_inputs_must_agree() -> None:
    graph = network((1, H, W), (1, H, W))
    assert sizes_from_shapes(graph, {"in0": (1, 3, 4), "in1": (1, 3, 4)}) == {"H": 3, "W": 4}
    assert code(graph, in0=(1, 3, 4), in1=(1, 3, 5)) == "E0704"


def test_a_symbol_under_a_floor_must_be_known_from_elsewhere() -> None:
    graph = network((1, H // 2, W), (1, H, W))
    assert code(graph, in0=(1, 3, 4)) == "E0709"
    assert sizes_from_shapes(graph, {"in1": (1, 7, 4), "in0": (1, 3, 4)})["H"] == 7


def test_free_sizes_need_a_size() -> None:
    with pytest.raises(CompileError) as caught:
        sizes_from_size(network((1, H, W)), None)
    assert caught.value.diagnostics[0].code == "E0709"


def test_a_vector_has_no_width() -> None:
    with pytest.raises(CompileError) as caught:
        sizes_from_size(network((10,)), (4, 4))
    assert caught.value.diagnostics[0].code == "E0709"


def test_free_extents_are_open_in_ports() -> None:
    (port,) = input_ports(network((3, H, W // 2)))
    assert (port.shape, port.low, port.high) == ((3, None, None), 0, 255)


def test_inputs_beyond_the_memory_are_refused_with_figures() -> None:
    node = Node("x", Input(), (), TensorType(unsigned(8), (1, 1 << 20, 1 << 20)))
    with pytest.raises(CompileError) as caught:
        random_inputs(Graph("net", (), (node,), ()))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("E0704", 0)
    assert f"{1 << 40:,} values" in diagnostic.message
    assert diagnostic.helps


POOLED = """tnn 1

network pooled[H, W](x: trit[1, H, W]) -> y: trit[1, H // 300, W // 300] {
    return x -> maxpool(300)
}
"""


@pytest.mark.parametrize("arguments", [["cost"], ["show"], ["compile", "-o", "x.tprog"]])
def test_a_size_that_does_not_fit_is_quoted(
    command: Command, tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "pooled.tnn").write_text(POOLED)
    name, *options = arguments
    done = command(name, tmp_path / "pooled.tnn", "--size", "9x5", *options)
    assert done.status == 1
    assert "error[E0309]" in done.err
    assert f"{tmp_path}/pooled.tnn:4:17\n" in done.err
    assert "4 |     return x -> maxpool(300)\n  |                 ^^^^^^^^^^^^ " in done.err
    assert "= help: " in done.err


def test_a_network_that_does_not_fit_the_machine_is_quoted(command: Command) -> None:
    done = command("cost", FIRST, "--size", "999999x9")
    assert done.status == 1
    assert "error[E0802]" in done.err
    assert f"{FIRST}:8:21\n" in done.err
    assert "8 | network first[H, W](img: u8[1, H, W])" in done.err
