"""Free sizes from `--size` and from the shapes of inputs."""

import pytest

from tdsl.diagnostics import CompileError
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import Input
from tdsl.ir.size import Size, symbol
from tdsl.ir.tensor_type import TensorType, unsigned
from tdsl.sizes import input_ports, parse_size, sizes_from_shapes, sizes_from_size

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
