"""Programs and feature memory do not grow with the height of the image."""

from pathlib import Path

import pytest

from tdsl.compiler import Compiled, compile_graph
from tdsl.frontend.checker import check_module, load
from tdsl.frontend.parser import parse
from tdsl.ir.graph import Graph
from tdsl.ir.parameters import Arrays
from tdsl.random_values import random_weights
from tdsl.resources import samples_folder
from tdsl_runtime.description import MachineDescription, load_machine
from tests.builder import Builder
from tests.chain.machines import machine_named
from tests.conftest import Golden

SAMPLES = samples_folder()
HEIGHTS = (120, 121, 1080)
FULL = load_machine("nearmem-16mb")


def stack(height: int, width: int, channels: int = 8) -> tuple[Graph, Arrays]:
    """Three layers of trits; the builder's image is not used."""
    b = Builder("stack")
    x = b.input("img", "trit", (3, height, width))
    for _ in range(3):
        x = b.ternarize(b.conv(x, channels, padding=1), "tensor")
    case = b.case(x)
    return case.graph, case.arrays


def lengths(compiled: Compiled) -> tuple[int, int]:
    """Micro-ops and words."""
    return len(compiled.program.ops), len(compiled.program.code)


@pytest.mark.parametrize("base", ["few-rows", "four-by-four", "narrow-lanes"])
def test_a_streamed_stack_has_one_length(base: str) -> None:
    machine = machine_named(base)
    found: list[Compiled] = []
    for height in HEIGHTS:
        graph, arrays = stack(height, 160)
        found.append(compile_graph(graph, arrays, machine))
    assert {one.plan.strategy for one in found} == {"stream"}
    assert len({lengths(one) for one in found}) == 1
    assert len({one.plan.feature_trits for one in found}) == 1


@pytest.mark.parametrize("width", [24, 160])
@pytest.mark.parametrize("name", ["nearmem-1mb", "nearmem-16mb", "cutie-lanes"])
def test_a_network_of_any_size_has_one_length_also_where_small_images_fit_whole(
    name: str, width: int
) -> None:
    net = any_size_stack()
    found = [
        compile_graph(net, random_weights(net), load_machine(name), {"H": height, "W": width})
        for height in (24, *HEIGHTS)
    ]
    assert len({lengths(one) for one in found}) == 1


@pytest.mark.parametrize("name", ["nearmem-16mb", "cutie-lanes"])
def test_odd_and_even_heights_have_one_length_where_tensors_are_held_whole(name: str) -> None:
    machine = load_machine(name)
    found = [compile_graph(*stack(height, 24), machine) for height in (24, 25, 30, 31)]
    assert {one.plan.strategy for one in found} == {"whole"}
    assert len({lengths(one) for one in found}) == 1


def any_size_stack() -> Graph:
    """Three layers for an image of any size."""
    text = """tnn 1
weights P = "none.npz"
network stack[H, W](img: u8[1, H, W]) -> out: trit[16, H, W] from P {
    a = img -> thermometer(8) -> conv(16, 3x3) -> ternarize
    b = a -> conv(16, 3x3) -> ternarize
    return b -> c: conv(16, 3x3) -> ternarize
}
"""
    module, mistakes = parse(text, "stack.tnn")
    assert not mistakes
    return check_module(module, Path(), require_weights=False).networks["stack"].graph


def sample(name: str, height: int, width: int, machine: MachineDescription) -> Compiled:
    """A fully convolutional sample for one size of image."""
    (net,) = load(SAMPLES / name / f"{name}.tnn").networks.values()
    symbols = dict(zip(net.graph.symbols, (height, width), strict=True))
    return compile_graph(net.graph, net.arrays, machine, symbols)


@pytest.mark.parametrize("name", ["first", "denoise"])
def test_a_sample_has_one_length_for_every_height(name: str) -> None:
    found = [sample(name, height, 160, FULL) for height in HEIGHTS]
    assert len({lengths(one) for one in found}) == 1


def test_the_memory_of_a_streamed_sample_depends_on_the_width_alone(golden: Golden) -> None:
    lines: list[str] = []
    for width, height in ((160, 120), (640, 480), (1920, 1080)):
        one = sample("denoise", height, width, FULL)
        low = sample("denoise", height - 7, width, FULL)
        assert one.plan.strategy == low.plan.strategy == "stream"
        assert one.plan.feature_trits == low.plan.feature_trits
        assert lengths(one) == lengths(low)
        micro_ops, words = lengths(one)
        figures = f"{one.plan.feature_trits} feature trits, {micro_ops} micro-ops, {words} words"
        lines.append(f"{width}x{height}: {figures}, {one.plan.strips} strips")
    golden("mapping", "denoise_sizes", "\n".join(lines) + "\n")
