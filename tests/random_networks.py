"""Random small networks for hypothesis: shapes at the edges of machine words, every option.

Hypothesis draws the structure; weights, thresholds and images come from a drawn seed, so failing
examples shrink to few and plain layers.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tdsl.ir import ops
from tdsl.ir.ops import CompareKind, GateKind, PoolKind
from tdsl.ir.tensor_type import BIN, TRIT, U1, Kind
from tests.builder import Builder, Case, Thresholds, element

EDGES = (63, 64, 65, 127, 128, 129)
"""Sizes around one and two words of 64 bits."""

_WIDEST_FEATURES = 10
_LOGIC = (TRIT, BIN, U1)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one layer may cost: multiply-accumulates, and elements of its result."""

    macs: int = 300_000
    elements: int = 20_000


@dataclass(frozen=True, slots=True)
class Growth:
    """A network while it grows."""

    draw: DrawFn
    builder: Builder
    budget: Budget
    images: list[int]
    """Every feature map so far, for skips."""


@st.composite
def random_networks(
    draw: DrawFn,
    steps: Collection[str] = (),
    budget: Budget = Budget(),
    most_steps: int = 5,
) -> Case:
    """Networks made of the named `steps`, up to `most_steps` of STEPS and then one of ENDS.

    No names: all of them. The last value is an output, and so may be feature maps before it.
    """
    often = ("layer", "layer", *STEPS)
    inner = [name for name in often if not steps or name in steps]
    ends = [name for name in ENDS if not steps or name in steps]
    growth = Growth(draw, Builder("random", draw(st.integers(0, 9999))), budget, [])
    x = _input(growth)
    for name in draw(st.lists(st.sampled_from(inner), min_size=1, max_size=most_steps)):
        x = STEPS[name](growth, _narrowed(growth, x))
        growth.images.append(x)
    others = draw(st.lists(st.sampled_from(growth.images), max_size=2, unique=True))
    if len(ends) > 0 and draw(st.booleans()):
        x = ENDS[draw(st.sampled_from(ends))](growth, _narrowed(growth, x))
    return growth.builder.case(x, *(other for other in others if other != x))


def _input(growth: Growth) -> int:
    draw = growth.draw
    elements = draw(st.sampled_from(("trit", "u8", "bin", "u1", "u4", "i4", "i8")))
    shape = [draw(st.integers(1, 9)) for _ in range(3)]
    axis = draw(st.sampled_from((None, 0, 1, 2)))
    if axis is not None:
        shape[axis] = draw(st.sampled_from(EDGES))
    image = growth.builder.input("img", elements, tuple(shape))
    growth.images.append(image)
    return image


def _narrowed(growth: Growth, x: int) -> int:
    """Integers of many bits go through thresholds, so that sums stay small."""
    narrow = growth.builder.type(x).element.bits <= _WIDEST_FEATURES
    return x if narrow else _threshold(growth, x)


def _conv(growth: Growth, x: int) -> int:
    draw, b = growth.draw, growth.builder
    channels, height, width = b.shape(x)
    top, left, bottom, right = (draw(st.integers(0, 3)) for _ in range(4))
    dilation = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    sizes = (height + top + bottom, width + left + right)
    kernel = (
        draw(st.integers(1, min(5, (sizes[0] - 1) // dilation[0] + 1))),
        draw(st.integers(1, min(5, (sizes[1] - 1) // dilation[1] + 1))),
    )
    groups = draw(st.sampled_from([g for g in (1, 2, 3, 5, channels) if channels % g == 0]))
    pixels = -(-sizes[0] // stride[0]) * -(-sizes[1] // stride[1])
    bits = b.type(x).element.kind is Kind.BIN
    return b.conv(
        x,
        _channels(growth, pixels, pixels * channels // groups * kernel[0] * kernel[1], groups),
        kernel,
        stride=stride,
        padding=(top, left, bottom, right),
        dilation=dilation,
        groups=groups,
        pad_value=draw(st.sampled_from((-1, 1))) if bits else 0,
    )


def _channels(growth: Growth, elements: int, macs: int, groups: int = 1) -> int:
    """A number of output channels, each of which costs `elements` and `macs`."""
    most = min(growth.budget.elements // elements, growth.budget.macs // macs)
    sizes = (*range(1, 13), *EDGES)
    fitting = [size for size in sizes if size % groups == 0 and size <= most]
    size: int = growth.draw(st.sampled_from(fitting or [groups]))
    return size


def _layer(growth: Growth, x: int) -> int:
    """A convolution, perhaps pooling, perhaps thresholds."""
    x = _conv(growth, x)
    if growth.draw(st.booleans()):
        x = _pool(growth, x)
    return _threshold(growth, x) if growth.draw(st.integers(0, 4)) else x


def _depthwise(growth: Growth, x: int) -> int:
    """A layer of the same shape and of trits, the cheapest there is."""
    b = growth.builder
    channels = b.shape(x)[0]
    pad_value = 1 if b.type(x).element.kind is Kind.BIN else 0
    return b.conv(x, channels, padding=1, groups=channels, pad_value=pad_value)


def _pool(growth: Growth, x: int) -> int:
    draw, b = growth.draw, growth.builder
    _, height, width = b.shape(x)
    kind = draw(st.sampled_from(list(PoolKind)))
    kernel = draw(st.integers(1, min(3, height))), draw(st.integers(1, min(3, width)))
    return b.pool(x, kind, kernel, (draw(st.integers(1, 3)), draw(st.integers(1, 3))))


def _threshold(growth: Growth, x: int) -> int:
    draw, b = growth.draw, growth.builder
    kinds: tuple[Thresholds, ...] = ("plain", "tensor", "tight", "extreme")
    thresholds = draw(st.sampled_from(kinds))
    kind = draw(st.sampled_from(("ternarize", "binarize", "step", "i2", "i4", "u1", "u3")))
    match kind:
        case "ternarize":
            return b.ternarize(x, thresholds)
        case "binarize":
            return b.binarize(x, thresholds)
        case "step":
            return b.step(x, thresholds)
        case _:
            return b.quantize(x, kind, thresholds)


def _residual(growth: Growth, x: int) -> int:
    signs: tuple[ops.Op, ...] = (ops.Add(), ops.Sub())
    return growth.builder.add(
        growth.draw(st.sampled_from(signs)), _threshold(growth, _depthwise(growth, x)), x
    )


def _gate(growth: Growth, x: int) -> int:
    b = growth.builder
    if b.type(x).element not in _LOGIC:
        x = b.ternarize(x)
    main = _alike(growth, x)
    if growth.draw(st.booleans()):
        main = b.add(ops.Not(), main)
    return b.add(ops.Gate(growth.draw(st.sampled_from(list(GateKind)))), main, x)


def _alike(growth: Growth, x: int) -> int:
    """A layer on the logic values `x`, of the same type."""
    b = growth.builder
    sums = _depthwise(growth, x)
    match b.type(x).element.kind:
        case Kind.TRIT:
            return b.ternarize(sums)
        case Kind.BIN:
            return b.binarize(sums)
        case Kind.UNSIGNED | Kind.SIGNED:
            return b.step(sums)


def _mux(growth: Growth, x: int) -> int:
    b = growth.builder
    main = _threshold(growth, _depthwise(growth, x))
    if growth.draw(st.booleans()):
        kind = growth.draw(st.sampled_from(list(CompareKind)))
        return b.add(ops.Mux(), b.add(ops.Compare(kind), main, x), main, x)
    channel = b.step(b.add(ops.GlobalPool(growth.draw(st.sampled_from(list(PoolKind)))), x))
    return b.add(ops.Mux(), channel, main, x)


def _concat(growth: Growth, x: int) -> int:
    b = growth.builder
    size = b.shape(x)[1:]
    fitting = [i for i in growth.images if b.shape(i)[1:] == size and b.shape(i)[0] <= 129]
    others = growth.draw(st.lists(st.sampled_from(fitting or [x]), min_size=1, max_size=2))
    return b.add(ops.Concat(), x, *others)


def _slice(growth: Growth, x: int) -> int:
    channels = growth.builder.shape(x)[0]
    start = growth.draw(st.integers(0, channels - 1))
    stop = growth.draw(st.integers(start + 1, channels))
    return growth.builder.add(ops.Slice(start, stop), x)


def _shuffle(growth: Growth, x: int) -> int:
    channels = growth.builder.shape(x)[0]
    groups = [g for g in range(1, channels + 1) if channels % g == 0]
    return growth.builder.add(ops.ChannelShuffle(growth.draw(st.sampled_from(groups))), x)


def _upsample(growth: Growth, x: int) -> int:
    factor = growth.draw(st.integers(2, 3))
    fits = growth.builder.values[x].size * factor**2 <= growth.budget.elements
    return growth.builder.add(ops.Upsample(factor if fits else 1), x)


def _pixel_shuffle(growth: Growth, x: int) -> int:
    channels = growth.builder.shape(x)[0]
    factors = [f for f in (1, 2, 3) if channels % f**2 == 0]
    return growth.builder.add(ops.PixelShuffle(growth.draw(st.sampled_from(factors[-2:]))), x)


def _pointwise(growth: Growth, x: int) -> int:
    draw, b = growth.draw, growth.builder
    here = b.type(x).element
    candidates: list[ops.Op] = [
        ops.Shift(draw(st.integers(-3, 2))),
        ops.Clip(element(draw(st.sampled_from(("trit", "u1", "u3", "i3", "i5"))))),
        ops.Compare(draw(st.sampled_from(list(CompareKind))), draw(st.integers(-3, 3))),
    ]
    if here in _LOGIC:
        candidates.append(ops.Not())
    if here.kind is Kind.UNSIGNED:
        most = min(33, max(1, growth.budget.elements // b.values[x].size))
        planes = draw(st.sampled_from((Kind.TRIT, Kind.BIN)))
        candidates.append(ops.Thermometer(draw(st.integers(1, most)), planes))
    return b.add(draw(st.sampled_from(candidates)), x)


def _global_pool(growth: Growth, x: int) -> int:
    b = growth.builder
    pooled = b.add(ops.GlobalPool(growth.draw(st.sampled_from(list(PoolKind)))), x)
    if growth.draw(st.booleans()):
        pooled = _threshold(growth, pooled)
        return b.linear(pooled, _channels(growth, 1, b.values[pooled].size))
    return pooled


def _classifier(growth: Growth, x: int) -> int:
    b = growth.builder
    vector = b.add(ops.Flatten(), x)
    hidden = b.ternarize(b.linear(vector, _channels(growth, 1, b.values[vector].size)))
    scores = b.linear(hidden, growth.draw(st.integers(1, 12)))
    return b.add(ops.Argmax(), scores) if growth.draw(st.booleans()) else scores


def _sum(growth: Growth, x: int) -> int:
    return growth.builder.add(ops.Sum(), x)


STEPS: dict[str, Callable[[Growth, int], int]] = {
    "layer": _layer,
    "depthwise": _depthwise,
    "pool": _pool,
    "threshold": _threshold,
    "residual": _residual,
    "gate": _gate,
    "mux": _mux,
    "concat": _concat,
    "slice": _slice,
    "shuffle": _shuffle,
    "upsample": _upsample,
    "pixel_shuffle": _pixel_shuffle,
    "pointwise": _pointwise,
}
"""What a network may consist of: feature map to feature map."""

ENDS: dict[str, Callable[[Growth, int], int]] = {
    "global_pool": _global_pool,
    "sum": _sum,
    "classifier": _classifier,
}
"""What a network may end with: feature map to vector."""
