"""Pixel-packed layers inside networks: exact in every engine, and priced as they are executed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tdsl.compiler import Compiled, compile_graph
from tdsl.ir.interpreter import run
from tdsl.lowering.choose import Wishes
from tdsl.lowering.organisation import Goal, Organisation
from tdsl.lowering.row_form import has_row_form
from tdsl.lowering.select import select
from tdsl.lowering.steps import DotStep
from tdsl_runtime.assembly import disassemble
from tdsl_runtime.counters import Counter
from tdsl_runtime.description import MachineDescription, load_machine
from tdsl_runtime.event_model import predict
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import TABLE, Unit
from tdsl_runtime.simulator import Simulator
from tests.builder import Builder, Case
from tests.chain.machines import machine_named
from tests.lowering.single_layers import layers

ROOMY = load_machine("nearmem-16mb")
SMALL = replace(machine_named("two-by-two"), name="tall", rows=512, program_words=1 << 16)


def packed(case: Case, machine: MachineDescription, goal: Goal = Goal.CYCLES) -> Compiled:
    """The network with every layer pixel-packed that can be."""
    steps = select(case.graph, case.arrays).steps
    layers = (step for step in steps if isinstance(step, DotStep) and has_row_form(step))
    pins = {layer.name: Organisation.PIXELS for layer in layers}
    return compile_graph(case.graph, case.arrays, machine, None, Wishes(goal, pins))


def in_rows(compiled: Compiled) -> int:
    """Layers that are pixel-packed."""
    return len(compiled.plan.rows)


def checked(case: Case, compiled: Compiled, result: Result) -> Result:
    """The result, which is the graph's."""
    for name, wanted in run(case.graph, case.arrays, case.inputs).items():
        assert np.array_equal(result.outputs[name].reshape(wanted.shape), wanted)
    return result


@settings(deadline=None, max_examples=30)
@given(layers())
def test_a_pixel_packed_layer_is_exact_in_every_engine(case: Case) -> None:
    compiled = packed(case, SMALL)
    simulated = checked(case, compiled, Simulator(compiled.program).run(case.inputs))
    interpreted = checked(case, compiled, Interpreter(compiled.program).run(case.inputs))
    assert not simulated.counters.differences(interpreted.counters)
    text = disassemble(compiled.program)
    assert predict(text, compiled.program.machine).cycles == simulated.counters.cycles


def stack(height: int, width: int) -> Case:
    """Layers of both kinds: rates, pooling, logic, a head of one pixel."""
    b = Builder("stack", seed=3)
    x = b.input("img", "u8", (1, height, width))
    a = b.ternarize(b.conv(x, 6, padding=1))
    c = b.ternarize(b.pool(b.conv(a, 8, padding=1), "max", 2))
    d = b.ternarize(b.conv(c, 8, 3, padding=1, groups=8))
    e = b.quantize(b.conv(d, 5, 3, padding=1, stride=2), "i3")
    f = b.binarize(b.conv(e, 4, 1))
    return b.case(f, d)


@pytest.mark.parametrize("size", [(9, 7), (17, 40), (64, 63), (65, 130)])
@pytest.mark.parametrize("machine", [SMALL, ROOMY], ids=["tall", "nearmem-16mb"])
def test_layers_of_both_organisations_follow_each_other(
    size: tuple[int, int], machine: MachineDescription
) -> None:
    case = stack(*size)
    compiled = packed(case, machine)
    assert in_rows(compiled) >= 4
    fused = checked(case, compiled, Simulator(compiled.program).run(case.inputs))
    unfused = checked(case, compiled, Simulator(compiled.program, fuse=False).run(case.inputs))
    assert not fused.counters.differences(unfused.counters)
    channels = compile_graph(case.graph, case.arrays, machine)
    checked(case, channels, Simulator(channels.program).run(case.inputs))


def test_what_is_predicted_is_what_the_array_works() -> None:
    """The difference: first and last spans of a line are priced as whole lines are."""
    case = stack(48, 70)
    compiled = packed(case, ROOMY)
    counters = Simulator(compiled.program).run(case.inputs).counters
    busy = counters.column(Counter.BUSY)
    units = np.array([TABLE[op.opcode].unit for op in compiled.program.ops])
    origins = np.array([op.origin for op in compiled.program.ops])
    for number, step in enumerate(compiled.plan.selection.steps):
        found = [c for c in compiled.plan.choices if c.layer == step.name]
        if found:
            chosen = (origins == number + 1) & (units == Unit.ARRAY)
            assert busy[chosen].sum() == found[0].cost.array, step.name


def test_the_goal_decides() -> None:
    b = Builder("depth-wise")
    x = b.input("img", "trit", (64, 30, 40))
    case = b.case(b.ternarize(b.conv(x, 64, padding=1, groups=64)))
    taken = {
        goal: compile_graph(case.graph, case.arrays, ROOMY, None, Wishes(goal)).plan.choices[0]
        for goal in Goal
    }
    for goal, choice in taken.items():
        if choice.rejected is not None:
            assert goal.of(choice.cost) <= goal.of(choice.rejected)
    assert taken[Goal.ENERGY].rejected is not None
    assert taken[Goal.CYCLES].taken is Organisation.CHANNELS
    assert taken[Goal.ENERGY].taken is Organisation.PIXELS
