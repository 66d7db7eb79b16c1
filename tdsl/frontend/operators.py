"""The operations by name: their parameters, and how arguments make an operation of the graph.

The table knows no syntax: text and Python both bind their arguments by it and add the places of
their own source to the `OpError`s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tdsl.frontend.argument_kinds import Argument, ArgumentKind, Window
from tdsl.frontend.values import Generated, StoreKey
from tdsl.ir import ops
from tdsl.ir.infer_thresholds import check_levels
from tdsl.ir.infer_windows import same_padding
from tdsl.ir.op_error import OpError
from tdsl.ir.tensor_type import BIN, TRIT, Element, TensorType
from tdsl.ir.type_rules import contains, image, number, vector


@dataclass(frozen=True, slots=True)
class Required:
    """The default of a parameter that has none."""


REQUIRED = Required()


@dataclass(frozen=True, slots=True)
class Signature:
    """One parameter: its name, what it takes, what it is when left out."""

    name: str
    kind: ArgumentKind
    default: Argument | Required = REQUIRED


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call, converted, with the types of its tensors in order."""

    operation: str
    values: Mapping[str, Argument]
    types: tuple[TensorType, ...]
    own: Callable[[str, tuple[int, ...]], ops.Stored]
    """Role and shape -> the parameter that the step's name gives: `c1.w`."""

    @property
    def x(self) -> TensorType:
        """The type of the first tensor."""
        return self.types[0]

    def integer(self, name: str) -> int:
        """An argument of kind COUNT or INTEGER."""
        value = self.values[name]
        assert isinstance(value, int)
        return value

    def window(self, name: str) -> Window:
        """An argument of kind WINDOW."""
        match self.values[name]:
            case (int(height), int(width)):
                return height, width
            case other:
                raise AssertionError(other)

    def element(self, name: str) -> Element:
        """An argument of kind ELEMENT."""
        value = self.values[name]
        assert isinstance(value, Element)
        return value

    def padding(self, kernel: Window, dilation: Window) -> tuple[int, int, int, int]:
        """The argument `pad`, as four numbers."""
        match self.values["pad"]:
            case "same":
                return same_padding(kernel, dilation)
            case "valid":
                return 0, 0, 0, 0
            case (int(top), int(left), int(bottom), int(right)):
                return top, left, bottom, right
            case other:
                raise AssertionError(other)

    def parameter(self, role: str, shape: tuple[int, ...]) -> ops.Parameter:
        """A parameter of `shape`: as the source says, else by the step's name."""
        match self.values[role]:
            case None:
                return self.own(role, shape)
            case StoreKey(store, key):
                return ops.Stored(key, shape, store)
            case Generated(rule, seed):
                return ops.Automaton(rule, seed, shape)
            case (int(one),):
                return ops.Constant((one,))
            case tuple() as numbers:
                return ops.Constant(numbers, (len(numbers),))
            case other:
                raise AssertionError(other)

    def threshold(self, role: str) -> ops.Parameter:
        """A threshold: one of the source for all channels, else one a channel."""
        if _is_single(self.values[role]):
            return self.parameter(role, ())
        return self.parameter(role, (number(self.operation, "channels", self.x.shape[0], self.x),))


Build = Callable[[Arguments], ops.Op | None]


@dataclass(frozen=True, slots=True)
class Operator:
    """An operation of the language. `build` gives None where the operand passes unchanged."""

    name: str
    parameters: tuple[Signature, ...]
    build: Build
    variadic: bool = False
    """Takes any number of tensors, at least two, in place of its first parameter."""


def check_accumulator(arguments: Arguments, op: ops.Op, result: TensorType) -> None:
    """Raise OpError unless the type `acc`, if one was given, holds every sum."""
    stated = arguments.values.get("acc")
    if not isinstance(stated, Element) or contains(stated, result.element):
        return
    exact = result.element
    x = arguments.x
    taps = f" x {op.kernel[0]} x {op.kernel[1]}" if isinstance(op, ops.Conv) else ""
    inputs = "channels" if taps else "inputs"
    groups = op.groups if isinstance(op, ops.Conv) else 1
    size = number(arguments.operation, inputs, x.shape[0], x) // groups
    told = f"{size} channels{taps}" if taps else f"{size}"
    reach = size * max(-x.element.low, x.element.high)
    if isinstance(op, ops.Conv):
        reach *= op.kernel[0] * op.kernel[1]
    raise OpError(
        code="E0304",
        message=f"the accumulator `{stated}` can overflow",
        label=f"{stated} holds {stated.low} to {stated.high}",
        argument="acc",
        notes=(f"{told} ternary products of `{x.element}` reach {-reach} to {reach}",),
        helps=(
            f"use `acc = {exact}`",
            "or leave `acc` out: the narrowest safe one is chosen",
        ),
    )


def _conv(a: Arguments) -> ops.Op:
    channels = number("conv", "channels", image("conv", a.x, "`linear` takes vectors")[0], a.x)
    kernel, dilation = a.window("kernel"), a.window("dilation")
    out, groups = a.integer("n"), a.integer("groups")
    return ops.Conv(
        weight=a.parameter("w", (out, channels // groups, *kernel)),
        out_channels=out,
        kernel=kernel,
        stride=a.window("stride"),
        padding=a.padding(kernel, dilation),
        dilation=dilation,
        groups=groups,
        pad_value=a.integer("pad_value"),
    )


def _linear(a: Arguments) -> ops.Op:
    size = number("linear", "inputs", vector("linear", a.x), a.x)
    out = a.integer("n")
    return ops.Linear(a.parameter("w", (out, size)), out)


def _pool(kind: ops.PoolKind) -> Build:
    def build(a: Arguments) -> ops.Op | None:
        kernel = a.window("k")
        stride = kernel if a.values["stride"] is None else a.window("stride")
        unchanged = kernel == stride == (1, 1)
        return None if unchanged else ops.Pool(kind, kernel, stride)

    return build


def _quantize(a: Arguments) -> ops.Op:
    element = a.element("element")
    check_levels(element)
    count = element.high - element.low
    channels = a.x.shape[0]
    if isinstance(a.values["th"], tuple):
        return ops.Quantize(element, _list_of_levels(a, count))
    shape = (number("quantize", "channels", channels, a.x), count)
    return ops.Quantize(element, a.parameter("th", shape))


def _list_of_levels(a: Arguments, count: int) -> ops.Parameter:
    levels = a.values["th"]
    assert isinstance(levels, tuple)
    if len(levels) != count:
        raise OpError(
            code="E0402",
            message=f"`{a.element('element')}` needs {count} thresholds",
            label=f"{len(levels)} are written here",
            argument="th",
        )
    return ops.Constant(levels, (count,))


def _ternarize(a: Arguments) -> ops.Op:
    return ops.Ternarize(a.threshold("lo"), a.threshold("hi"))


def _thermometer(a: Arguments) -> ops.Op:
    planes = a.element("planes")
    if planes not in (TRIT, BIN):
        raise OpError(
            code="E0305",
            message="`thermometer` makes `trit` or `bin` planes",
            label=f"`{planes}` is neither",
            argument="planes",
        )
    return ops.Thermometer(a.integer("k"), planes.kind)


def _clip(a: Arguments) -> ops.Op | None:
    element = a.element("element")
    return None if element == a.x.element else ops.Clip(element)


def _upsample(a: Arguments) -> ops.Op | None:
    return None if a.integer("k") == 1 else ops.Upsample(a.integer("k"))


def _pixel_shuffle(a: Arguments) -> ops.Op | None:
    return None if a.integer("r") == 1 else ops.PixelShuffle(a.integer("r"))


def _flatten(a: Arguments) -> ops.Op | None:
    return None if len(a.x.shape) == 1 else ops.Flatten()


def _is_single(source: Argument) -> bool:
    return isinstance(source, tuple) and len(source) == 1


_X = Signature("x", ArgumentKind.TENSOR)
_N = Signature("n", ArgumentKind.COUNT)
_K = Signature("k", ArgumentKind.COUNT)
_W = Signature("w", ArgumentKind.WEIGHTS, None)
_ACC = Signature("acc", ArgumentKind.ELEMENT, None)
_POOL = (_X, Signature("k", ArgumentKind.WINDOW), Signature("stride", ArgumentKind.WINDOW, None))
_ELEMENT = Signature("element", ArgumentKind.ELEMENT)


def _threshold(role: str) -> Signature:
    return Signature(role, ArgumentKind.THRESHOLD, None)


_ALL = (
    Operator(
        "conv",
        (
            _X,
            _N,
            Signature("kernel", ArgumentKind.WINDOW),
            Signature("stride", ArgumentKind.WINDOW, (1, 1)),
            Signature("pad", ArgumentKind.PADDING, "same"),
            Signature("dilation", ArgumentKind.WINDOW, (1, 1)),
            Signature("groups", ArgumentKind.COUNT, 1),
            _W,
            _ACC,
            Signature("pad_value", ArgumentKind.INTEGER, 0),
        ),
        _conv,
    ),
    Operator("linear", (_X, _N, _W, _ACC), _linear),
    Operator("maxpool", _POOL, _pool(ops.PoolKind.MAX)),
    Operator("avgpool", _POOL, _pool(ops.PoolKind.AVG)),
    Operator("sumpool", _POOL, _pool(ops.PoolKind.SUM)),
    Operator("global_max", (_X,), lambda a: ops.GlobalPool(ops.PoolKind.MAX)),
    Operator("global_avg", (_X,), lambda a: ops.GlobalPool(ops.PoolKind.AVG)),
    Operator("global_sum", (_X,), lambda a: ops.GlobalPool(ops.PoolKind.SUM)),
    Operator("sum", (_X,), lambda a: ops.Sum()),
    Operator("ternarize", (_X, _threshold("lo"), _threshold("hi")), _ternarize),
    Operator("binarize", (_X, _threshold("t")), lambda a: ops.Binarize(a.threshold("t"))),
    Operator("step", (_X, _threshold("t")), lambda a: ops.Step(a.threshold("t"))),
    Operator("quantize", (_X, _ELEMENT, _threshold("th")), _quantize),
    Operator(
        "thermometer", (_X, _K, Signature("planes", ArgumentKind.ELEMENT, TRIT)), _thermometer
    ),
    Operator("upsample", (_X, _K), _upsample),
    Operator("pixel_shuffle", (_X, Signature("r", ArgumentKind.COUNT)), _pixel_shuffle),
    Operator("concat", (_X,), lambda a: ops.Concat(), variadic=True),
    Operator(
        "shuffle",
        (_X, Signature("groups", ArgumentKind.COUNT)),
        lambda a: ops.ChannelShuffle(a.integer("groups")),
    ),
    Operator(
        "mux",
        (
            Signature("selector", ArgumentKind.TENSOR),
            Signature("a", ArgumentKind.TENSOR),
            Signature("b", ArgumentKind.TENSOR),
        ),
        lambda a: ops.Mux(),
    ),
    Operator("clip", (_X, _ELEMENT), _clip),
    Operator("flatten", (_X,), _flatten),
    Operator("argmax", (_X,), lambda a: ops.Argmax()),
)

OPERATORS: Mapping[str, Operator] = {operator.name: operator for operator in _ALL}

FOREIGN: Mapping[str, str] = {
    "relu": "ternary networks have no relu; `ternarize`, `step` or `quantize(u4)` end a layer",
    "sigmoid": "ternary networks have no sigmoid; `ternarize`, `step` or `binarize` end a layer",
    "tanh": "ternary networks have no tanh; `ternarize` or `binarize` end a layer",
    "softmax": "the largest score is the decision: `argmax`",
    "batchnorm": "a batch-norm is folded into the thresholds of `ternarize` when exporting",
    "bias": "a bias is folded into the thresholds of `ternarize` when exporting",
    "dropout": "dropout only exists in training",
    "dense": "`flatten -> linear(n)` is the fully connected layer",
    "conv2d": "`conv(n, 3x3)` is the convolution",
    "depthwise": "a depth-wise layer has one channel a group: `conv(C, 3x3, groups = C)`",
    "dwconv": "a depth-wise layer has one channel a group: `conv(C, 3x3, groups = C)`",
    "sign": "`binarize(t = -1)` gives -1 below 0 and +1 from 0 on",
    "add": "tensors are added by `a + b`",
    "min": "the smaller of two trits is `a & b`",
    "max": "the larger of two trits is `a | b`",
    "cat": "`concat(a, b)` joins channels",
    "reshape": "`flatten` makes a vector of an image",
}
"""What other systems call operations, and what takes their place."""
