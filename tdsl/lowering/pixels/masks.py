"""Masks of the pixels that count: a tile's own ones, as far as they lie inside the image."""

from tdsl.lowering.pixels.code import Rows, Step
from tdsl.lowering.pixels.emit_steps import Frame, step_op
from tdsl.lowering.pixels.image_plan import ACROSS, LINES, ImagePlan
from tdsl.lowering.pixels.step_writer import AND, COPY
from tdsl.lowering.pixels.tiling import Tiling
from tdsl.lowering.writer import Writer
from tdsl_runtime.isa import Opcode
from tdsl_runtime.row_fields import row_micro_op


def mask_count(tiling: Tiling) -> int:
    """Registers for masks beside the one of the tile: as many as there are kinds of tiles."""
    layout = tiling.layout
    partial = (tiling.last[0] != layout.lines) + (tiling.last[1] != layout.width)
    return 1 + partial if partial else 0


def make_masks(plan: ImagePlan, frame: Frame, writer: Writer) -> None:
    """Ones in the pixels of each kind of tile: what is read outside the image is a pad of 1."""
    if plan.code.mask is None:
        return
    layout, (lines, width) = plan.tiling.layout, plan.tiling.last
    sizes = [(layout.lines, layout.width)]
    sizes += [(lines, layout.width)] if lines != layout.lines else []
    sizes += [(layout.lines, width)] if width != layout.width else []
    rows = plan.placed.masks or (Rows(plan.code.mask, 0, 1),)
    for mask, (height, across) in zip(rows, sizes, strict=True):
        writer.code.append(
            row_micro_op(
                Opcode.BANDIN,
                dst=frame.row(mask),
                pad=1,
                pitch=layout.pitch,
                lines=height,
                width=across,
                off=-height,
            )
        )


def choose_mask(plan: ImagePlan, frame: Frame, writer: Writer) -> None:
    """The mask of this tile: fewer lines in the lowest, fewer columns in the rightmost."""
    masks = list(plan.placed.masks)
    if not masks or plan.code.mask is None:
        return
    tiling, mask = plan.tiling, Rows(plan.code.mask, 0, 1)
    _logic(frame, writer, (mask, masks.pop(0), mask), COPY)
    if tiling.last[0] != tiling.layout.lines:
        turn = plan.lowest
        with writer.guard({"counter": LINES, "lo": turn, "hi": turn + 1}):
            _logic(frame, writer, (mask, mask, masks.pop(0)), AND)
    if tiling.last[1] != tiling.layout.width:
        turn = tiling.across - 1
        with writer.guard({"counter": ACROSS, "lo": turn, "hi": turn + 1}):
            _logic(frame, writer, (mask, mask, masks.pop(0)), AND)


def _logic(frame: Frame, writer: Writer, rows: tuple[Rows, Rows, Rows], table: int) -> None:
    """The first rows take `table` of the other two."""
    step = Step(Opcode.LOGIC, rows[0], rows[1:], (("table", table),))
    writer.code.append(step_op(frame, step))
