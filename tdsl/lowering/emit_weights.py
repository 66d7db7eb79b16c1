"""What a DotStep needs in place -> micro-ops: weights from outside, thresholds in T registers."""

from tdsl.lowering.allocate import slots_a_row
from tdsl.lowering.dot_geometry import DotGeometry
from tdsl.lowering.frame import Frame
from tdsl.lowering.parallel import thresholds_of
from tdsl.lowering.writer import Token
from tdsl_runtime.isa import Opcode, Unit


def load_page(frame: Frame, dot: DotGeometry) -> None:
    """Weights from external memory, once the array is done with those in their place."""
    form = dot.form
    if form.page is None:
        return
    frame.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.PAGE)
    frame.writer.op(Opcode.DMAW, row=form.row, source=form.page, n=form.rows)
    frame.writer.hand_over(Unit.DMA, Unit.ARRAY, Token.PAGED)


def load_thresholds(frame: Frame, dot: DotGeometry, number: int) -> None:
    """T registers of pass `number`."""
    count = thresholds_of(dot.step).shape[1]
    if count:
        per_row = slots_a_row(dot.plan.machine)
        row, slot = divmod(dot.form.slot + number * count, per_row)
        frame.writer.op(Opcode.TLOAD, row=dot.plan.weight_rows + row, slot=slot, n=count)
