"""Row programs made by chance, and every value that their inputs can take together."""

from hypothesis import strategies as st

from tdsl.rows.builder import RowBuilder
from tdsl.rows.ir import (
    Arithmetic,
    Border,
    Range,
    Relation,
    RowInput,
    RowOutput,
    RowProgram,
    Sole,
)
from tdsl.rows.ranges import BIT

SMALL = [Range(0, 1), Range(-1, 1), Range(0, 7), Range(-4, 3), Range(2, 5), Range(-3, -1)]
MOST = 1 << 40


@st.composite
def builders(draw: st.DrawFn, shifts: bool = False, inputs: int = 2) -> RowBuilder:
    """A builder with a few inputs and values."""
    given = [_input(draw, name, shifts) for name in "abc"[: draw(st.integers(1, inputs))]]
    builder = RowBuilder(given)
    values = [builder.read(number) for number in range(len(given))]
    values.append(builder.constant(draw(st.integers(-5, 9))))
    for _ in range(draw(st.integers(1, 8))):
        made = _value(draw, builder, values, shifts)
        if abs(builder.range(made).low) < MOST and builder.range(made).high < MOST:
            values.append(made)
    return builder


@st.composite
def programs(draw: st.DrawFn) -> RowProgram:
    """A program that gives the last value and every value that is some way before."""
    builder = draw(builders(shifts=True))
    chosen = sorted({len(builder.values) - 1, len(builder.values) // 2})
    outputs = tuple(RowOutput(f"o{v}", (v,), builder.range(v)) for v in chosen)
    stride = draw(st.sampled_from([(1, 1), (2, 1), (1, 3)]))
    return RowProgram("made", tuple(builder.inputs), tuple(builder.values), outputs, stride=stride)


def _input(draw: st.DrawFn, name: str, shifts: bool) -> RowInput:
    found = draw(st.sampled_from(SMALL))
    if shifts and draw(st.booleans()):
        return RowInput(name, found, border=Border.EDGE)
    return RowInput(name, found, pad=draw(st.integers(-2, 9)) if shifts else found.low)


def _value(draw: st.DrawFn, builder: RowBuilder, values: list[int], shifts: bool) -> int:
    a, b = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    bits = [v for v in values if BIT.holds(builder.range(v))]
    match draw(st.integers(0, 6 if shifts else 5)):
        case 0:
            return builder.binary(draw(st.sampled_from(Arithmetic)), a, b)
        case 1:
            sole = draw(st.sampled_from(Sole))
            if sole is Sole.POPCOUNT and builder.range(a).signed:
                sole = Sole.ABS
            return builder.unary(sole, a)
        case 2:
            return builder.scale(a, draw(st.integers(-3, 3)))
        case 3:
            relation = draw(st.sampled_from(Relation))
            return builder.compare(relation, a, b, draw(st.booleans()))
        case 4 if bits:
            return builder.select(draw(st.sampled_from(bits)), a, b)
        case 6:
            return builder.shift(a, draw(st.integers(-2, 2)), draw(st.integers(-2, 2)))
        case _:
            lower = builder.binary(Arithmetic.MIN, b, a)
            return builder.binary(Arithmetic.SUB, builder.binary(Arithmetic.MAX, a, b), lower)
