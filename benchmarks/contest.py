"""One layer, one machine -> what both organisations take, executed, predicted and at best."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.closed_forms import channels_form, pixels_form
from tdsl.compiler import Compiled, compile_graph
from tdsl.diagnostics import CompileError
from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node, Output
from tdsl.ir.infer import infer
from tdsl.ir.ops import Stored
from tdsl.ir.parameters import Arrays, Integers
from tdsl.ir.tensor_type import TRIT, Element, Kind, TensorType
from tdsl.lowering.choose import Wishes
from tdsl.lowering.organisation import Goal, Organisation
from tdsl.lowering.row_form import row_form
from tdsl.lowering.select import select
from tdsl.lowering.shared_sums import shared_sums
from tdsl.lowering.steps import DotStep
from tdsl_runtime.counters import Counter, Counters
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.energy import energy
from tdsl_runtime.isa import TABLE, Unit
from tdsl_runtime.simulator import Simulator

HEIGHT, WIDTH = 120, 160
BYTE = Element(Kind("u"), 8)
LAYER = "layer"
MICRO = 1e6
THIRD = 0.43
"""Standard deviations from the middle beyond which a third of a normal distribution lies."""
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with ternary weights and two thresholds a channel, on 160x120 pixels."""

    name: str
    channels: int
    out: int
    kernel: int
    stride: int = 1
    groups: int = 1
    element: Element = TRIT


LAYERS = (
    Layer("8 bits, 1 to 32, 3x3", 1, 32, 3, element=BYTE),
    Layer("8 bits, 3 to 32, 3x3", 3, 32, 3, element=BYTE),
    Layer("64 to 64, 3x3", 64, 64, 3),
    Layer("64 to 64, 1x1", 64, 64, 1),
    Layer("64 depth-wise, 3x3", 64, 64, 3, groups=64),
    Layer("64 depth-wise, 3x3, stride 2", 64, 64, 3, stride=2, groups=64),
)


@dataclass(frozen=True, slots=True)
class Side:
    """One organisation: cycles executed, cycles the array was predicted to work, typical uJ."""

    cycles: int
    predicted: int
    busy: int
    microjoule: float


@dataclass(frozen=True, slots=True)
class Row:
    """A layer on a machine; a side that cannot run is the sentence that says why.

    `bounds` are the closed forms in cycles.
    """

    layer: Layer
    machine: str
    sides: Mapping[Organisation, Side | str]
    bounds: Mapping[Organisation, int]
    chosen: Organisation

    def ratio(self, organisation: Organisation) -> float | None:
        """Cycles executed by the closed form; None where it cannot run."""
        side = self.sides[organisation]
        return None if isinstance(side, str) else side.cycles / self.bounds[organisation]


def network(layer: Layer) -> tuple[Graph, Arrays, Integers]:
    """The layer as a network, its weights and thresholds, and an image. Always the same."""
    random = np.random.default_rng(1)
    shape = (layer.out, layer.channels // layer.groups, layer.kernel, layer.kernel)
    weight = Stored("w", shape)
    thresholds = Stored("lo", (layer.out,)), Stored("hi", (layer.out,))
    weights: Integers = random.integers(-1, 1, shape, endpoint=True)
    size = (layer.channels, HEIGHT, WIDTH)
    pixels = TensorType(layer.element, size)
    low, high = layer.element.low, layer.element.high
    image = random.integers(low, high, size, endpoint=True)
    pad = layer.kernel // 2
    conv = ops.Conv(
        weight,
        layer.out,
        (layer.kernel, layer.kernel),
        (layer.stride, layer.stride),
        (pad, pad, pad, pad),
        (1, 1),
        layer.groups,
        0,
    )
    sums = infer(conv, (pixels,))
    ternarize = ops.Ternarize(*thresholds)
    nodes = (
        Node("img", ops.Input(), (), pixels),
        Node("sums", conv, (0,), sums),
        Node(LAYER, ternarize, (1,), infer(ternarize, (sums,))),
    )
    middle = float(image.mean()) * weights.reshape(layer.out, -1).sum(axis=1)
    taken = np.abs(weights).reshape(layer.out, -1).sum(axis=1)
    spread: FloatArray = THIRD * float(image.std()) * np.sqrt(taken)
    lo: Integers = np.rint(np.subtract(middle, spread), dtype=np.float64).astype(np.int64)
    hi: Integers = np.rint(np.add(middle, spread), dtype=np.float64).astype(np.int64)
    arrays: dict[Stored, Integers] = {weight: weights, thresholds[0]: lo, thresholds[1]: hi}
    return Graph(LAYER, (), nodes, (Output("out", 2),)), arrays, image.astype(np.int64)


@cache
def step_of(layer: Layer) -> DotStep:
    """The layer as the compiler's step."""
    graph, arrays, _ = network(layer)
    step = select(graph, arrays).steps[-1]
    assert isinstance(step, DotStep)
    return step


def contest(layer: Layer, machine: MachineDescription) -> Row:
    """Compile and execute the layer in both organisations, and let the compiler choose."""
    graph, arrays, image = network(layer)
    step = step_of(layer)
    program = row_form(step, step.out.channels, shared_sums)
    bounds = {
        Organisation.CHANNELS: channels_form(step, machine),
        Organisation.PIXELS: pixels_form(step, program, machine),
    }
    sides = {o: _side(graph, arrays, image, machine, o) for o in Organisation}
    free = compile_graph(graph, arrays, machine, None, Wishes(Goal.CYCLES))
    return Row(layer, machine.name, sides, bounds, _choice(free))


def _choice(compiled: Compiled) -> Organisation:
    return next(c.taken for c in compiled.plan.choices if c.layer == LAYER)


def _side(
    graph: Graph,
    arrays: Arrays,
    image: Integers,
    machine: MachineDescription,
    organisation: Organisation,
) -> Side | str:
    wishes = Wishes(Goal.CYCLES, {LAYER: organisation})
    try:
        compiled = compile_graph(graph, arrays, machine, None, wishes)
    except CompileError as error:
        return "; ".join(d.primary.text for d in error.diagnostics if d.primary)
    counters = Simulator(compiled.program).run({"img": image}).counters
    (choice,) = (c for c in compiled.plan.choices if c.layer == LAYER)
    spent = energy(compiled.program, counters).total[1] / MICRO
    return Side(counters.cycles, choice.cost.array, _array_busy(compiled, counters), spent)


def rows(machines: tuple[MachineDescription, ...]) -> Iterator[Row]:
    """All layers on all machines."""
    for machine in machines:
        for layer in LAYERS:
            yield contest(layer, machine)


def _array_busy(compiled: Compiled, counters: Counters) -> int:
    """Cycles that the array worked for the layer."""
    number = 1 + [step.name for step in compiled.plan.selection.steps].index(LAYER)
    busy = counters.column(Counter.BUSY)
    return sum(
        int(spent)
        for op, spent in zip(compiled.program.ops, busy, strict=True)
        if op.origin == number and TABLE[op.opcode].unit is Unit.ARRAY
    )
