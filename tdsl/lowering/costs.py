"""What a layer costs in either organisation, before any program is made of it.

The micro-ops of a turn are emitted as they will be and priced with the machine's own table: cycles
exactly, but for what waits for other layers; energy with the ones that data usually has.
"""

from collections import Counter as Tally
from collections.abc import Iterable, Mapping

from tdsl.lowering.clock import Clock
from tdsl.lowering.dot_geometry import dot_geometry
from tdsl.lowering.emit_dot import emit_dot
from tdsl.lowering.emit_rows import row_ops
from tdsl.lowering.frame import Frame
from tdsl.lowering.organisation import StepCost
from tdsl.lowering.plan import DotPlan, Place, Plan, Turn
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.schedule import count, stage_of_one
from tdsl.lowering.steps import DotStep, RowStep, Selection, Step, Tensor
from tdsl_runtime.counters import Counter
from tdsl_runtime.description import PLANES, MachineDescription
from tdsl_runtime.energy import picojoules
from tdsl_runtime.isa import TABLE, MicroOp, Opcode, Unit
from tdsl_runtime.timing import Extent, cost, immediate_bits, new_trits

ONES = 0.75
"""Set bits, both planes, of a trit on a channel: half of the trits 0, half of the others -1."""


def dot_cost(step: DotStep, form: DotPlan, machine: MachineDescription) -> StepCost:
    """The channel-packed organisation."""
    plan = _alone(step, machine, dots={0: form})
    frame = Frame(plan)
    emit_dot(frame, dot_geometry(plan, 0), Clock(Turn(0, 1, 0, count(step))), (0, 1))
    priced = [_dot_op(op, step, machine) for op in frame.writer.code]
    return _total(priced, count(step))


def row_cost(
    step: RowStep, rows: RowPlan, machine: MachineDescription, any_size: bool = False
) -> StepCost:
    """The pixel-packed organisation, transposition from and to line buffers included.

    For images of `any_size`: a band in the middle, times the bands, parts of them counted.
    """
    plan = _alone(step, machine, rows={0: rows})
    ops = row_ops(Frame(plan), step, rows, Clock(Turn(0, 1, 0, count(step))))
    tiles = _middle if any_size else _tiles
    return _total((_row_op(op, rows, tiles(op, step, rows), machine) for op in ops), 1)


Priced = tuple[Unit, float, float]
"""Unit, cycles, pJ."""


def _total(priced: Iterable[Priced], times: int) -> StepCost:
    busy = {Unit.ARRAY: 0.0, Unit.POST: 0.0}
    energy = 0.0
    for unit, cycles, joules in priced:
        if unit in busy:
            busy[unit] += cycles
        energy += joules
    return StepCost(round(busy[Unit.ARRAY] * times), round(busy[Unit.POST] * times), energy * times)


def _alone(
    step: Step,
    machine: MachineDescription,
    dots: dict[int, DotPlan] | None = None,
    rows: dict[int, RowPlan] | None = None,
) -> Plan:
    """A plan of the step and nothing else; its tensors lie wherever they like."""
    selection = Selection("", (), (step,), ())
    places = {t.index: Place(0, 1, t.width, t.width, 0) for t in (step.out, *step.sources)}
    stages = (stage_of_one(selection, 0),)
    return Plan(selection, machine, "alone", 1, stages, dots or {}, rows or {}, places, 0, 0, 0)


def _dot_op(op: MicroOp, step: DotStep, machine: MachineDescription) -> Priced:
    counts = {Counter.EXECUTED: 1.0}
    unit = TABLE[op.opcode].unit
    if unit is Unit.SEQUENCER:
        return unit, 0, picojoules(op, counts, machine)
    pixels = 0 if op.opcode is Opcode.TLOAD else min(op["span"], op["limit"])
    pitch = step.terms[0].source.channels
    spent = cost(machine, op, Extent(pixels=pixels, pitch=pitch, planes=step.out.planes))
    counts |= {Counter.ITEMS: spent.items, Counter.PIXELS: pixels}
    if op.opcode is Opcode.DOT:
        trits = _travelled(op, pixels, new_trits(machine, op, pitch))
        counts |= {Counter.TRITS: trits, Counter.ONES: ONES * trits}
    elif op.opcode is Opcode.STORE:
        counts[Counter.TRITS] = pixels * op["macros"] * step.out.planes
    return unit, spent.busy, picojoules(op, counts, machine)


def _travelled(op: MicroOp, pixels: int, new: int) -> int:
    """Trits on the channels: all for the pixels of the first step, then what is new."""
    first = min(pixels, op["groups"] * op["segments"])
    return op["lines"] * (first * op["len"] + (pixels - first) * new)


Tiles = Mapping[int, float]
"""Pixels inside the image that a transposition moves in a tile -> in how many tiles."""


def _row_op(op: MicroOp, rows: RowPlan, tiles: Tiles, machine: MachineDescription) -> Priced:
    """A micro-op in all tiles of a frame."""
    macros = rows.layout.macros
    cycles = 0.0
    joules = 0.0
    for pixels, times in tiles.items():
        spent = cost(machine, op, Extent(pixels=pixels, macros=macros))
        counts = {
            Counter.EXECUTED: 1.0,
            Counter.ITEMS: spent.items,
            Counter.PIXELS: pixels,
            Counter.TRITS: _bit_rows(op) * macros * machine.columns,
        }
        cycles += times * spent.busy
        joules += times * picojoules(op, counts, machine)
    return Unit.ARRAY, cycles, joules


def _bit_rows(op: MicroOp) -> int:
    """Bit rows that a row micro-op works through, as the counter TRITS has them."""
    match op.opcode:
        case Opcode.CMP:
            return max(op["an"], op["bn"])
        case Opcode.CMPI:
            return max(op["an"], immediate_bits(op["imm"]))
        case Opcode.SPREAD | Opcode.PACK:
            return PLANES * op["n"]
        case Opcode.UOP:
            return 1
        case _:
            return op["n"]


def _tiles(op: MicroOp, step: RowStep, rows: RowPlan) -> Tiles:
    """The tiles of a frame, as they lie on the image."""
    image = _image(op, step)
    if image is None:
        return {0: count(step) * rows.across}
    starts = [band * op["mul"] + op["off"] for band in range(count(step))]
    lines = [_inside(start, op["lines"], image.height) for start in starts]
    return Tally(y * x for y in lines for x in _widths(op, image, rows))


def _middle(op: MicroOp, step: RowStep, rows: RowPlan) -> Tiles:
    """Bands that lie inside the image, as many as its lines make."""
    bands = step.sources[0].height / rows.layout.lines
    image = _image(op, step)
    if image is None:
        return {0: bands * rows.across}
    widths = Tally(op["lines"] * x for x in _widths(op, image, rows))
    return {pixels: times * bands for pixels, times in widths.items()}


def _image(op: MicroOp, step: RowStep) -> Tensor | None:
    """The tensor that a micro-op transposes."""
    match op.opcode:
        case Opcode.SPREAD:
            return step.sources[0]
        case Opcode.PACK:
            return step.out
        case _:
            return None


def _widths(op: MicroOp, image: Tensor, rows: RowPlan) -> list[int]:
    """Pixels of a line of every tile of a band that lie inside the image."""
    starts = [tile * op["xmul"] + op["xoff"] for tile in range(rows.across)]
    return [_inside(start, op["width"], image.width) for start in starts]


def _inside(first: int, length: int, size: int) -> int:
    """How much of a stretch lies inside the image."""
    return max(0, min(size, first + length) - max(0, first))
