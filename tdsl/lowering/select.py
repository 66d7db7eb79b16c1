"""Checked graph with concrete sizes -> the steps that compute it on the array.

A node is fused into the step of its only user where the machine can do both at once: sums of
convolutions, then pooling, then clamps and shifts, then thresholds, then up-sampling.
"""

from dataclasses import replace
from itertools import count

import numpy as np

from tdsl.diagnostics import CompileError, Diagnostic, Label
from tdsl.ir import ops
from tdsl.ir.graph import Graph, Node
from tdsl.ir.ops import CompareKind, PoolKind
from tdsl.ir.parameters import Arrays, resolve
from tdsl.ir.size import evaluate
from tdsl.ir.tensor_type import Kind
from tdsl.lowering import logic
from tdsl.lowering.steps import (
    AccumulatorOp,
    Array,
    Clamp,
    Count,
    DotStep,
    InputPort,
    InputStep,
    LogicStep,
    Pooling,
    Raw,
    Result,
    Selection,
    ShiftRight,
    Step,
    Tensor,
    Term,
    Tern,
    Threshold,
)
from tdsl.lowering.terms import (
    Channel,
    Window,
    conv_window,
    dense,
    doubled,
    identity,
    negated,
    pooled,
    terms_over,
)

_LINEAR = (ops.Conv, ops.Linear, ops.Add, ops.Sub, ops.Shift, ops.Pool)
_FLIP = {CompareKind.LT: CompareKind.GT, CompareKind.LE: CompareKind.GE}


def select(graph: Graph, arrays: Arrays) -> Selection:
    """The steps of a graph without free sizes. Raises CompileError for what the machine lacks."""
    return _Selector(graph, arrays).selection()


class _Selector:
    """One walk over one graph; tensors are made on demand, users before are waiting for them."""

    def __init__(self, graph: Graph, arrays: Arrays) -> None:
        self.graph = graph
        self.arrays = arrays
        self.steps: list[Step] = []
        self.tensors: dict[int, Tensor] = {}
        self.ports = {
            position: port
            for port, position in enumerate(
                p for p, node in enumerate(graph.nodes) if isinstance(node.op, ops.Input)
            )
        }
        self.numbers = count()
        users = [i for node in graph.nodes for i in node.inputs]
        users += [output.node for output in graph.outputs]
        self.uses = {i: users.count(i) for i in range(len(graph.nodes))}

    # -- results ---------------------------------------------------------------------------

    def selection(self) -> Selection:
        results = tuple(self._result(output.name, output.node) for output in self.graph.outputs)
        inputs = tuple(self._port(self.graph.nodes[position]) for position in self.ports)
        return Selection(self.graph.name, inputs, tuple(self.steps), results)

    def _result(self, name: str, position: int) -> Result:
        node = self.graph.nodes[position]
        element = node.type.element
        argmax = isinstance(node.op, ops.Argmax)
        tensor = self.tensor(node.inputs[0] if argmax else position)
        return Result(name, tensor, argmax, element.low, element.high)

    def _port(self, node: Node) -> InputPort:
        channels, height, width = _shape(node)
        element = node.type.element
        return InputPort(node.name, channels, height, width, element.low, element.high)

    # -- tensors in memory -----------------------------------------------------------------

    def tensor(self, position: int) -> Tensor:
        """The tensor of a node's value, computed once."""
        if position not in self.tensors:
            self.tensors[position] = self._compute(position)
        return self.tensors[position]

    def _new(self, position: int, name: str | None = None) -> Tensor:
        node = self.graph.nodes[position]
        element = node.type.element
        return Tensor(
            next(self.numbers), name or node.name, *_shape(node), element.low, element.high
        )

    def _compute(self, position: int) -> Tensor:
        node = self.graph.nodes[position]
        match node.op:
            case ops.Input():
                return self._add(
                    InputStep(node.name, self._new(position), self.ports[position], span=node.span)
                )
            case ops.Gate() | ops.Not():
                return self._gate(position)
            case ops.Mux():
                return self._mux(position)
            case ops.Compare(kind=CompareKind.EQ | CompareKind.NE):
                return self._equality(position)
            case ops.Argmax():
                raise self._unsupported(
                    node, "the index of the largest element can only be a network output"
                )
            case ops.Upsample(factor=factor):
                return self._upsampled(position, factor)
            case ops.PixelShuffle(factor=factor):
                return self._shuffled(position, factor)
            case _:
                levels = self._port_levels(position)
                return self._add(levels if levels is not None else self._dot(position))

    def _add(self, step: Step) -> Tensor:
        self.steps.append(step)
        return step.out

    # -- values that the sensor port makes itself --------------------------------------------

    def _port_levels(self, position: int) -> InputStep | None:
        node = self.graph.nodes[position]
        if not node.inputs or not isinstance(self.graph.nodes[node.inputs[0]].op, ops.Input):
            return None
        channels = _shape(self.graph.nodes[node.inputs[0]])[0]
        port = self.ports[node.inputs[0]]
        match node.op:
            case ops.Ternarize(lo=lo, hi=hi):
                levels = np.stack([resolve(lo, self.arrays), resolve(hi, self.arrays)], axis=-1)
            case ops.Binarize(t=t):
                at = resolve(t, self.arrays)
                levels = np.stack([at + 1, at], axis=-1)
            case ops.Thermometer():
                table = _thermometer(
                    node.op, self.graph.nodes[node.inputs[0]].type.element.high + 1
                )
                return InputStep(node.name, self._new(position), port, table, span=node.span)
            case _:
                return None
        each = levels.ndim == 2
        table = levels.reshape(-1, 2)
        if each and len(table) != channels:
            table = np.broadcast_to(table, (channels, 2))
        return InputStep(node.name, self._new(position), port, table, each, span=node.span)

    # -- sums, then thresholds -----------------------------------------------------------------

    def _dot(self, position: int) -> DotStep:
        """The step of a node: thresholds, clamps, pooling and sums are peeled off outside in."""
        node = self.graph.nodes[position]
        threshold, source, sign = self._threshold(position)
        found: list[AccumulatorOp] = []
        pooling, kernel, stride, whole = Pooling.NONE, (1, 1), (1, 1), False
        if sign > 0:  # clamps, shifts and maxima are not odd functions: no fusion under a minus
            found, source = self._accumulator_ops(position, source)
            pooling, kernel, stride, source = self._pooling(position, source)
            whole, found = self._whole(position, source, found)
        if whole and self._is_maximum(source):
            pooling = Pooling.SUM_MAX
        if self._is_thermometer(position):
            terms = self._thermometer_terms(position)
        else:
            terms = self._linear(source, source == position or self._private(source))
        out = self._new(position)
        if pooling is Pooling.STORE_MAX and (out.planes > 1 or kernel != stride):
            pooling = Pooling.SUM_MAX
        return DotStep(
            name=node.name,
            out=out,
            terms=negated(terms) if sign < 0 else terms,
            threshold=threshold,
            ops=tuple(found),
            pooling=pooling,
            pool=kernel,
            pool_stride=stride,
            whole=whole,
            span=node.span,
            macs=self._macs(position),
        )

    def _threshold(self, position: int) -> tuple[Threshold, int, int]:
        """The thresholds of a node, the node they are applied to, and the sign of its value."""
        node = self.graph.nodes[position]
        channels = _shape(node)[0]

        def per_channel(parameter: ops.Parameter) -> Array:
            return np.broadcast_to(resolve(parameter, self.arrays), (channels,))

        match node.op:
            case ops.Ternarize(lo=lo, hi=hi):
                return Tern(per_channel(lo), per_channel(hi)), node.inputs[0], 1
            case ops.Binarize(t=t):
                return Tern(per_channel(t) + 1, per_channel(t)), node.inputs[0], 1
            case ops.Step(t=t):
                return Count(per_channel(t)[:, None], 0), node.inputs[0], 1
            case ops.Quantize(element=element, th=th):
                values = resolve(th, self.arrays)
                full = np.broadcast_to(values, (channels, values.shape[-1]))
                return Count(full, element.low), node.inputs[0], 1
            case ops.Thermometer():
                return self._thermometer_threshold(position), node.inputs[0], 1
            case ops.Compare(kind=kind, constant=constant):
                return self._comparison(position, kind, constant, channels)
            case _:
                area = self._average_area(position)
                return (
                    self._rounded_division(position, area) if area & (area - 1) else Raw(),
                    position,
                    1,
                )

    def _average_area(self, position: int) -> int:
        """The number of values that an averaging node divides by; 1 for other nodes."""
        node = self.graph.nodes[position]
        match node.op:
            case ops.Pool(kind=PoolKind.AVG, kernel=kernel):
                return kernel[0] * kernel[1]
            case ops.GlobalPool(kind=PoolKind.AVG):
                _, height, width = _shape(self.graph.nodes[node.inputs[0]])
                return height * width
            case _:
                return 1

    def _rounded_division(self, position: int, area: int) -> Count:
        """floor((x + area // 2) / area): v is reached above v * area - area // 2 - 1."""
        element = self.graph.nodes[position].type.element
        bounds = np.arange(element.low + 1, element.high + 1) * area - area // 2 - 1
        channels = _shape(self.graph.nodes[position])[0]
        return Count(np.broadcast_to(bounds, (channels, len(bounds))), element.low)

    def _comparison(
        self, position: int, kind: CompareKind, constant: int | None, channels: int
    ) -> tuple[Threshold, int, int]:
        """x > c counts one threshold; x < c is -x > -c; operands compare their difference to 0."""
        sign = -1 if kind in _FLIP else 1
        bound = sign * (constant or 0) - (1 if _FLIP.get(kind, kind) is CompareKind.GE else 0)
        threshold = Count(np.full((channels, 1), bound, dtype=np.int64), 0)
        source = position if constant is None else self.graph.nodes[position].inputs[0]
        return threshold, source, sign

    def _private(self, position: int) -> bool:
        """True where fusing a node into its user computes nothing twice."""
        return self.uses[position] == 1

    def _peelable(self, root: int, position: int) -> bool:
        return position == root or self._private(position)

    def _accumulator_ops(self, root: int, position: int) -> tuple[list[AccumulatorOp], int]:
        found: list[AccumulatorOp] = []
        while self._peelable(root, position):
            node = self.graph.nodes[position]
            match node.op:
                case ops.Clip(element=element):
                    found.insert(0, Clamp(element.low, element.high))
                case ops.Shift(amount=amount) if amount < 0:
                    found.insert(0, ShiftRight(-amount))
                case _:
                    break
            position = node.inputs[0]
        return found, position

    def _pooling(
        self, root: int, position: int
    ) -> tuple[Pooling, tuple[int, int], tuple[int, int], int]:
        node = self.graph.nodes[position]
        if self._peelable(root, position):
            match node.op:
                case ops.Pool(kind=PoolKind.MAX, kernel=kernel, stride=stride):
                    return Pooling.STORE_MAX, kernel, stride, node.inputs[0]
                case _:
                    pass
        return Pooling.NONE, (1, 1), (1, 1), position

    def _whole(
        self, root: int, position: int, found: list[AccumulatorOp]
    ) -> tuple[bool, list[AccumulatorOp]]:
        """Whether a sum runs over the whole image; an average ends in a rounded division."""
        node = self.graph.nodes[position]
        if not self._peelable(root, position):
            return False, found
        area = self._average_area(position)
        if area & (area - 1) and position != root:
            raise self._unsupported(
                node,
                f"a division by {area} in the middle of a sum",
                "end the layer with thresholds, which absorb the division exactly",
                "or use `sumpool`, or a window whose area is a power of two",
            )
        if area > 1 and not area & (area - 1):
            found = [ShiftRight(area.bit_length() - 1, area // 2), *found]
        return isinstance(node.op, ops.Sum | ops.GlobalPool), found

    def _is_maximum(self, position: int) -> bool:
        op = self.graph.nodes[position].op
        return isinstance(op, ops.GlobalPool) and op.kind is PoolKind.MAX

    # -- linear forms -----------------------------------------------------------------------

    def channels(self, position: int) -> tuple[Channel, ...]:
        """Where each channel of a node lies in memory."""
        node = self.graph.nodes[position]
        if position in self.tensors:
            return tuple((self.tensors[position], c) for c in range(_shape(node)[0]))
        match node.op:
            case ops.Concat():
                return tuple(c for i in node.inputs for c in self.channels(i))
            case ops.Slice(start=start, stop=stop):
                return self.channels(node.inputs[0])[start:stop]
            case ops.ChannelShuffle(groups=groups):
                inner = self.channels(node.inputs[0])
                return tuple(inner[i] for i in np.arange(len(inner)).reshape(groups, -1).T.ravel())
            case ops.Flatten() if _shape(self.graph.nodes[node.inputs[0]])[1:] == (1, 1):
                return self.channels(node.inputs[0])
            case _:
                tensor = self.tensor(position)
                return tuple((tensor, c) for c in range(tensor.channels))

    def _linear(self, position: int, inline: bool) -> tuple[Term, ...]:
        """The value of a node as terms: by its own operation if `inline`, else by identity."""
        node = self.graph.nodes[position]
        if inline:
            match node.op:
                case ops.Conv(weight=weight, groups=groups):
                    weights = dense(resolve(weight, self.arrays), groups)
                    return terms_over(self.channels(node.inputs[0]), weights, conv_window(node.op))
                case ops.Linear(weight=weight):
                    return self._matrix(node.inputs[0], resolve(weight, self.arrays))
                case ops.Add():
                    return self._operand(node.inputs[0]) + self._operand(node.inputs[1])
                case ops.Sub() | ops.Compare():
                    return self._operand(node.inputs[0]) + negated(self._operand(node.inputs[1]))
                case ops.Shift(amount=amount) if amount >= 0:
                    return doubled(self._operand(node.inputs[0]), amount)
                case ops.Pool(kind=PoolKind.SUM | PoolKind.AVG, kernel=kernel, stride=stride):
                    return pooled(self._operand(node.inputs[0]), kernel, stride)
                case ops.GlobalPool():
                    return self._by_identity(node.inputs[0])
                case ops.Sum():
                    channels = self.channels(node.inputs[0])
                    return terms_over(
                        channels, np.ones((1, len(channels), 1, 1), np.int64), Window()
                    )
                case ops.Flatten():
                    size = _shape(node)[0]
                    return self._matrix(position, np.eye(size, dtype=np.int64))
                case ops.Concat() | ops.Slice() | ops.ChannelShuffle():
                    return self._by_identity(position)
                case _:
                    pass
        return self._by_identity(position)

    def _operand(self, position: int) -> tuple[Term, ...]:
        node = self.graph.nodes[position]
        fits = isinstance(node.op, _LINEAR) and not (
            (isinstance(node.op, ops.Shift) and node.op.amount < 0)
            or (isinstance(node.op, ops.Pool) and node.op.kind is not PoolKind.SUM)
        )
        return self._linear(position, fits and self._private(position))

    def _by_identity(self, position: int) -> tuple[Term, ...]:
        channels = self.channels(position)
        return terms_over(channels, identity(len(channels)), Window())

    def _matrix(self, position: int, matrix: Array) -> tuple[Term, ...]:
        """A matrix on a vector; a flattened image is read in place, as a window of its size."""
        node = self.graph.nodes[position]
        if isinstance(node.op, ops.Flatten) and position not in self.tensors:
            shape = _shape(self.graph.nodes[node.inputs[0]])
            return terms_over(
                self.channels(node.inputs[0]), matrix.reshape(len(matrix), *shape), Window()
            )
        return terms_over(self.channels(position), matrix[:, :, None, None], Window())

    # -- thermometers of computed values -----------------------------------------------------

    def _is_thermometer(self, position: int) -> bool:
        return isinstance(self.graph.nodes[position].op, ops.Thermometer)

    def _thermometer_threshold(self, position: int) -> Tern:
        node = self.graph.nodes[position]
        assert isinstance(node.op, ops.Thermometer)
        source = self.graph.nodes[node.inputs[0]]
        table = np.tile(_thermometer(node.op, source.type.element.high + 1), (_shape(source)[0], 1))
        return Tern(table[:, 0], table[:, 1])

    def _thermometer_terms(self, position: int) -> tuple[Term, ...]:
        node = self.graph.nodes[position]
        assert isinstance(node.op, ops.Thermometer)
        channels = self.channels(node.inputs[0])
        weights = np.repeat(identity(len(channels)), node.op.levels, axis=0)
        return terms_over(channels, weights, Window())

    # -- results that rise -------------------------------------------------------------------

    def _upsampled(self, position: int, factor: int) -> Tensor:
        source = self.graph.nodes[position].inputs[0]
        fusible = self._private(source) and not isinstance(
            self.graph.nodes[source].op,
            ops.Input
            | ops.Gate
            | ops.Not
            | ops.Mux
            | ops.Upsample
            | ops.PixelShuffle
            | ops.Thermometer,
        )
        equality = self.graph.nodes[source].op
        if isinstance(equality, ops.Compare) and equality.kind in (CompareKind.EQ, CompareKind.NE):
            fusible = False
        if fusible and self._port_levels(source) is None:
            step = self._dot(source)
        else:
            step = self._copy(source)
        return self._add(
            replace(
                step, name=self.graph.nodes[position].name, out=self._new(position), rise=factor
            )
        )

    def _copy(self, position: int) -> DotStep:
        node = self.graph.nodes[position]
        return DotStep(
            node.name, self._new(position), self._by_identity(position), Raw(), span=node.span
        )

    def _shuffled(self, position: int, factor: int) -> Tensor:
        node = self.graph.nodes[position]
        channels = self.channels(node.inputs[0])
        order = np.arange(len(channels)).reshape(-1, factor * factor).T.ravel()
        terms = terms_over(channels, identity(len(channels))[order], Window())
        step = DotStep(
            node.name, self._new(position), terms, Raw(), rise=factor, shuffle=True, span=node.span
        )
        return self._add(step)

    # -- logic -------------------------------------------------------------------------------

    def _logic(
        self, out: Tensor, a: Tensor, b: Tensor, table: tuple[int, ...], position: int
    ) -> Tensor:
        node = self.graph.nodes[position]
        planes = range(out.planes)
        a_planes = tuple(0 if a.planes == 1 else j for j in planes)
        b_planes = tuple(0 if b.planes == 1 else j for j in planes)
        return self._add(LogicStep(node.name, out, a, b, table, a_planes, b_planes, node.span))

    def _gate(self, position: int) -> Tensor:
        node = self.graph.nodes[position]
        operands = [self.tensor(i) for i in node.inputs]
        boolean = node.type.element.kind is Kind.UNSIGNED
        table = logic.gate_table(node.op, boolean)
        return self._logic(self._new(position), operands[0], operands[-1], table, position)

    def _mux(self, position: int) -> Tensor:
        """s ? a : b as (s ? a : 0) | (s ? 0 : b), plane by plane."""
        node = self.graph.nodes[position]
        selector = self.tensor(node.inputs[0])
        out = self._new(position)
        a, b = (self._as_wide(i, out) for i in node.inputs[1:])
        taken = self._logic(
            self._new(position, f"{node.name}.a"), selector, a, logic.WHERE, position
        )
        other = self._logic(
            self._new(position, f"{node.name}.b"), selector, b, logic.UNLESS, position
        )
        return self._logic(out, taken, other, logic.JOIN, position)

    def _as_wide(self, position: int, like: Tensor) -> Tensor:
        """A node's tensor with as many planes as `like`."""
        tensor = self.tensor(position)
        if tensor.planes == like.planes:
            return tensor
        wide = replace(tensor, index=next(self.numbers), low=like.low, high=like.high)
        return self._add(replace(self._copy(position), out=wide))

    def _equality(self, position: int) -> Tensor:
        """x == c: the sign of x - c, then its absolute value, inverted for `==`."""
        node = self.graph.nodes[position]
        assert isinstance(node.op, ops.Compare)
        channels = _shape(node)[0]
        constant = np.full(channels, node.op.constant or 0, dtype=np.int64)
        source = position if node.op.constant is None else node.inputs[0]
        terms = self._linear(source, source == position or self._private(source))
        sign = replace(self._new(position, f"{node.name}.sign"), low=-1, high=1)
        self._add(DotStep(node.name, sign, terms, Tern(constant, constant), span=node.span))
        table = logic.IS_ZERO if node.op.kind is CompareKind.EQ else logic.NOT_ZERO
        return self._logic(self._new(position), sign, sign, table, position)

    # -- the rest ----------------------------------------------------------------------------

    def _macs(self, position: int) -> int:
        """MACs of the convolutions and matrices fused into the step of a node, padding counted."""
        total, pending = 0, [position]
        while pending:
            node = self.graph.nodes[pending.pop()]
            _, height, width = _shape(node)
            match node.op:
                case ops.Conv(weight=weight):
                    total += int(np.prod(weight.shape)) * height * width
                case ops.Linear(weight=weight):
                    total += int(np.prod(weight.shape))
                case _:
                    pending += [
                        i for i in node.inputs if i not in self.tensors and self._private(i)
                    ]
        return total

    def _unsupported(self, node: Node, reason: str, *helps: str) -> CompileError:
        return CompileError(
            [
                Diagnostic(
                    code="E0801",
                    message=f"`{node.name}` cannot run on the array: {reason}",
                    primary=Label(node.span, "here"),
                    helps=helps,
                )
            ]
        )


def _shape(node: Node) -> tuple[int, int, int]:
    """Channels, height and width of a node without free sizes; a vector is one pixel."""
    sizes = tuple(evaluate(size, {}) for size in node.type.shape)
    return (sizes[0], 1, 1) if len(sizes) == 1 else (sizes[0], sizes[1], sizes[2])


def _thermometer(op: ops.Thermometer, n: int) -> Array:
    """The (lo, hi) of each level for inputs 0..n-1, as `ops.Thermometer` defines them."""
    k, j = op.levels, np.arange(op.levels)
    if op.kind is Kind.BIN:
        first = -(-(n * (j + 1)) // (k + 1))
        return np.stack([first, first - 1], axis=-1)
    hi = -(-(n * (k + 1 + j)) // (2 * k + 1)) - 1
    lo = -(-(n * (k - j)) // (2 * k + 1))
    return np.stack([lo, hi], axis=-1)
