"""The pipeline: a checked network, a machine and sizes -> a program. One straight line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.ir.graph import Graph, Node
from tdsl.ir.parameters import Arrays
from tdsl.ir.specialize import specialize
from tdsl.lowering.allocate import Misfit
from tdsl.lowering.choose import Wishes, choose
from tdsl.lowering.emit import emit
from tdsl.lowering.image import memory_image
from tdsl.lowering.organisation import Organisation
from tdsl.lowering.plan import Plan
from tdsl.lowering.select import select
from tdsl.passes.eliminate_dead_nodes import eliminate_dead_nodes
from tdsl.passes.fold_pools import fold_pools
from tdsl.passes.pipeline import Model, Pass, run_passes
from tdsl_runtime.description import MachineDescription
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import FieldError, Opcode
from tdsl_runtime.program import Port, Program

NO_WISHES = Wishes()
"""The fewest cycles, every layer as the compiler likes."""

DEFAULT_PASSES: tuple[Pass, ...] = (eliminate_dead_nodes, fold_pools)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program with what it came from: graph (sizes fixed, passes applied), its arrays, plan."""

    graph: Graph
    arrays: Arrays
    plan: Plan
    program: Program


def compile_graph(
    graph: Graph,
    arrays: Arrays,
    machine: MachineDescription,
    sizes: Mapping[str, int] | None = None,
    wishes: Wishes = NO_WISHES,
) -> Compiled:
    """Compile a network for one machine and one image size.

    Raises CompileError where the sizes break a condition or the network does not fit.
    """
    fixed = specialize(graph, sizes or {})
    model = run_passes(Model(fixed, arrays), DEFAULT_PASSES)
    selection = select(model.graph, model.arrays)
    plan = choose(selection, machine, wishes, any_size=bool(graph.symbols))
    if isinstance(plan, Misfit):
        raise CompileError([_misfit(model.graph, machine, plan)])
    _check_pins(model.graph, plan, wishes)
    try:
        program = assemble(plan)
    except FieldError as error:
        raise CompileError([_beyond_field(model.graph, plan, error)]) from error
    for misfit in _overflows(program):
        raise CompileError([_misfit(model.graph, machine, misfit)])
    return Compiled(model.graph, model.arrays, plan, program)


def assemble(plan: Plan) -> Program:
    """The program of a plan."""
    ops, origins = emit(plan)
    image = memory_image(plan)
    selection = plan.selection
    return Program(
        network=selection.network,
        machine=plan.machine,
        code=encode(ops),
        code_origins=np.array([op.origin for op in ops], dtype=np.int32),
        rows=image.rows,
        row_data=image.data,
        external=image.external,
        inputs=tuple(
            Port(p.name, p.channels, p.height, p.width, p.low, p.high) for p in selection.inputs
        ),
        outputs=tuple(
            Port(
                r.name,
                1 if r.argmax else r.tensor.channels,
                r.tensor.height,
                r.tensor.width,
                r.low,
                r.high,
            )
            for r in selection.results
        ),
        origins=origins,
    )


def _check_pins(graph: Graph, plan: Plan, wishes: Wishes) -> None:
    """Every organisation that the source gives is the one taken. Raises CompileError."""
    taken = {choice.layer: choice for choice in plan.choices}
    nodes = {node.name: node for node in graph.nodes}
    for name, organisation in wishes.pinned.items():
        choice = taken.get(name)
        if choice is None and name in nodes:
            reason = "it is not a layer by itself, but part of the next one"
        elif choice is not None and choice.taken is not organisation:
            reason = choice.note
        else:
            continue
        raise CompileError([_unpinned(nodes[name], organisation, reason)])


def _unpinned(node: Node, organisation: Organisation, reason: str) -> Diagnostic:
    return Diagnostic(
        code="E0503",
        message=f"`{node.name}` cannot be laid out as `{organisation}`",
        primary=Label(node.span, reason),
        helps=("leave its layout out: the compiler chooses by cost",),
    )


def _overflows(program: Program) -> Iterator[Misfit]:
    """What of a program its sequencer cannot hold."""
    machine = program.machine
    if len(program.code) > machine.program_words:
        yield Misfit("program memory", len(program.code), machine.program_words, "words")
    buffers = sum(op.opcode is Opcode.BUF for op in program.ops)
    if buffers > machine.buffers:
        yield Misfit("line buffers", buffers, machine.buffers, "descriptors")
    tokens = max((op["token"] for op in program.ops if op.opcode is Opcode.WAIT), default=0) + 1
    if tokens > machine.tokens:
        yield Misfit("synchronisation", tokens, machine.tokens, "token queues")


def _beyond_field(graph: Graph, plan: Plan, error: FieldError) -> Diagnostic:
    step = plan.selection.steps[error.origin - 1] if error.origin else None
    span = step.span if step is not None and step.span is not None else graph.nodes[0].span
    name = step.name if step is not None else graph.name
    return Diagnostic(
        code="E0801",
        message=f"`{name}` cannot run on the array: a number is too large for the instruction set",
        primary=Label(span, str(error)),
        helps=("choose smaller strides, windows, sizes or constants",),
    )


def _misfit(graph: Graph, machine: MachineDescription, misfit: Misfit) -> Diagnostic:
    return Diagnostic(
        code="E0802",
        message=f"`{graph.name}` does not fit `{machine.name}`",
        primary=Label(graph.nodes[0].span, str(misfit)),
        notes=(
            f"`{machine.name}` has {machine.macros} macros of {machine.rows} rows"
            f" x {machine.columns} trits = {machine.trits:,} trits",
        ),
        helps=("choose a larger machine (`tdsl machines`), a smaller image, or fewer channels",),
    )
