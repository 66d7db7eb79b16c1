"""Layer by layer: nothing is found in good programs, the first culprit in bad ones."""

from dataclasses import replace

import pytest

from tdsl.compare import Difference, first_difference
from tdsl.compiler import Compiled
from tdsl.ir.interpreter import interpret
from tdsl.lowering.steps import DotStep
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import TABLE, Opcode, micro_op
from tdsl_runtime.program import Program
from tests.chain.engines import Chain, named_chain
from tests.chain.machines import machine_named
from tests.chain.tight import tight_machines

NETWORKS = ("mux_pixels", "pixel_shuffle", "max_pool_on_trits", "global_avg_pool")
BASE = machine_named("few-rows")


def mapped(name: str, strategy: str, *, strips: bool = False) -> Chain:
    """A network with resident weights, mapped by a strategy, in strips or not."""
    for machine in tight_machines(name, BASE):
        found = named_chain(name, machine)
        assert found is not None
        plan = found.compiled.plan
        if (plan.strategy, plan.strips > 1, plan.paged) == (strategy, strips, False):
            return found
    raise AssertionError(f"{name} is never mapped so")


def spoilt(compiled: Compiled, number: int) -> Program:
    """The program with the weights of a step negated."""
    program, dot = compiled.program, compiled.plan.dots[number]
    data = program.row_data.copy()
    rows = slice(dot.row, dot.row + dot.rows)
    data[rows, 1] = data[rows, 0] & ~data[rows, 1]
    return replace(program, row_data=data)


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_differs_in_a_good_program(name: str) -> None:
    for machine in tight_machines(name, BASE):
        found = named_chain(name, machine)
        assert found is not None
        assert first_difference(found.compiled, found.case.inputs) is None


@pytest.mark.parametrize(
    ("name", "strategy", "strips"),
    [
        ("denoiser", "stream", True),
        ("classifier", "whole", False),
        ("several_outputs", "stream", True),
    ],
)
def test_wrong_weights_are_found_in_their_layer(name: str, strategy: str, strips: bool) -> None:
    found = mapped(name, strategy, strips=strips)
    for number, step in enumerate(found.compiled.plan.selection.steps):
        if not isinstance(step, DotStep):
            continue
        difference = first_difference(
            found.compiled, found.case.inputs, spoilt(found.compiled, number)
        )
        assert difference is not None
        assert difference.layer == step.name


def test_the_first_value_is_named_with_its_place() -> None:
    found = mapped("max_pool_on_trits", "stream")
    program, dot = found.compiled.program, found.compiled.plan.dots[1]
    data = program.row_data.copy()
    data[dot.row : dot.row + dot.rows, :, :, 5] = 0
    difference = first_difference(
        found.compiled, found.case.inputs, replace(program, row_data=data)
    )
    assert difference is not None
    assert (difference.layer, difference.channel) == ("n2", 5)
    right = interpret(found.case.graph, found.case.arrays, found.case.inputs)[2]
    assert difference.expected == right[5, difference.y, difference.x] != difference.got
    zero_weights = difference.got
    before = right[5].reshape(-1)[: difference.y * right.shape[2] + difference.x]
    assert (before == zero_weights).all()


def test_a_wrong_output_of_right_layers_is_named() -> None:
    found = mapped("several_outputs", "whole")
    program = found.compiled.program
    ops = list(program.ops)
    at = next(k for k, op in enumerate(ops) if op.opcode is Opcode.DMAOUT and op["port"] == 2)
    fields = {f.name: v for f, v in zip(TABLE[Opcode.DMAOUT].fields, ops[at].values, strict=True)}
    ops[at] = micro_op(Opcode.DMAOUT, ops[at].origin, **{**fields, "limit": fields["limit"] - 1})
    spoiled = replace(program, code=encode(ops))
    difference = first_difference(found.compiled, found.case.inputs, spoiled)
    assert difference is not None
    assert (difference.layer, difference.x) == ("out2", fields["limit"] - 1)


def test_it_reads_as_a_sentence() -> None:
    text = str(Difference("conv1", 3, 0, 12, -1, 1))
    assert text == "`conv1` differs first in channel 3 at line 0, pixel 12: 1 instead of -1"
