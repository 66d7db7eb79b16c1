"""A plan -> micro-ops: descriptors, then one hardware loop a stage inside the loop over strips."""

from dataclasses import dataclass, field

from tdsl.lowering.clock import LINES, Clock
from tdsl.lowering.emit_dot import DotEmitter
from tdsl.lowering.plan import Plan, Stage, Turn
from tdsl.lowering.rates import held
from tdsl.lowering.schedule import reach
from tdsl.lowering.steps import DotStep, InputStep, LogicStep, Result, Step, Tensor
from tdsl.lowering.writer import Token, Writer
from tdsl_runtime.isa import MicroOp, Opcode, Unit
from tdsl_runtime.program import Origin

STRIPS = 1
"""The loop counter of column strips."""


def emit(plan: Plan) -> tuple[tuple[MicroOp, ...], tuple[Origin, ...]]:
    """The micro-ops of a plan, and the origins that they index."""
    return _Emitter(plan).program()


@dataclass(frozen=True, slots=True)
class _Early:
    """`signal`: the loop turn after which all but the last lines are stored; `first_use`: the loop
    turn of the next stage that needs the last ones (0: its start)."""

    signal: int
    first_use: int


@dataclass(slots=True)
class _Emitter:
    plan: Plan
    writer: Writer = field(default_factory=Writer)
    buffers: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def program(self) -> tuple[tuple[MicroOp, ...], tuple[Origin, ...]]:
        frame = Writer()
        descriptors, self.writer = self.writer, frame
        for token in (Token.FREE_0, Token.FREE_1):
            frame.signal(Unit.POST, token)
        for number in range(len(self.plan.stages)):
            self._stage(number)
        frame.origin = 0
        frame.op(Opcode.HALT)
        self.writer = descriptors
        self._levels()
        for (tensor, pad), number in self.buffers.items():
            self._describe(tensor, pad, number)
        origins = [Origin(self.plan.selection.network, 0, "set-up and control")]
        origins += [_origin(step) for step in self.plan.selection.steps]
        return tuple(descriptors.code + frame.code), tuple(origins)

    # -- descriptors -------------------------------------------------------------------------

    def _buffer(self, tensor: Tensor, pad: int) -> int:
        """The descriptor of a tensor; a tensor read with two pads has two."""
        return self.buffers.setdefault((tensor.index, pad), len(self.buffers))

    def _describe(self, index: int, pad: int, number: int) -> None:
        tensor = next(s.out for s in self.plan.selection.steps if s.out.index == index)
        place = self.plan.place(tensor)
        cut = self.plan.strips > 1 and place.step != tensor.width
        self.writer.op(
            Opcode.BUF,
            buffer=number,
            base=place.base,
            pitch=tensor.channels,
            width=place.width,
            depth=place.depth,
            planes=tensor.planes,
            image_width=tensor.width,
            image_height=tensor.height,
            pad=pad,
            strip=STRIPS if cut else 0,
            step=place.step if cut else 0,
            halo=place.halo if cut else 0,
        )

    def _levels(self) -> None:
        for number, step in enumerate(self.plan.selection.steps):
            if isinstance(step, InputStep) and step.levels is not None:
                self.writer.origin = number + 1
                for entry, (low, high) in enumerate(step.levels.tolist()):
                    self.writer.op(
                        Opcode.LEVEL, index=self._first_level(step) + entry, lo=low, hi=high
                    )
        self.writer.origin = 0

    def _first_level(self, step: InputStep) -> int:
        first = 0
        for other in self.plan.selection.steps:
            if other is step:
                break
            if isinstance(other, InputStep) and other.levels is not None:
                first += len(other.levels)
        return first

    # -- stages ------------------------------------------------------------------------------

    def _stage(self, number: int) -> None:
        """A stage: reductions begin, the lines of all strips pass, reductions end."""
        stage = self.plan.stages[number]
        dots = {
            turn.step: self._dot(turn)
            for turn in stage.turns
            if isinstance(self.plan.step(turn), DotStep)
        }
        wholes = [dot for dot in dots.values() if dot.step.whole]
        alone = len(dots) == 1
        for dot in dots.values() if alone else ():
            self._mark(dot.step)
            dot.load_page()
        for dot in wholes:
            self._mark(dot.step)
            dot.begin_whole()
        strips = self.plan.strips if number == 0 else 1
        if strips > 1:
            with self.writer.loop(STRIPS, strips):
                self._strip(stage, number, dots)
        else:
            self._strip(stage, number, dots)
        for dot in wholes:
            self._mark(dot.step)
            dot.end_whole()
            self._results(dot.step, {})
        if number < len(self.plan.stages) - 1:
            self.writer.signal(Unit.POST, Token.BARRIER)

    def _strip(self, stage: Stage, number: int, dots: dict[int, DotEmitter]) -> None:
        self._begin(stage, number)
        self._loop(stage, number, dots)
        self._end(stage, number)

    def _dot(self, turn: Turn) -> DotEmitter:
        step = self.plan.step(turn)
        assert isinstance(step, DotStep)
        kept = max(
            (
                len(d.passes)
                for n, d in self.plan.dots.items()
                if _is_whole(self.plan.selection.steps[n])
            ),
            default=0,
        )
        return DotEmitter(
            self.plan, step, self.plan.dots[turn.step], self._buffer, self.writer, kept
        )

    def _begin(self, stage: Stage, number: int) -> None:
        """The array waits for what the stage before stores; buffers of results are free."""
        self.writer.origin = 0
        self.writer.half = 0
        if number > 0:
            early = self._early(number - 1)
            for _ in range(2 if early is not None and early.first_use == 0 else 1):
                self.writer.wait(Unit.ARRAY, Token.BARRIER)
        if self._chained(stage):
            self.writer.signal(Unit.POST, Token.LINES)
        for turn in stage.turns:
            for index, made in self._streamed_results(turn):
                if made is not Unit.DMA:
                    self.writer.signal(Unit.DMA, _taken(index))
                    self.writer.signal(Unit.DMA, _taken(index))

    def _end(self, stage: Stage, number: int) -> None:
        """The next stage reads what the post unit wrote, and may overwrite what the DMA sends."""
        self.writer.origin = 0
        if self._chained(stage):
            self.writer.wait(Unit.ARRAY, Token.LINES)
        for turn in stage.turns:
            for index, made in self._streamed_results(turn):
                if made is not Unit.DMA:
                    self.writer.wait(made, _taken(index))
                    self.writer.wait(made, _taken(index))
        if self.plan.strips > 1 and number == 0:
            self.writer.hand_over(Unit.POST, Unit.ARRAY, Token.BARRIER)

    def _loop(self, stage: Stage, number: int, dots: dict[int, DotEmitter]) -> None:
        unroll = self._unroll(stage)
        before = self._early(number - 1) if number > 0 else None
        after = self._early(number)
        with self.writer.loop(LINES, -(-stage.iterations // unroll)):
            if before is not None and before.first_use > 0:
                with self.writer.guard(_only(before.first_use)):
                    self.writer.wait(Unit.ARRAY, Token.BARRIER)
            for copy in range(unroll):
                self._iteration(stage, dots, unroll, copy)
            self.writer.origin = 0
            if after is not None:
                with self.writer.guard(_only(after.signal)):
                    self.writer.signal(Unit.POST, Token.BARRIER)

    def _early(self, number: int) -> _Early | None:
        """How the next stage may start while the last lines of this one are being stored."""
        if number + 1 >= len(self.plan.stages) or self.plan.strips > 1:
            return None
        stage, follower = self.plan.stages[number], self.plan.stages[number + 1]
        loops = -(-stage.iterations // self._unroll(stage))
        if loops < 2 or any(_is_whole(self.plan.step(turn)) for turn in stage.turns):
            return None
        done = self._unroll(stage) * (loops - 1)
        first = follower.iterations
        for turn in follower.turns:
            for made in stage.turns:
                source = self.plan.step(made).out
                if any(t is source for t in self.plan.step(turn).sources):
                    first = min(first, self._first_use(turn, made, done))
        return _Early(
            loops - 2, first // self._unroll(follower) if first < follower.iterations else 0
        )

    def _first_use(self, turn: Turn, made: Turn, done: int) -> int:
        """The iteration in which a turn first reads a line that `made` makes from `done` on."""
        step, source = self.plan.step(turn), self.plan.step(made)
        rise = source.rise if isinstance(source, DotStep) else 1
        lines = max(0, -(-(done - made.delay) // made.rate)) * rise
        ahead, _, last = reach(step, source.out)
        y = 0 if last >= lines else -(-(lines - last) // ahead) if ahead else turn.count
        return turn.delay + y * turn.rate if y < turn.count else turn.delay

    def _unroll(self, stage: Stage) -> int:
        """Two lines a loop where that lets consecutive jobs use both halves of the accumulators."""
        dots = [self._dot(t) for t in stage.turns if isinstance(self.plan.step(t), DotStep)]
        streams = [dot for dot in dots if not dot.step.whole]
        even = sum(dot.jobs() for dot in streams) % 2 == 0
        simple = all(turn.rate == 1 for turn in stage.turns) and len(streams) == len(dots)
        return 1 if even or not simple or stage.iterations < 2 or not streams else 2

    def _iteration(self, stage: Stage, dots: dict[int, DotEmitter], unroll: int, copy: int) -> None:
        inputs = [turn for turn in stage.turns if isinstance(self.plan.step(turn), InputStep)]
        others = [turn for turn in stage.turns if turn not in inputs]
        halves = (0,) if any(dot.step.whole for dot in dots.values()) else (0, 1)
        for turn in inputs:
            self._load(turn, Clock(turn, unroll, copy), stage)
        first_chained = next(iter(self._chained(stage)), None)
        for turn in others:
            if turn is first_chained:
                self.writer.origin = 0
                self.writer.wait(Unit.ARRAY, Token.LINES)
            self._turn(turn, Clock(turn, unroll, copy), stage, dots, halves)
        self.writer.origin = 0
        if first_chained is not None:
            self.writer.signal(Unit.POST, Token.LINES)
        for turn in inputs:
            self._loaded(turn, Clock(turn, unroll, copy), stage)

    def _chained(self, stage: Stage) -> list[Turn]:
        """The turns that read lines which the post unit writes in the same stage."""
        made = {
            step.out.index
            for turn in stage.turns
            if isinstance(step := self.plan.step(turn), DotStep) and not step.whole
        }
        return [t for t in stage.turns if any(x.index in made for x in self.plan.step(t).sources)]

    def _turn(
        self,
        turn: Turn,
        clock: Clock,
        stage: Stage,
        dots: dict[int, DotEmitter],
        halves: tuple[int, ...],
    ) -> None:
        step = self.plan.step(turn)
        self._mark(step)
        with self.writer.guard(clock.guard(stage.iterations)):
            if len(dots) > 1 and turn.step in dots:
                dots[turn.step].load_page()
            match step:
                case DotStep(whole=True):
                    dots[turn.step].reduce_turn(clock)
                case DotStep():
                    self._taking(step)
                    dots[turn.step].turn(clock, halves)
                    self._results(step, clock)
                case LogicStep():
                    self._taking(step)
                    self._logic(step, clock)
                    self._results(step, clock)
                case InputStep():
                    raise AssertionError("inputs are loaded first")

    # -- the DMA -----------------------------------------------------------------------------

    def _load(self, turn: Turn, clock: Clock, stage: Stage) -> None:
        step = self.plan.step(turn)
        assert isinstance(step, InputStep)
        self._mark(step)
        with self.writer.guard(clock.guard(stage.iterations)):
            self.writer.hand_over(Unit.ARRAY, Unit.DMA, Token.CREDIT)
            levels: dict[str, int] = {}
            if step.levels is not None:
                trits = step.out.channels // self.plan.selection.inputs[step.port].channels
                levels = {
                    "format": 1,
                    "base": self._first_level(step),
                    "levels": trits,
                    "each": int(step.each),
                }
            self.writer.op(
                Opcode.DMAIN,
                buffer=self._buffer(step.out, 0),
                port=step.port,
                **levels,
                **clock.line(1, 0),
            )
            self._results(step, clock)
            self.writer.signal(Unit.DMA, Token.LOADED)

    def _loaded(self, turn: Turn, clock: Clock, stage: Stage) -> None:
        """Lines that came in this iteration are used from the next one on."""
        self._mark(self.plan.step(turn))
        with self.writer.guard(clock.guard(stage.iterations)):
            self.writer.wait(Unit.ARRAY, Token.LOADED)

    def _results_of(self, step: Step) -> list[tuple[int, Result]]:
        return [(n, r) for n, r in enumerate(self.plan.selection.results) if r.tensor is step.out]

    def _streamed_results(self, turn: Turn) -> list[tuple[int, Unit]]:
        """The outputs that a turn feeds line by line, and the unit that makes them."""
        step = self.plan.step(turn)
        if isinstance(step, DotStep) and step.whole:
            return []
        return [(n, self._made_by(r.tensor)) for n, r in self._results_of(step)]

    def _made_by(self, tensor: Tensor) -> Unit:
        step = next(s for s in self.plan.selection.steps if s.out is tensor)
        match step:
            case InputStep():
                return Unit.DMA
            case LogicStep():
                return Unit.ARRAY
            case DotStep():
                return Unit.POST

    def _taking(self, step: Step) -> None:
        """Before a line of a result is made: the DMA has sent the one before the last."""
        for number, result in self._results_of(step):
            self.writer.wait(self._made_by(result.tensor), _taken(number))

    def _results(self, step: Step, clock: Clock | dict[str, int]) -> None:
        """Send the lines just made to the outputs."""
        rise = step.rise if isinstance(step, DotStep) else 1
        for number, result in self._results_of(step):
            made = self._made_by(result.tensor)
            if made is not Unit.DMA:
                self.writer.hand_over(made, Unit.DMA, _made(number))
            for line in range(rise):
                self._send(
                    number, result, clock.line(rise, line) if isinstance(clock, Clock) else {}
                )
            if made is not Unit.DMA:
                self.writer.signal(Unit.DMA, _taken(number))

    def _send(self, number: int, result: Result, line: dict[str, int]) -> None:
        tensor = result.tensor
        place = self.plan.place(tensor)
        self.writer.op(
            Opcode.DMAOUT,
            buffer=self._buffer(tensor, 0),
            port=number,
            format=int(result.argmax),
            n=tensor.channels,
            x0=place.halo if self.plan.strips > 1 else 0,
            limit=place.step,
            **line,
        )

    # -- logic -------------------------------------------------------------------------------

    def _logic(self, step: LogicStep, clock: Clock) -> None:
        table = sum((value & 3) << (2 * entry) for entry, value in enumerate(step.table))
        width = self.plan.place(step.out).width
        for plane in range(step.out.planes):
            self.writer.op(
                Opcode.LUT,
                buffer=self._buffer(step.out, 0),
                plane=plane,
                a=self._buffer(step.a, 0),
                aplane=step.a_planes[plane],
                ahold=int(held(step.a, step.out)),
                b=self._buffer(step.b, 0),
                bplane=step.b_planes[plane],
                bhold=int(held(step.b, step.out)),
                table=table,
                **clock.line(1, 0),
                span=min(width, 65535),
                limit=width,
            )

    def _mark(self, step: Step) -> None:
        self.writer.origin = 1 + self.plan.selection.steps.index(step)


def _is_whole(step: Step) -> bool:
    return isinstance(step, DotStep) and step.whole


def _only(turn: int) -> dict[str, int]:
    """A guard that passes in one turn of the loop."""
    return {"counter": LINES, "lo": turn, "hi": turn + 1, "mod": 1, "rem": 0}


def _made(result: int) -> int:
    return Token.RESULTS + 2 * result


def _taken(result: int) -> int:
    return Token.RESULTS + 2 * result + 1


def _origin(step: Step) -> Origin:
    return Origin(step.name, step.span.line if step.span else 0, type(step).__name__)
