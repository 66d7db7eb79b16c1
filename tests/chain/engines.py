"""Networks through the whole chain: compiled once for each machine, and run by every engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from tdsl.compiler import Compiled, compile_graph
from tdsl.diagnostics import CompileError
from tdsl.ir.interpreter import run
from tdsl.ir.parameters import Integers
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.program import Program
from tdsl_runtime.simulator import Simulator
from tests.networks import Case, named_network

Engine = Callable[[Program, Mapping[str, Integers]], Result]


def _interpreted(program: Program, images: Mapping[str, Integers]) -> Result:
    return Interpreter(program).run(images)


def _fused(program: Program, images: Mapping[str, Integers]) -> Result:
    return Simulator(program, fuse=True).run(images)


def _unfused(program: Program, images: Mapping[str, Integers]) -> Result:
    return Simulator(program, fuse=False).run(images)


ENGINES: dict[str, Engine] = {
    "interpreter": _interpreted,
    "fused": _fused,
    "unfused": _unfused,
}
"""Everything that can run a program."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A network compiled for a machine, with the images it is run on and what must come out."""

    case: Case
    compiled: Compiled
    images: Mapping[str, Integers]
    expected: Mapping[str, Integers]

    @cached_property
    def fused(self) -> Result:
        """What the simulator gives."""
        return _fused(self.compiled.program, self.images)

    def check(self, engine: Engine) -> Result:
        """Run on an engine; every output must be the reference's."""
        result = engine(self.compiled.program, self.images)
        for name, wanted in self.expected.items():
            got = result.outputs[name].reshape(wanted.shape)
            assert np.array_equal(got, wanted), f"{name}: {int((got != wanted).sum())} differ"
        return result


def images(inputs: Mapping[str, Integers]) -> dict[str, Integers]:
    """The inputs of a network as ports take them: vectors are images of one pixel."""
    return {name: as_image(value) for name, value in inputs.items()}


def as_image(value: Integers) -> Integers:
    """`[C]` as `[C, 1, 1]`; images as they are."""
    return value if value.ndim == 3 else value[:, None, None]


def chain(case: Case, machine: MachineDescription) -> Chain | None:
    """A network through compiler and reference; None where the machine has no room for it.

    Every other refusal is an error.
    """
    try:
        compiled = compile_graph(case.graph, case.arrays, machine)
    except CompileError as error:
        if [d.code for d in error.diagnostics] != ["E0802"]:
            raise
        return None
    return Chain(case, compiled, images(case.inputs), run(case.graph, case.arrays, case.inputs))


@cache
def named_chain(name: str, machine: MachineDescription) -> Chain | None:
    """A network of the table through compiler and reference."""
    return chain(named_network(name), machine)


def plan_kind(compiled: Compiled) -> tuple[str, ...]:
    """What is special about a mapping, in words: for counting what tests have met."""
    plan = compiled.plan
    dots = plan.dots.values()
    traits = {
        "strips": plan.strips > 1,
        "paged": plan.paged,
        "groups": any(dot.parallelism.groups > 1 for dot in dots),
        "segments": any(dot.parallelism.segments > 1 for dot in dots),
        "passes": any(len(dot.passes) > 1 for dot in dots),
        "window": any(piece.lines > 1 for d in dots for p in d.passes for piece in p.pieces),
    }
    return (plan.strategy, *(name for name, holds in traits.items() if holds))
