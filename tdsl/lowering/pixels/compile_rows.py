"""A row program, an image size and a machine -> the machine's program."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tdsl.diagnostics import CompileError
from tdsl.lowering.pixels.code import TileCode
from tdsl.lowering.pixels.estimate import Estimate, ImageCost, Passage, Ports, ranked
from tdsl.lowering.pixels.image_plan import ImagePlan
from tdsl.lowering.pixels.image_program import image_ops
from tdsl.lowering.pixels.masks import mask_count
from tdsl.lowering.pixels.order import as_written, deepest_first
from tdsl.lowering.pixels.overlap import Overlap, place, sensible_overlaps
from tdsl.lowering.pixels.places import PortSink, PortSource
from tdsl.lowering.pixels.refusals import (
    beyond_field,
    too_large,
    too_long,
    too_many_columns,
    too_many_rows,
)
from tdsl.lowering.pixels.tile_code import tile_code
from tdsl.lowering.pixels.tiling import Tiling, tilings
from tdsl.lowering.pixels.translate import translate
from tdsl.rows.ir import Range, Reduction, RowProgram
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.encoding import encode
from tdsl_runtime.isa import FieldError
from tdsl_runtime.program import Origin, Port, Program


def compile_rows(
    program: RowProgram, height: int, width: int, machine: MachineDescription
) -> Program:
    """Compile a row program for images of `height x width`.

    Ports bear the names of inputs, outputs and totals; totals are images of one pixel. Raises
    CompileError (K0112) where the machine does not hold what the program needs.
    """
    plan = plan_rows(program, height, width, machine)
    try:
        made = assemble(plan, height, width, machine)
    except FieldError as error:
        span = plan.spans[error.origin - 1] if error.origin else program.values[-1].span
        raise CompileError([beyond_field(program, error, span)]) from error
    if len(made.code) > machine.program_words:
        raise CompileError([too_long(program, made)])
    return made


def plan_rows(
    program: RowProgram, height: int, width: int, machine: MachineDescription
) -> ImagePlan:
    """The cheapest way to work through an image, by predicted cycles. Raises CompileError."""
    if refused := list(too_large(program)):
        raise CompileError(refused)
    tried: list[ImagePlan] = []
    for share in (True, False):
        found = list(candidates(program, height, width, machine, share))
        for number in ranked(candidate.estimate for candidate in found):
            plan = found[number].plan()
            if plan.placed.assignment.rows <= PLANES * machine.rows:
                return plan
            tried.append(plan)
    if not tried:
        raise CompileError([too_many_columns(program, machine)])
    least = min(tried, key=lambda plan: plan.placed.assignment.rows)
    raise CompileError([too_many_rows(program, least, machine)])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to work through an image, and what it takes, about."""

    program: RowProgram
    code: TileCode
    tiling: Tiling
    overlap: Overlap
    estimate: Estimate

    def plan(self) -> ImagePlan:
        """The candidate with bit rows."""
        masks = mask_count(self.tiling) if self.code.mask is not None else 0
        placed = place(self.code, self.overlap, self.tiling.layout.lines, masks)
        return ImagePlan(self.program, self.code, self.tiling, self.overlap, placed)


def candidates(
    program: RowProgram, height: int, width: int, machine: MachineDescription, share: bool
) -> Iterator[Candidate]:
    """The best tiling of every order of values and kind of overlap."""
    codes = tuple(_codes(program, share))
    regions = [load.region for load in codes[0].loads]
    cuts = tuple(tilings(height, width, program.stride, regions, machine))
    for code in codes:
        cost = ImageCost(code, ports_of(program, code), program.stride, machine)
        for overlap in sensible_overlaps(regions):
            fitting = [t for t in cuts if t.down > 1 or not overlap.keep]
            found = [cost.estimate(tiling, overlap) for tiling in fitting]
            for best in ranked(found)[:1]:
                yield Candidate(program, code, fitting[best], overlap, found[best])


def _codes(program: RowProgram, share: bool) -> Iterator[TileCode]:
    """The code of a tile in several forms and orders."""
    sources = [PortSource(k) for k in range(len(program.inputs))]
    sinks = [PortSink(k) for k in range(len(program.outputs))]
    for form in dict.fromkeys((translate(program), program)):
        for order in dict.fromkeys((deepest_first(form), as_written(form))):
            yield tile_code(form, sources, sinks, order, share=share)


def assemble(plan: ImagePlan, height: int, width: int, machine: MachineDescription) -> Program:
    """The program of a plan."""
    program = plan.program
    ops = image_ops(plan, {span: 1 + number for number, span in enumerate(plan.spans)})
    row = (2, machine.words, machine.macros)
    return Program(
        network=program.name,
        machine=machine,
        code=encode(ops),
        code_origins=np.array([op.origin for op in ops], dtype=np.int32),
        rows=np.zeros(0, np.int64),
        row_data=np.zeros((0, *row), np.uint64),
        external=np.zeros((0, *row), np.uint64),
        inputs=tuple(
            Port(i.name, i.channels, height, width, i.range.low, i.range.high)
            for i in program.inputs
        ),
        outputs=_outputs(program, height, width),
        origins=(
            Origin(program.name, 0, "set-up and control"),
            *(Origin(program.name, span.line, "") for span in plan.spans),
        ),
    )


def ports_of(program: RowProgram, code: TileCode) -> Ports:
    """What passes the ports for a tile."""
    reads = [
        Passage(program.inputs[load.channel.port].range.bits, load.rows.count, load.region)
        for load in code.loads
    ]
    writes = [
        Passage(program.outputs[store.channel.port].range.bits, store.rows.count)
        for store in code.stores
    ]
    return Ports(tuple(reads), tuple(writes))


def _outputs(program: RowProgram, height: int, width: int) -> tuple[Port, ...]:
    """The ports of outputs, then of totals."""
    lines, pixels = -(-height // program.stride[0]), -(-width // program.stride[1])
    images = [
        Port(o.name, len(o.values), lines, pixels, o.range.low, o.range.high)
        for o in program.outputs
    ]
    totals: list[Port] = []
    for total in program.totals:
        reach = [_total_range(program, v, total.reduction, height * width) for v in total.values]
        low, high = min(r.low for r in reach), max(r.high for r in reach)
        totals.append(Port(total.name, len(total.values), 1, 1, low, high))
    return (*images, *totals)


def _total_range(program: RowProgram, value: int, reduction: Reduction, pixels: int) -> Range:
    given = program.values[value].range
    if reduction is Reduction.ANY:
        return Range(0, 1)
    return Range(given.low * pixels, given.high * pixels)
