"""An operation of the graph -> its name in the language, its arguments, its operator."""

from dataclasses import dataclass
from typing import assert_never

from tdsl.frontend.names import written_key
from tdsl.ir import ops
from tdsl.ir.infer_windows import same_padding
from tdsl.ir.tensor_type import Kind, TensorType

Parameters = tuple[tuple[str, ops.Parameter], ...]
"""Role and value of each parameter."""


@dataclass(frozen=True, slots=True)
class Call:
    """`name(tensors, arguments, parameters)`, the first tensor perhaps in front of an arrow."""

    name: str
    arguments: tuple[str, ...] = ()
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class Infix:
    """An operator between two tensors, or between a tensor and the number `right`."""

    name: str
    sign: str
    right: str = ""


@dataclass(frozen=True, slots=True)
class Prefix:
    """An operator in front of a tensor."""

    name: str
    sign: str


@dataclass(frozen=True, slots=True)
class Part:
    """Channels of a tensor, cut out by `[start..stop]`."""

    name: str
    start: int
    stop: int


Form = Call | Infix | Prefix | Part


def form_of(op: ops.Op) -> Form:
    """How the language writes `op`; its name is what nodes of it are called."""
    match op:
        case ops.Conv() | ops.Linear():
            return _weighted(op)
        case ops.Pool() | ops.GlobalPool():
            return _pool(op)
        case ops.Ternarize() | ops.Binarize() | ops.Step() | ops.Quantize():
            return _threshold(op)
        case ops.Add():
            return Infix("add", "+")
        case ops.Sub():
            return Infix("sub", "-")
        case ops.Gate(kind=kind):
            return Infix(kind.value, _GATES[kind])
        case ops.Not():
            return Prefix("not", "~")
        case ops.Shift(amount=amount):
            return Infix("shift", "<<" if amount >= 0 else ">>", str(abs(amount)))
        case ops.Compare(kind=kind, constant=constant):
            return Infix("compare", kind.value, "" if constant is None else str(constant))
        case ops.Slice(start=start, stop=stop):
            return Part("slice", start, stop)
        case _:
            return _rearrangement(op)


def changes_nothing(op: ops.Op, x: TensorType) -> bool:
    """Whether `op` gives its operand of type `x` back: the language has no such step."""
    match op:
        case ops.Pool(kernel=kernel, stride=stride):
            return kernel == stride == (1, 1)
        case ops.Upsample(factor=factor) | ops.PixelShuffle(factor=factor):
            return factor == 1
        case ops.Clip(element=element):
            return element == x.element
        case ops.Flatten():
            return len(x.shape) == 1
        case ops.Slice(start=start, stop=stop):
            return start == 0 and stop == x.shape[0]
        case ops.Shift(amount=amount):
            return amount == 0
        case _:
            return False


def parameter_text(role: str, parameter: ops.Parameter) -> str:
    """A parameter that the source gives: `lo = -80`, `w = P.c1.w`, `w = ca(rule = 30, ...)`."""
    match parameter:
        case ops.Stored(key=key, store=store):
            return f"{role} = {written_key(store, key)}"
        case ops.Constant(values=(one,)):
            return f"{role} = {one}"
        case ops.Constant(values=values):
            return f"{role} = [{', '.join(map(str, values))}]"
        case ops.Automaton(rule=rule, seed=seed):
            return f"{role} = ca(rule = {rule}, seed = {seed})"
        case _:
            assert_never(parameter)


_GATES = {ops.GateKind.AND: "&", ops.GateKind.OR: "|", ops.GateKind.XOR: "^"}
_GLOBAL = {
    ops.PoolKind.MAX: "global_max",
    ops.PoolKind.AVG: "global_avg",
    ops.PoolKind.SUM: "global_sum",
}


def _weighted(op: ops.Conv | ops.Linear) -> Form:
    if isinstance(op, ops.Linear):
        return Call("linear", (str(op.out_features),), (("w", op.weight),))
    options = {
        "stride": None if op.stride == (1, 1) else _window(op.stride),
        "pad": _padding(op),
        "dilation": None if op.dilation == (1, 1) else _window(op.dilation),
        "groups": None if op.groups == 1 else str(op.groups),
        "pad_value": None if op.pad_value == 0 else str(op.pad_value),
    }
    kernel = f"{op.kernel[0]}x{op.kernel[1]}"
    named = (f"{name} = {text}" for name, text in options.items() if text is not None)
    return Call("conv", (str(op.out_channels), kernel, *named), (("w", op.weight),))


def _padding(op: ops.Conv) -> str | None:
    if op.padding == same_padding(op.kernel, op.dilation):
        return None
    sides = set(op.padding)
    return str(op.padding[0]) if len(sides) == 1 else f"[{', '.join(map(str, op.padding))}]"


def _pool(op: ops.Pool | ops.GlobalPool) -> Form:
    if isinstance(op, ops.GlobalPool):
        return Call(_GLOBAL[op.kind])
    stride = () if op.stride == op.kernel else (f"stride = {_window(op.stride)}",)
    return Call(f"{op.kind.value}pool", (_window(op.kernel), *stride))


def _threshold(op: ops.Ternarize | ops.Binarize | ops.Step | ops.Quantize) -> Form:
    match op:
        case ops.Ternarize(lo=lo, hi=hi):
            return Call("ternarize", (), (("lo", lo), ("hi", hi)))
        case ops.Binarize(t=t):
            return Call("binarize", (), (("t", t),))
        case ops.Step(t=t):
            return Call("step", (), (("t", t),))
        case ops.Quantize(element=element, th=th):
            return Call("quantize", (str(element),), (("th", th),))


Rearrangement = (
    ops.Input
    | ops.Sum
    | ops.Thermometer
    | ops.Upsample
    | ops.PixelShuffle
    | ops.Concat
    | ops.ChannelShuffle
    | ops.Mux
    | ops.Clip
    | ops.Flatten
    | ops.Argmax
    | ops.Kernel
)


def _rearrangement(op: Rearrangement) -> Form:
    match op:
        case ops.Thermometer(levels=levels, kind=kind):
            return Call("thermometer", (str(levels), *(() if kind is Kind.TRIT else (str(kind),))))
        case ops.Upsample(factor=factor):
            return Call("upsample", (str(factor),))
        case ops.PixelShuffle(factor=factor):
            return Call("pixel_shuffle", (str(factor),))
        case ops.ChannelShuffle(groups=groups):
            return Call("shuffle", (str(groups),))
        case ops.Clip(element=element):
            return Call("clip", (str(element),))
        case ops.Concat() | ops.Mux() | ops.Sum() | ops.Flatten() | ops.Argmax():
            return Call(type(op).__name__.lower())
        case ops.Kernel(program=program, constants=constants):
            return Call(program.name, tuple(f"{name} = {number}" for name, number in constants))
        case ops.Input():
            raise AssertionError("an input is declared in the header")
        case _:
            assert_never(op)


def _window(window: tuple[int, int]) -> str:
    height, width = window
    return str(height) if height == width else f"{height}x{width}"
