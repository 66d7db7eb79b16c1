"""A row program -> tile code: its values in some order, as steps on registers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from tdsl.lowering.pixels.code import HERE, Channel, Load, Offset, Rows, Store, TileCode
from tdsl.lowering.pixels.held import Alignment, Held, Operand
from tdsl.lowering.pixels.pack import write_packed
from tdsl.lowering.pixels.places import BufferSink, BufferSource, Sink, Source
from tdsl.lowering.pixels.regions import regions
from tdsl.lowering.pixels.step_writer import COPY, StepWriter
from tdsl.lowering.pixels.sums import Sums
from tdsl.lowering.pixels.value_maker import ValueMaker
from tdsl.rows.ir import (
    Binary,
    Compare,
    Constant,
    Range,
    Read,
    Reduction,
    RowProgram,
    Scale,
    Select,
    Shift,
    Unary,
    UserOp,
)
from tdsl_runtime.isa import Opcode
from tdsl_runtime.isa import Reduction as Counted

_REDUCTIONS = {Reduction.SUM: Counted.SUM, Reduction.ANY: Counted.ANY}


def tile_code(
    program: RowProgram,
    sources: Sequence[Source],
    sinks: Sequence[Sink],
    order: Sequence[int],
    *,
    share: bool = True,
    stand: bool = False,
) -> TileCode:
    """The code of a tile, with a source for every input and a sink for every output.

    Values are made in `order`; without `share` what was moved for one use is moved again for the
    next, which takes time and saves rows. Neighbours that `stand` are moved where they are named,
    not where they meet others: narrow values that many sums take are moved once.
    """
    return _Lowering(program, sources, sinks, share, stand).run(order)


class _Lowering:
    """The values made so far."""

    def __init__(
        self,
        program: RowProgram,
        sources: Sequence[Source],
        sinks: Sequence[Sink],
        share: bool,
        stand: bool,
    ) -> None:
        self.program = program
        self.sources = sources
        self.sinks = sinks
        self.share = share
        self.stand = stand
        self.writer = StepWriter()
        self.regions = regions(program)
        self.held: dict[int, Operand] = {}
        self.loads: list[Load] = []
        self.stores: dict[Channel, Store] = {}
        self.mask: Held | None = None
        self.outputs = _outputs(program)
        self.counts = _counts(program)

    def run(self, order: Sequence[int]) -> TileCode:
        """Make all values and bring out the results."""
        if self.program.totals:
            self.mask = Held(self.writer.register(1))
        maker = ValueMaker(self.writer, self.share)
        for position in order:
            self.writer.span = self.program.values[position].span
            self.held[position] = self._made(position, maker)
            self._bring_out(position, maker)
        spreads = [
            (Channel(read.input, read.channel), region)
            for read, region in self.regions.items()
            if isinstance(self.sources[read.input], BufferSource)
        ]
        return TileCode(
            tuple(self.writer.registers),
            tuple(self.loads),
            tuple(self.writer.steps),
            tuple(self.stores.values()),
            tuple(spreads),
            self.mask.rows.register if self.mask else None,
        )

    def _made(self, position: int, maker: ValueMaker) -> Operand:
        value = self.program.values[position]
        match value.op:
            case Constant(value=constant):
                return constant
            case Read():
                return self._read(value.op, value.range)
            case Shift(a=a, dy=dy, dx=dx):
                moved = self._held(a).neighbour(Offset(dy, dx))
                return maker.alignment.at(moved, HERE) if self.stand else moved
            case Scale(a=a, amount=amount):
                return self._held(a).scaled(amount)
            case Binary(op=op, a=a, b=b):
                ranges = [self.program.values[v].range for v in (a, b, position)]
                return maker.binary(op, self.held[a], self.held[b], ranges)
            case Unary(op=op, a=a):
                return maker.unary(op, self._held(a), self.program.values[a].range, value.range)
            case Compare(relation=relation, a=a, b=b, inverted=inverted):
                return maker.choices.compare(relation, self.held[a], self.held[b], inverted)
            case Select(condition=condition, a=a, b=b):
                given = self.held[condition]
                if isinstance(given, int):
                    return self.held[a if given else b]
                return maker.choices.select(given, self.held[a], self.held[b], value.range)
            case UserOp():
                return self._declared(value.op)
        assert_never(value.op)

    def _held(self, position: int) -> Held:
        """A value that is no constant: those are folded before."""
        value = self.held[position]
        if isinstance(value, int):
            bits = self.program.values[position].range.bits
            return Held(self.writer.constant(value, bits))
        return value

    def _read(self, read: Read, given: Range) -> Held:
        source, region = self.sources[read.input], self.regions[read]
        at = Offset() - region.origin
        channel = Channel(read.input, read.channel)
        if isinstance(source, BufferSource):
            return Held(self._spread(channel, source.planes, given), 0, at)
        rows = self.writer.register(given.bits, signed=given.signed)
        self.loads.append(Load(channel, rows, region))
        return Held(rows, 0, at)

    def _spread(self, channel: Channel, planes: int, given: Range) -> Rows:
        """A value from a line buffer: the sum of its planes."""
        sums = Sums(self.writer, Alignment(self.writer, share=False))
        total: Held | None = None
        for plane in range(planes):
            trit = self.writer.register(2, signed=True, even=True)
            self.writer.transpose(Opcode.SPREAD, trit, (), channel, plane)
            term, limit = Held(trit, plane), Range(1 - (2 << plane), (2 << plane) - 1)
            total = term if total is None else sums.add(total, term, limit)
        assert total is not None
        rows = total.rows.lowest(given.bits)
        return replace(rows, signed=given.signed) if rows.count == given.bits else rows

    def _declared(self, op: UserOp) -> Operand:
        """A user's micro-op: its declared cost, then its body as the meaning."""
        place = len(self.writer.steps)
        maker = ValueMaker(self.writer, self.share)
        for position in op.inside:
            self.held[position] = self._made(position, maker)
        if len(self.writer.steps) == place:
            body = maker.alignment.whole(self._held(op.body))
            into = self.writer.register(body.rows.count, signed=body.rows.signed)
            self.held[op.body] = Held(self.writer.logic(into, body.rows, 0, COPY), 0, body.at)
        body_steps = self.writer.steps[place:]
        del self.writer.steps[place:]
        self.writer.write(
            Opcode.UOP,
            None,
            (),
            code=op.opcode,
            body=len(body_steps),
            cycles=op.cycles,
            energy=op.femtojoules,
        )
        self.writer.steps += body_steps
        return self.held[op.body]

    def _bring_out(self, position: int, maker: ValueMaker) -> None:
        """What becomes of a value as a result, as soon as it is there."""
        for channel in self.outputs.get(position, ()):
            sink = self.sinks[channel.port]
            value = maker.alignment.whole(self._held(position))
            if isinstance(sink, BufferSink):
                write_packed(channel, sink, value, maker, self.program.values[position].range)
            else:
                self._store(channel, value)
        for slot, reduction in self.counts.get(position, ()):
            self._count(position, slot, reduction, maker)

    def _store(self, channel: Channel, value: Held) -> None:
        """Keep a result until it is written; one that was loaded is copied."""
        if value.rows.register in {load.rows.register for load in self.loads}:
            into = self.writer.register(value.rows.count, signed=value.rows.signed)
            value = Held(self.writer.logic(into, value.rows, 0, COPY), 0, value.at)
        self.stores[channel] = Store(channel, value.rows, value.at)

    def _count(self, position: int, slot: int, reduction: Reduction, maker: ValueMaker) -> None:
        assert self.mask is not None
        (rows, mask), _ = maker.alignment.numbers((self._held(position), self.mask))
        assert isinstance(rows, Rows)
        assert isinstance(mask, Rows)
        self.writer.write(Opcode.COUNT, None, (rows, mask), slot=slot, op=_REDUCTIONS[reduction])


def _outputs(program: RowProgram) -> dict[int, list[Channel]]:
    """The output channels that show each value."""
    found: dict[int, list[Channel]] = {}
    for port, output in enumerate(program.outputs):
        for number, value in enumerate(output.values):
            found.setdefault(value, []).append(Channel(port, number))
    return found


def _counts(program: RowProgram) -> dict[int, list[tuple[int, Reduction]]]:
    """The result registers that count each value."""
    found: dict[int, list[tuple[int, Reduction]]] = {}
    counted = [(total.reduction, value) for total in program.totals for value in total.values]
    for slot, (reduction, value) in enumerate(counted):
        found.setdefault(value, []).append((slot, reduction))
    return found
