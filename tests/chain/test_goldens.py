"""Every stage of a few networks as text: graph, mapping and assembly."""

from dataclasses import replace

import pytest

from tdsl.compiler import Compiled, compile_graph
from tdsl.frontend.checker import load
from tdsl.ir.printer import print_graph
from tdsl.lowering.printer import print_mapping
from tdsl.resources import samples_folder
from tdsl_runtime.assembly import disassemble
from tests.chain.engines import named_chain
from tests.chain.machines import machine_named
from tests.conftest import Golden

FIRST = samples_folder() / "first" / "first.tnn"
SHOWN = {
    "conv_3x3": machine_named("nearmem-1mb"),
    "max_pool_on_trits": machine_named("cutie-lanes"),
    "mux_channels": machine_named("csram-128"),
    "denoiser": replace(machine_named("few-rows"), rows=31),
    "classifier": machine_named("nearmem-1mb"),
    "linear_64": machine_named("two-by-two"),
    "pixel_shuffle": machine_named("narrow-lanes"),
}


def compiled(name: str) -> Compiled:
    found = named_chain(name, SHOWN[name])
    assert found is not None
    return found.compiled


def first() -> Compiled:
    (net,) = load(FIRST).networks.values()
    sizes = {"H": 120, "W": 160}
    return compile_graph(net.graph, net.arrays, machine_named("nearmem-1mb"), sizes)


@pytest.mark.parametrize("name", SHOWN)
def test_mapping(name: str, golden: Golden) -> None:
    golden("mapping", name, print_mapping(compiled(name).plan))


@pytest.mark.parametrize("name", SHOWN)
def test_assembly(name: str, golden: Golden) -> None:
    golden("assembly", name, disassemble(compiled(name).program))


def test_the_first_sample(golden: Golden) -> None:
    one = first()
    golden("graph", "first", print_graph(one.graph))
    golden("mapping", "first", print_mapping(one.plan))
    golden("assembly", "first", disassemble(one.program))


def test_the_graph_that_is_lowered(golden: Golden) -> None:
    golden("graph", "classifier_lowered", print_graph(compiled("classifier").graph))
