"""The operator table: exact result types, tight ranges, and every refusal."""

import numpy as np
import pytest

from tdsl.ir import ops
from tdsl.ir.condition import Where
from tdsl.ir.infer import infer
from tdsl.ir.infer_windows import same_padding
from tdsl.ir.interpreter import evaluate
from tdsl.ir.op_error import OpError
from tdsl.ir.ops import Constant, PoolKind, Stored
from tdsl.ir.size import Size, symbol
from tdsl.ir.tensor_type import BIN, TRIT, U1, Kind, TensorType, narrowest, signed, unsigned

H, W = symbol("H"), symbol("W")
ZERO = Constant((0,))


def t(text: str, *shape: Size) -> TensorType:
    """`t("u8", 1, H, W)` is u8[1, H, W]."""
    named = {"trit": TRIT, "bin": BIN}
    element = named.get(text) or (unsigned if text[0] == "u" else signed)(int(text[1:]))
    return TensorType(element, shape)


def conv(
    out: int,
    inside: int,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (1, 1, 1, 1),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    pad_value: int = 0,
) -> ops.Conv:
    """A convolution of `inside` channels."""
    weight = Stored("w", (out, inside // groups, *kernel))
    return ops.Conv(weight, out, kernel, stride, padding, dilation, groups, pad_value)


AVG, MAX, SUM = PoolKind.AVG, PoolKind.MAX, PoolKind.SUM
AND = ops.Gate(ops.GateKind.AND)
LESS = ops.CompareKind.LT
IMAGE = t("trit", 8, 9, 7)

TYPES: list[tuple[ops.Op, tuple[TensorType, ...], str]] = [
    (conv(96, 96), (t("trit", 96, 16, 16),), "i11[96, 16, 16]"),
    (conv(4, 1), (t("u8", 1, 28, 28),), "i13[4, 28, 28]"),
    (conv(4, 8), (t("i3", 8, 5, 5),), "i10[4, 5, 5]"),
    (conv(8, 8, groups=8), (IMAGE,), "i5[8, 9, 7]"),
    (conv(4, 8, stride=(2, 3)), (IMAGE,), "i8[4, 5, 3]"),
    (conv(4, 8, dilation=(2, 2), padding=(2, 2, 2, 2)), (IMAGE,), "i8[4, 9, 7]"),
    (conv(4, 8, (2, 4), padding=(0, 1, 1, 2)), (IMAGE,), "i8[4, 9, 7]"),
    (conv(4, 8, (1, 1), padding=(0, 0, 0, 0)), (t("bin", 8, 2, 2),), "i5[4, 2, 2]"),
    (conv(4, 8, pad_value=-1), (t("bin", 8, 2, 2),), "i8[4, 2, 2]"),
    (conv(4, 8), (t("trit", 8, H, W),), "i8[4, H, W]"),
    (
        conv(4, 8, stride=(2, 2)),
        (t("trit", 8, H, W),),
        "i8[4, floor((H + 1) / 2), floor((W + 1) / 2)]",
    ),
    (ops.Linear(Stored("w", (10, 96)), 10), (t("trit", 96),), "i8[10]"),
    (ops.Linear(Stored("w", (10, 96)), 10), (t("u8", 96),), "i16[10]"),
    (ops.Pool(MAX, (2, 2), (2, 2)), (t("i9", 8, 9, 7),), "i9[8, 4, 3]"),
    (ops.Pool(MAX, (3, 3), (1, 2)), (IMAGE,), "trit[8, 7, 3]"),
    (ops.Pool(AVG, (2, 2), (2, 2)), (t("bin", 8, 4, 4),), "trit[8, 2, 2]"),
    (ops.Pool(AVG, (2, 2), (2, 2)), (t("u8", 8, H, W),), "u8[8, floor(H / 2), floor(W / 2)]"),
    (ops.Pool(SUM, (2, 2), (2, 2)), (t("u8", 8, 4, 4),), "u10[8, 2, 2]"),
    (ops.Pool(SUM, (2, 2), (2, 2)), (t("trit", 8, 4, 4),), "i4[8, 2, 2]"),
    (ops.GlobalPool(MAX), (t("i9", 8, H, W),), "i9[8]"),
    (ops.GlobalPool(AVG), (t("bin", 8, H, W),), "trit[8]"),
    (ops.GlobalPool(SUM), (t("i3", 64, 32, 32),), "i13[64]"),
    (ops.Sum(), (t("u1", 1, 15, 20),), "u9[1]"),
    (ops.Ternarize(ZERO, ZERO), (t("i9", 8, H, W),), "trit[8, H, W]"),
    (ops.Ternarize(Stored("lo", (8,)), ZERO), (t("i9", 8, 1, 1),), "trit[8, 1, 1]"),
    (ops.Binarize(ZERO), (t("i9", 8),), "bin[8]"),
    (ops.Step(Stored("t", (8,))), (t("i9", 8),), "u1[8]"),
    (ops.Quantize(signed(3), Stored("th", (8, 7))), (t("i9", 8, 2, 2),), "i3[8, 2, 2]"),
    (ops.Quantize(unsigned(2), Constant((1, 1, 5), (3,))), (t("i9", 8, 2, 2),), "u2[8, 2, 2]"),
    (ops.Thermometer(32), (t("u8", 3, H, W),), "trit[96, H, W]"),
    (ops.Thermometer(4, Kind.BIN), (t("u8", 3, 2, 2),), "bin[12, 2, 2]"),
    (
        ops.Upsample(2),
        (t("trit", 8, H // 2, W // 2),),
        "trit[8, 2 * floor(H / 2), 2 * floor(W / 2)]",
    ),
    (ops.PixelShuffle(2), (t("i9", 8, 3, W),), "i9[2, 6, 2 * W]"),
    (ops.Concat(), (t("trit", 8, H, W), t("trit", 4, H, W)), "trit[12, H, W]"),
    (ops.Concat(), (t("trit", 8), t("bin", 4), t("u1", 1)), "trit[13]"),
    (ops.Concat(), (t("u8", 8), t("i3", 4)), "i9[12]"),
    (ops.Slice(2, 5), (IMAGE,), "trit[3, 9, 7]"),
    (ops.ChannelShuffle(4), (IMAGE,), "trit[8, 9, 7]"),
    (ops.Add(), (t("trit", 8), t("trit", 8)), "i3[8]"),
    (ops.Add(), (t("u8", 8), t("u8", 8)), "u9[8]"),
    (ops.Sub(), (t("u8", 8), t("u8", 8)), "i9[8]"),
    (ops.Sub(), (t("u8", 1, H, W), t("i8", 1, H, W)), "i10[1, H, W]"),
    (AND, (t("bin", 8), t("bin", 8)), "bin[8]"),
    (ops.Not(), (t("u1", 8),), "u1[8]"),
    (ops.Mux(), (t("u1", 8), t("i3", 8, 4, 4), t("i2", 8, 4, 4)), "i3[8, 4, 4]"),
    (ops.Mux(), (t("u1", 8, 4, 4), t("trit", 8, 4, 4), t("bin", 8, 4, 4)), "trit[8, 4, 4]"),
    (ops.Shift(-1), (t("i3", 8),), "i2[8]"),
    (ops.Shift(2), (t("trit", 8),), "i4[8]"),
    (ops.Shift(-9), (t("u8", 8),), "u1[8]"),
    (ops.Compare(LESS, 3), (t("i9", 8, H, W),), "u1[8, H, W]"),
    (ops.Compare(LESS), (t("i9", 8), t("u4", 8)), "u1[8]"),
    (ops.Clip(unsigned(8)), (t("i10", 1, H, W),), "u8[1, H, W]"),
    (ops.Flatten(), (t("trit", 32, 5, 5),), "trit[800]"),
    (ops.Flatten(), (t("trit", 32, H, 1),), "trit[32 * H]"),
    (ops.Argmax(), (t("i9", 12),), "u4[1]"),
    (ops.Argmax(), (t("i9", 1),), "u1[1]"),
]


@pytest.mark.parametrize(("op", "inputs", "result"), TYPES, ids=lambda value: str(value)[:40])
def test_result_types(op: ops.Op, inputs: tuple[TensorType, ...], result: str) -> None:
    assert str(infer(op, inputs)) == result


EVEN: Where = ((H % 2, "==", 0),)


def test_conditions_shorten_result_types() -> None:
    x = t("trit", 8, H // 2, W // 2)
    assert str(infer(ops.Upsample(2), (x,), EVEN)) == "trit[8, H, 2 * floor(W / 2)]"


def test_bounded_images_have_sums() -> None:
    where: Where = ((H, "<=", 1080), (W, "<=", 1920))
    result = infer(ops.GlobalPool(SUM), (t("u8", 4, H, W),), where)
    assert result == TensorType(narrowest(0, 255 * 1080 * 1920), (4,))


EXTREME = [t("u8", 4, 3, 3), t("i3", 4, 3, 3), t("trit", 4, 3, 3), t("bin", 4, 3, 3)]


@pytest.mark.parametrize("x", EXTREME, ids=str)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_accumulator_is_reached_and_no_wider(x: TensorType, sign: int) -> None:
    op = conv(1, 4, padding=(0, 0, 0, 0))
    weight = np.full((1, 4, 3, 3), sign)
    extreme = x.element.low if -x.element.low > x.element.high else x.element.high
    value = evaluate(op, [np.full((4, 3, 3), extreme)], [x], {op.weight: weight})  # type: ignore[dict-item]
    result = infer(op, (x,)).element
    assert result.low <= int(value[0, 0, 0]) <= result.high
    assert narrowest(-abs(int(value[0, 0, 0])), abs(int(value[0, 0, 0]))) == result


@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("kernel", range(1, 6))
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_gives_ceil_of_size_over_stride(
    size: int, kernel: int, stride: int, dilation: int
) -> None:
    padding = same_padding((kernel, kernel), (dilation, dilation))
    assert padding[0] <= padding[2] <= padding[0] + 1
    op = conv(1, 1, (kernel, kernel), (stride, stride), padding, (dilation, dilation))
    result = infer(op, (t("trit", 1, size, size),))
    assert result.shape == (1, -(-size // stride), -(-size // stride))


REFUSED: list[tuple[ops.Op, tuple[TensorType, ...], str, str]] = [
    (conv(4, 8), (t("trit", 8),), "E0306", "an image has channels, height and width"),
    (conv(4, 8), (t("trit", H, 4, 4),), "E0314", "`H` is known only when the network runs"),
    (conv(4, 8, groups=3), (IMAGE,), "E0310", "8 % 3 = 2"),
    (conv(6, 8, groups=4), (IMAGE,), "E0310", "6 % 4 = 2"),
    (conv(4, 8), (t("bin", 8, 4, 4),), "E0303", "`pad = same` adds zeros"),
    (conv(4, 8, padding=(2, 2, 2, 2)), (t("bin", 8, 4, 4),), "E0303", "`pad = 2` adds zeros"),
    (
        conv(4, 8, padding=(0, 1, 2, 3)),
        (t("bin", 8, 4, 4),),
        "E0303",
        "`pad = [0, 1, 2, 3]` adds zeros",
    ),
    (conv(4, 8, pad_value=1), (IMAGE,), "E0303", "only `bin` has no 0 and takes another border"),
    (conv(4, 4), (IMAGE,), "E0402", "needs shape (4, 8, 3, 3)"),
    (conv(4, 8, (12, 3)), (IMAGE,), "E0309", "it spans 12 pixels, 11 are there"),
    (conv(4, 8), (t("u32", 8, 4, 4),), "E0304", "it reaches -309237645240 to 309237645240: `i40`"),
    (ops.Linear(ZERO, 10), (IMAGE,), "E0306", "a vector has one size"),
    (ops.Pool(MAX, (8, 8), (8, 8)), (IMAGE,), "E0309", "it spans 8 pixels, 7 are there"),
    (
        ops.GlobalPool(SUM),
        (t("u8", 4, H, W),),
        "E0311",
        "`H` has no upper bound, so no type holds the sum",
    ),
    (ops.Ternarize(Constant((5,)), Constant((3,))), (IMAGE,), "E0403", "lo = 5, hi = 3"),
    (ops.Ternarize(Stored("lo", (7,)), ZERO), (IMAGE,), "E0402", "needs shape () or (8,)"),
    (ops.Quantize(TRIT, ZERO), (IMAGE,), "E0305", "give it a type such as `i4` or `u8`"),
    (ops.Quantize(signed(16), ZERO), (IMAGE,), "E0305", "`i16` has 65535 thresholds a channel"),
    (
        ops.Quantize(unsigned(1), Constant((1, 2), (2,))),
        (IMAGE,),
        "E0402",
        "needs shape (1,) or (8, 1)",
    ),
    (
        ops.Quantize(unsigned(2), Constant((1, 3, 2), (3,))),
        (IMAGE,),
        "E0407",
        "threshold 1 is 3, threshold 2 is 2",
    ),
    (
        ops.Thermometer(4),
        (IMAGE,),
        "E0305",
        "its levels are spread evenly from 0 to the largest value",
    ),
    (ops.PixelShuffle(3), (IMAGE,), "E0310", "8 channels are not a multiple of 9"),
    (ops.Concat(), (IMAGE, t("trit", 8, 9, 6)), "E0301", "widths: 7 against 6"),
    (ops.Concat(), (IMAGE, t("trit", 8)), "E0301", "an image against a vector"),
    (ops.Slice(4, 9), (IMAGE,), "E0310", "the channels are 0..8; the end is not included"),
    (ops.Slice(4, 4), (IMAGE,), "E0310", "the channels are 0..8; the end is not included"),
    (ops.ChannelShuffle(3), (IMAGE,), "E0310", "8 % 3 = 2"),
    (ops.Add(), (IMAGE, t("trit", 4, 9, 7)), "E0301", "channels: 8 against 4"),
    (ops.Add(), (t("u32", 1), t("u32", 1)), "E0304", "it reaches 0 to 8589934590: `u33`"),
    (AND, (t("trit", 8), t("bin", 8)), "E0305", "`trit` and `bin`"),
    (AND, (t("i3", 8), t("i3", 8)), "E0305", "`i3` and `i3`"),
    (ops.Not(), (t("i3", 8),), "E0305", "an integer has no opposite of the same width"),
    (ops.Mux(), (IMAGE, IMAGE, IMAGE), "E0305", "the first operand is the selector"),
    (ops.Mux(), (t("u1", 4), IMAGE, IMAGE), "E0301", "channels: 4 against 8"),
    (ops.Mux(), (t("u1", 8, 9, 7), IMAGE, t("trit", 8, 9, 8)), "E0301", "widths: 7 against 8"),
    (ops.Shift(32), (t("trit", 1),), "E0308", "0 to 31 are possible"),
    (ops.Shift(31), (t("u8", 1),), "E0304", "it reaches 0 to 547608330240: `u39`"),
    (ops.Clip(BIN), (t("trit", 1),), "E0305", "values between -1 and +1 have no place in it"),
    (
        ops.Flatten(),
        (t("trit", 4, H, W),),
        "E0311",
        "4 times H times W is not a size the compiler can follow",
    ),
    (ops.Argmax(), (IMAGE,), "E0306", "a vector has one size"),
]


@pytest.mark.parametrize(
    ("op", "inputs", "code", "label"), REFUSED, ids=lambda value: str(value)[:40]
)
def test_refusals(op: ops.Op, inputs: tuple[TensorType, ...], code: str, label: str) -> None:
    with pytest.raises(OpError) as caught:
        infer(op, inputs)
    assert (caught.value.code, caught.value.label) == (code, label)


def test_sizes_equal_for_some_values_only_come_with_an_example_and_conditions() -> None:
    x, y = t("trit", 8, H // 2 * 2, W), t("trit", 8, H, W)
    with pytest.raises(OpError) as caught:
        infer(ops.Add(), (x, y))
    assert caught.value.code == "E0302"
    assert caught.value.notes == ("for example H = 3 gives 2 and 3",)
    assert infer(ops.Add(), (x, y), caught.value.conditions).shape == (8, 2 * (H // 2), W)


def test_inputs_have_no_inferred_type() -> None:
    with pytest.raises(ValueError, match="declared"):
        infer(ops.Input(), ())


def test_one_bit_comparisons() -> None:
    assert infer(ops.Compare(ops.CompareKind.EQ, 0), (IMAGE,)).element == U1
