"""A layer and the figures of a machine -> the fewest cycles that each organisation can take.

`docs/organisations.md` derives both. No form knows of latches, latencies, queues or loops.
"""

from tdsl.lowering.row_form import row_sources
from tdsl.lowering.steps import DotStep, Tensor
from tdsl.rows.ir import Binary, Compare, RowProgram, Unary
from tdsl_runtime.description import MachineDescription

WORD = 64


def channels_form(step: DotStep, machine: MachineDescription) -> int:
    """The busiest of array, gather path and DMA, channel-packed; for a layer of one convolution."""
    (term,) = step.terms
    channels, height, width = term.weights.shape[1:]
    passes = _up(step.out.channels, machine.macros)
    share = _up(step.out.channels, passes)
    groups = min(machine.channels, machine.macros // share)
    best: tuple[int, int] | None = None
    for segments in (1 << i for i in range((machine.columns // WORD).bit_length())):
        columns = machine.columns // segments
        together = height if segments == 1 and height <= machine.window_lines else 1
        pieces = height // together * _up(together * width * channels, columns)
        steps = _up(step.out.width, groups * segments) * step.out.height * passes
        array = steps * pieces * term.source.planes
        post = steps * max(1, _up(share * groups * segments, machine.gather_trits))
        if best is None or max(array, post) < max(best):
            best = array, post
    assert best is not None
    return max(*best, _dma(term.source, machine) + _dma(step.out, machine))


def pixels_form(step: DotStep, program: RowProgram, machine: MachineDescription) -> int:
    """The best number of bands, pixel-packed: the first is fetched, then array or DMA is busy."""
    ((source, _),) = row_sources(step)
    fetched, sent = _dma(source, machine), _dma(step.out, machine)
    rate = min(machine.channel_trits, machine.gather_trits)
    spread = source.planes * _values(source) / rate
    packed = step.out.planes * _values(step.out) / rate
    work = serial(program, machine)
    best = float("inf")
    for bands in range(1, source.height + 1):
        if _fits(step, source, _up(source.height, bands), machine):
            array = spread + packed + bands * work
            dma = spread / bands + fetched * (1 - 1 / bands) + sent
            best = min(best, fetched / bands + max(array, dma))
    return round(best)


def serial(program: RowProgram, machine: MachineDescription) -> int:
    """Cycles of a tile: every sum, difference and comparison takes its bits and a latch."""
    total = 0
    for value in program.values:
        match value.op:
            case Binary() | Unary():
                total += machine.latch_cycles + value.range.bits
            case Compare(a=a):
                total += machine.latch_cycles + 1 + program.values[a].range.bits
            case _:
                pass
    return total


def _fits(step: DotStep, source: Tensor, lines: int, machine: MachineDescription) -> bool:
    """Whether a band's columns are there, and memory for two bands of input and one of output."""
    height, width = map(int, step.terms[0].weights.shape[2:])
    columns = (lines + height - 1) * (source.width + width - 1)
    fetched = min(source.height, 2 * lines + height - 1)
    made = _up(lines * step.out.height, source.height)
    line = source.planes * source.width * source.channels
    trits = fetched * line + made * step.out.planes * step.out.width * step.out.channels
    return columns <= machine.macros * machine.columns and trits <= machine.trits


def _dma(tensor: Tensor, machine: MachineDescription) -> int:
    """Cycles that an image takes on the DMA."""
    values = tensor.width * tensor.channels
    bits = _up(values * (tensor.high - tensor.low).bit_length(), machine.dma_bits)
    return tensor.height * max(bits, _up(values * tensor.planes, machine.gather_trits))


def _values(tensor: Tensor) -> int:
    return tensor.height * tensor.width * tensor.channels


def _up(a: int, b: int) -> int:
    return -(-a // b)
