"""A plan -> text: what `tdsl show --emit mapping` prints, and the golden format."""

from collections.abc import Iterator

from tdsl.lowering.organisation import Choice, Organisation, StepCost
from tdsl.lowering.plan import Plan, Stage, Turn
from tdsl.lowering.row_plan import RowPlan
from tdsl.lowering.steps import DotStep, InputStep, LogicStep, RowStep, Tensor


def print_mapping(plan: Plan) -> str:
    """The mapping: where everything lies, what works in parallel, in which order."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    machine = plan.machine
    strips = f", {plan.strips} column strips" if plan.strips > 1 else ""
    yield f"mapping {plan.selection.network} on {machine.name}: {plan.strategy}{strips}"
    rows = f"{plan.weight_rows} weight + {plan.threshold_rows} threshold rows of {machine.rows}"
    room = (
        machine.trits - (plan.weight_rows + plan.threshold_rows) * machine.columns * machine.macros
    )
    yield f"  {rows}; features {plan.feature_trits} of {room} trits"
    for number, stage in enumerate(plan.stages):
        yield from _stage(plan, number, stage)
    if plan.choices:
        yield "organisations"
    for choice in plan.choices:
        yield f"  {choice.layer}: {choice.taken}, {_cost(choice.cost)}{_other(choice)}"


def _cost(cost: StepCost) -> str:
    return f"{cost.cycles:,} cycles {cost.picojoules / 1e3:,.1f} nJ"


def _other(choice: Choice) -> str:
    """The organisation not taken: what it would cost, or why it does not come into question."""
    other = next(one for one in Organisation if one is not choice.taken)
    note = f" ({choice.note})" if choice.note else ""
    if choice.rejected is None:
        return f"; not {other}{note}"
    return f"; {other} {_cost(choice.rejected)}{note}"


def _stage(plan: Plan, number: int, stage: Stage) -> Iterator[str]:
    yield f"stage {number}: {stage.iterations} iterations"
    for turn in stage.turns:
        every = f"every {turn.rate} from {turn.delay}, {turn.count} times"
        yield f"  {_step(plan, turn)}; {every}"
        yield f"    -> {_tensor(plan, plan.step(turn).out)}"


def _step(plan: Plan, turn: Turn) -> str:
    step = plan.step(turn)
    match step:
        case InputStep(name=name, levels=levels):
            return f"{name}: dma {'planes' if levels is None else f'{len(levels)} levels'}"
        case LogicStep(name=name, a=a, b=b):
            return f"{name}: logic {a.name}, {b.name}"
        case RowStep(name=name):
            return f"{name}: {_tiles(step, plan.rows[turn.step])}"
        case DotStep(name=name):
            dot = plan.dots[turn.step]
            pieces = "+".join(str(len(p.pieces)) for p in dot.passes)
            split = f"{dot.parallelism.groups} groups x {dot.parallelism.segments} segments"
            sources = ", ".join(dict.fromkeys(t.name for t in step.sources))
            rows = f"rows {dot.row}..{dot.row + dot.rows - 1}"
            paged = "" if dot.page is None else f" paged from {dot.page}"
            return f"{name}: dot {sources}; {split}; {pieces} pieces in {rows}{paged}"


def _tiles(step: RowStep, rows: RowPlan) -> str:
    layout = rows.layout
    sources = ", ".join(dict.fromkeys(t.name for t in step.sources))
    tiles = f"{rows.across} tiles of {layout.lines} x {layout.width} pixels, pitch {layout.pitch}"
    return f"rows {sources}; {tiles}; {len(rows.tile.code.steps)} steps in {rows.rows} bit rows"


def _tensor(plan: Plan, tensor: Tensor) -> str:
    place = plan.place(tensor)
    planes = f" x {tensor.planes} planes" if tensor.planes > 1 else ""
    halo = f" (step {place.step}, halo {place.halo})" if plan.strips > 1 else ""
    return (
        f"{tensor.name} {tensor.channels} channels{planes}, "
        f"{place.depth} of {tensor.height} lines of {place.width} pixels{halo} at {place.base}"
    )
