"""Small networks for every operation and option, by name, the same in every run."""

from collections.abc import Callable
from functools import cache

from tdsl.ir import ops
from tdsl.ir.ops import Automaton, CompareKind, GateKind, PoolKind
from tdsl.ir.tensor_type import Kind
from tests.builder import Builder, Case, Padding, Pair, Thresholds, element


@cache
def named_networks() -> tuple[Case, ...]:
    """Every network of the table, built once; use `ids=str` in a parametrised test."""
    return tuple(_built(name, seed, build) for seed, (name, build) in enumerate(_TABLE.items()))


def named_network(name: str) -> Case:
    """One network of the table."""
    return next(case for case in named_networks() if case.name == name)


Build = Callable[[Builder], tuple[int, ...]]


def _built(name: str, seed: int, build: Build) -> Case:
    builder = Builder(name, seed)
    return builder.case(*build(builder))


def _conv(
    shape: tuple[int, int, int],
    out: int,
    kernel: Pair = 3,
    *,
    elements: str = "trit",
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    pad_value: int = 0,
) -> Build:
    """A convolution; its sums and their thresholds are both outputs."""

    def build(b: Builder) -> tuple[int, ...]:
        sums = b.conv(
            b.input("img", elements, shape),
            out,
            kernel,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            pad_value=pad_value,
        )
        return b.ternarize(sums), sums

    return build


def _pool(kind: str, kernel: Pair, stride: Pair | None = None) -> Build:
    """Pooled sums and their thresholds."""

    def build(b: Builder) -> tuple[int, ...]:
        pooled = b.pool(_sums(b), kind, kernel, stride)
        return b.ternarize(pooled), pooled

    return build


def _global_pool(kind: PoolKind) -> Build:
    def build(b: Builder) -> tuple[int, ...]:
        pooled = b.add(ops.GlobalPool(kind), _sums(b))
        return pooled, b.ternarize(pooled)

    return build


def _threshold(kind: str, thresholds: Thresholds) -> Build:
    def build(b: Builder) -> tuple[int, ...]:
        sums = _sums(b)
        match kind:
            case "ternarize":
                return (b.ternarize(sums, thresholds),)
            case "binarize":
                return (b.binarize(sums, thresholds),)
            case "step":
                return (b.step(sums, thresholds),)
            case _:
                return (b.quantize(sums, kind, thresholds),)

    return build


def _thermometer(elements: str, levels: int, kind: Kind) -> Build:
    def build(b: Builder) -> tuple[int, ...]:
        planes = b.add(ops.Thermometer(levels, kind), b.input("img", elements, (3, 6, 7)))
        return planes, b.ternarize(b.conv(planes, 9, 3))

    return build


def _one(elements: str, shape: tuple[int, ...], *unary: ops.Op) -> Build:
    """Operations one after the other, straight on an input."""

    def build(b: Builder) -> tuple[int, ...]:
        x = b.input("img", elements, shape)
        for op in unary:
            x = b.add(op, x)
        return (x,)

    return build


def _two(elements: str, op: ops.Op) -> Build:
    """An operation on two inputs."""

    def build(b: Builder) -> tuple[int, ...]:
        shape = (5, 6, 7)
        return (b.add(op, b.input("a", elements, shape), b.input("b", elements, shape)),)

    return build


def _sums(b: Builder) -> int:
    """Accumulators of a 3x3 layer: [12, 9, 13]."""
    return b.conv(b.input("img", "trit", (7, 9, 13)), 12, padding=1)


def _layer(b: Builder, x: int, out: int, kernel: Pair = 3, padding: Padding = 1) -> int:
    return b.ternarize(b.conv(x, out, kernel, padding=padding))


def _generated_weights(b: Builder) -> tuple[int, ...]:
    weight = Automaton(30, 7, (10, 6, 3, 3))
    return (b.ternarize(b.conv(b.input("img", "trit", (6, 5, 6)), 10, weight=weight)),)


def _pooled_trits(b: Builder) -> tuple[int, ...]:
    return (b.pool(_layer(b, b.input("img", "trit", (7, 9, 13)), 12), "max", 2),)


def _residual(sign: ops.Op) -> Build:
    def build(b: Builder) -> tuple[int, ...]:
        x = _layer(b, b.input("img", "u8", (1, 8, 9)), 13)
        main = b.quantize(b.conv(x, 13, padding=1), "i4")
        total = b.add(sign, main, x)
        return total, b.ternarize(b.conv(total, 5))

    return build


def _gated_residual(b: Builder) -> tuple[int, ...]:
    x = _layer(b, b.input("img", "u8", (1, 8, 9)), 16)
    main = _layer(b, x, 16)
    return (_layer(b, b.add(ops.Gate(GateKind.OR), main, x), 6),)


def _mux_pixels(b: Builder) -> tuple[int, ...]:
    x = _layer(b, b.input("img", "u8", (1, 8, 9)), 8)
    main = _layer(b, x, 8)
    chosen = b.add(ops.Compare(CompareKind.NE, 0), main)
    return (b.add(ops.Mux(), chosen, main, x),)


def _mux_channels(b: Builder) -> tuple[int, ...]:
    x = b.quantize(b.conv(b.input("img", "u8", (1, 8, 9)), 8), "i3")
    chosen = b.step(b.add(ops.GlobalPool(PoolKind.SUM), x))
    main = b.quantize(b.conv(x, 8, padding=1), "i3")
    return (b.add(ops.Mux(), chosen, main, b.add(ops.Shift(-1), x)),)


def _concat(b: Builder) -> tuple[int, ...]:
    x = b.input("img", "trit", (3, 7, 8))
    parts = (_layer(b, x, 5), x, _layer(b, x, 64))
    return (_layer(b, b.add(ops.Concat(), *parts), 6),)


def _slice(b: Builder) -> tuple[int, ...]:
    x = _layer(b, b.input("img", "trit", (3, 7, 8)), 70)
    return (_layer(b, b.add(ops.Slice(3, 68), x), 6),)


def _channel_shuffle(b: Builder) -> tuple[int, ...]:
    x = b.ternarize(b.conv(b.input("img", "trit", (6, 7, 8)), 12, groups=3))
    return (b.ternarize(b.conv(b.add(ops.ChannelShuffle(3), x), 9, groups=3)),)


def _upsample(b: Builder) -> tuple[int, ...]:
    x = _layer(b, b.input("img", "trit", (6, 5, 4)), 12)
    return (_layer(b, b.add(ops.Upsample(2), x), 7),)


def _pixel_shuffle(b: Builder) -> tuple[int, ...]:
    x = _layer(b, b.input("img", "trit", (6, 5, 4)), 12)
    return (_layer(b, b.add(ops.PixelShuffle(2), x), 7),)


def _denoiser(b: Builder) -> tuple[int, ...]:
    image = b.input("img", "u8", (1, 12, 16))
    x = b.add(ops.Thermometer(8), image)
    wide = _layer(b, x, 10)
    deep = b.ternarize(b.pool(b.conv(wide, 12, padding=1), "max"))
    up = _layer(b, b.add(ops.Upsample(2), deep), 10)
    both = b.add(ops.Concat(), up, wide)
    noise = b.quantize(b.conv(both, 1, padding=1), "i4")
    return (b.add(ops.Clip(element("u8")), b.add(ops.Sub(), image, noise)),)


def _classifier(b: Builder) -> tuple[int, ...]:
    x = b.add(ops.Thermometer(5), b.input("img", "u8", (1, 14, 14)))
    x = b.ternarize(b.pool(b.conv(x, 16, 5, padding=2), "max"))
    x = b.ternarize(b.pool(b.conv(x, 20, 3), "avg"))
    x = b.ternarize(b.linear(b.add(ops.Flatten(), x), 33))
    scores = b.linear(x, 10)
    return scores, b.add(ops.Argmax(), scores)


def _linear(inputs: int, out: int) -> Build:
    def build(b: Builder) -> tuple[int, ...]:
        sums = b.linear(b.input("x", "trit", (inputs,)), out)
        return sums, b.ternarize(sums)

    return build


def _several_outputs(b: Builder) -> tuple[int, ...]:
    sums = _sums(b)
    x = b.ternarize(sums)
    return b.step(sums), x, b.conv(x, 3), x


def _two_inputs(b: Builder) -> tuple[int, ...]:
    now, before = b.input("now", "u8", (1, 8, 10)), b.input("before", "u8", (1, 8, 10))
    change = b.add(ops.Sub(), now, before)
    return _layer(b, change, 5), b.add(ops.Sum(), b.step(change))


_IMAGE = (5, 9, 11)

_TABLE: dict[str, Build] = {
    "conv_3x3": _conv(_IMAGE, 8, padding=1),
    "conv_1x1": _conv(_IMAGE, 8, 1),
    "conv_1x1_on_one_pixel": _conv((3, 1, 1), 4, 1),
    "conv_3x3_on_one_pixel": _conv((3, 1, 1), 4, padding=1),
    "conv_1_to_1": _conv((1, 4, 5), 1),
    "conv_2x2": _conv(_IMAGE, 8, 2),
    "conv_5x5": _conv(_IMAGE, 8, 5, padding=2),
    "conv_1x5": _conv(_IMAGE, 8, (1, 5)),
    "conv_4x2": _conv(_IMAGE, 8, (4, 2)),
    "conv_stride_2": _conv(_IMAGE, 8, stride=2, padding=1),
    "conv_stride_1x3": _conv(_IMAGE, 8, stride=(1, 3)),
    "conv_stride_beyond_kernel": _conv(_IMAGE, 8, 1, stride=2),
    "conv_pad_uneven": _conv(_IMAGE, 8, padding=(2, 0, 1, 3)),
    "conv_pad_beyond_kernel": _conv((2, 3, 4), 5, padding=3),
    "conv_dilation_2": _conv(_IMAGE, 8, dilation=2, padding=2),
    "conv_dilation_3x1": _conv(_IMAGE, 8, dilation=(3, 1)),
    "conv_groups": _conv((6, 7, 9), 9, groups=3, padding=1),
    "conv_depthwise": _conv((17, 7, 9), 17, groups=17, padding=1),
    "conv_depthwise_twofold": _conv((6, 7, 9), 12, groups=6, stride=2, padding=1),
    "conv_everything": _conv(
        (6, 13, 11), 4, (2, 3), stride=(2, 1), padding=(1, 2, 0, 1), dilation=(1, 2), groups=2
    ),
    "conv_u8": _conv((1, 9, 11), 8, elements="u8", padding=1),
    "conv_u8_rgb": _conv((3, 6, 7), 8, elements="u8", padding=1),
    "conv_u1": _conv(_IMAGE, 8, elements="u1", padding=1),
    "conv_i4": _conv(_IMAGE, 8, elements="i4", padding=1),
    "conv_bin": _conv(_IMAGE, 8, elements="bin"),
    "conv_bin_pad_minus_1": _conv(_IMAGE, 8, elements="bin", padding=1, pad_value=-1),
    "conv_bin_pad_1": _conv(_IMAGE, 8, elements="bin", padding=1, pad_value=1),
    "conv_generated_weights": _generated_weights,
    "conv_63_channels": _conv((63, 4, 5), 65, padding=1),
    "conv_64_channels": _conv((64, 4, 5), 64, padding=1),
    "conv_65_channels": _conv((65, 4, 5), 63, padding=1),
    "conv_127_channels": _conv((127, 3, 3), 129, padding=1),
    "conv_128_channels": _conv((128, 3, 3), 128, padding=1),
    "conv_129_channels": _conv((129, 3, 3), 127, padding=1),
    "conv_63_wide": _conv((2, 4, 63), 3, padding=1),
    "conv_64_wide": _conv((2, 4, 64), 3, padding=1),
    "conv_65_wide": _conv((2, 4, 65), 3, padding=1),
    "conv_129_wide": _conv((2, 4, 129), 3, stride=2, padding=1),
    "conv_129_high": _conv((2, 129, 4), 3, padding=1),
    "max_pool": _pool("max", 2),
    "max_pool_overlapping": _pool("max", 3, 2),
    "max_pool_1x3": _pool("max", (1, 3)),
    "max_pool_on_trits": _pooled_trits,
    "avg_pool": _pool("avg", 2),
    "avg_pool_overlapping": _pool("avg", (3, 2), 1),
    "avg_pool_with_gaps": _pool("avg", 2, 3),
    "sum_pool": _pool("sum", (2, 3)),
    "global_max_pool": _global_pool(PoolKind.MAX),
    "global_avg_pool": _global_pool(PoolKind.AVG),
    "global_sum_pool": _global_pool(PoolKind.SUM),
    "sum": _one("trit", (5, 6, 7), ops.Sum()),
    "ternarize_per_channel": _threshold("ternarize", "plain"),
    "ternarize_per_tensor": _threshold("ternarize", "tensor"),
    "ternarize_without_zero": _threshold("ternarize", "tight"),
    "ternarize_extreme": _threshold("ternarize", "extreme"),
    "binarize_per_channel": _threshold("binarize", "plain"),
    "binarize_per_tensor": _threshold("binarize", "tensor"),
    "binarize_extreme": _threshold("binarize", "extreme"),
    "step_per_channel": _threshold("step", "plain"),
    "step_per_tensor": _threshold("step", "tensor"),
    "quantize_i3": _threshold("i3", "plain"),
    "quantize_u2": _threshold("u2", "plain"),
    "quantize_per_tensor": _threshold("i4", "tensor"),
    "thermometer_u8": _thermometer("u8", 32, Kind.TRIT),
    "thermometer_u4": _thermometer("u4", 5, Kind.TRIT),
    "thermometer_bin": _thermometer("u8", 7, Kind.BIN),
    "add": _residual(ops.Add()),
    "sub": _residual(ops.Sub()),
    "and_trit": _two("trit", ops.Gate(GateKind.AND)),
    "or_trit": _two("trit", ops.Gate(GateKind.OR)),
    "xor_trit": _two("trit", ops.Gate(GateKind.XOR)),
    "xor_bin": _two("bin", ops.Gate(GateKind.XOR)),
    "and_u1": _two("u1", ops.Gate(GateKind.AND)),
    "or_u1": _two("u1", ops.Gate(GateKind.OR)),
    "xor_u1": _two("u1", ops.Gate(GateKind.XOR)),
    "not_trit": _one("trit", (5, 6, 7), ops.Not()),
    "not_bin": _one("bin", (5, 6, 7), ops.Not()),
    "not_u1": _one("u1", (5, 6, 7), ops.Not()),
    "or_residual": _gated_residual,
    "mux_pixels": _mux_pixels,
    "mux_channels": _mux_channels,
    "concat": _concat,
    "slice": _slice,
    "channel_shuffle": _channel_shuffle,
    "upsample": _upsample,
    "pixel_shuffle": _pixel_shuffle,
    "shift_left": _one("i5", (5, 6, 7), ops.Shift(2)),
    "shift_right": _one("i5", (5, 6, 7), ops.Shift(-2)),
    "compare_constant": _one("i5", (5, 6, 7), ops.Compare(CompareKind.LE, -3)),
    "clip": _one("i6", (5, 6, 7), ops.Clip(element("u3"))),
    **{f"compare_{kind.name.lower()}": _two("i3", ops.Compare(kind)) for kind in CompareKind},
    "flatten": _one("trit", (5, 6, 7), ops.Flatten()),
    "argmax": _one("i9", (23,), ops.Argmax()),
    "linear": _linear(130, 10),
    "linear_64": _linear(64, 65),
    "classifier": _classifier,
    "denoiser": _denoiser,
    "several_outputs": _several_outputs,
    "two_inputs": _two_inputs,
}
