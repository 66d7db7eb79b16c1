"""Values <-> the elements of images, of any integer type."""

from typing import Any

from tdsl_runtime.kernels.columns import P_CHANNELS, P_HEIGHT, P_START, P_TYPE, P_WIDTH
from tdsl_runtime.kernels.jit import I8, I16, I32, I64, INT, cgutils, emitted, inner, pointer, types


def spread_of(kind: Any, extend: str) -> Any:
    """values[i * step] = raw[start + i], elements of one type, for i in 0..count-1."""

    @emitted
    def spread(
        typing: Any, raw: Any, start: Any, values: Any, to: Any, step: Any, count: Any
    ) -> Any:
        signature = types.void(raw, INT, values, INT, INT, INT)

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            raw, start, values, to, step, count = args
            source = pointer(context, b, sig.args[0], raw, start, kind)
            target = pointer(context, b, sig.args[2], values, to, I64)
            with cgutils.for_range(b, count) as loop:
                value = b.load(b.gep(source, [loop.index]), align=1)
                wide = value if kind is I64 else getattr(b, extend)(value, I64)
                b.store(wide, b.gep(target, [b.mul(loop.index, step)]))
            return context.get_dummy_value()

        return signature, generate

    return spread


spread_u1, spread_i1 = spread_of(I8, "zext"), spread_of(I8, "sext")
spread_u2, spread_i2 = spread_of(I16, "zext"), spread_of(I16, "sext")
spread_u4, spread_i4 = spread_of(I32, "zext"), spread_of(I32, "sext")
spread_i8 = spread_of(I64, "sext")


@inner
def read_line(raw: Any, port: Any, y: Any, first: Any, count: Any, values: Any) -> None:
    """values[x * C + c] = pixel first + x of channel c of an image line."""
    channels, kind = port[P_CHANNELS], port[P_TYPE]
    for c in range(channels):
        at = (c * port[P_HEIGHT] + y) * port[P_WIDTH] + first
        if kind == 0:
            spread_u1(raw, port[P_START] + at, values, c, channels, count)
        elif kind == 1:
            spread_i1(raw, port[P_START] + at, values, c, channels, count)
        elif kind == 2:
            spread_u2(raw, port[P_START] + 2 * at, values, c, channels, count)
        elif kind == 3:
            spread_i2(raw, port[P_START] + 2 * at, values, c, channels, count)
        elif kind == 4:
            spread_u4(raw, port[P_START] + 4 * at, values, c, channels, count)
        elif kind == 5:
            spread_i4(raw, port[P_START] + 4 * at, values, c, channels, count)
        else:
            spread_i8(raw, port[P_START] + 8 * at, values, c, channels, count)


def narrow_to(kind: Any) -> Any:
    """out[at + i] = values[from + i * step] as elements of one type, for i in 0..count-1."""

    @emitted
    def narrow(
        typing: Any, values: Any, start: Any, step: Any, out: Any, at: Any, count: Any
    ) -> Any:
        signature = types.void(values, INT, INT, out, INT, INT)

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            values, start, step, out, at, count = args
            source = pointer(context, b, sig.args[0], values, start, I64)
            target = pointer(context, b, sig.args[3], out, I64(0), kind)
            with cgutils.for_range(b, count) as loop:
                value = b.load(b.gep(source, [b.mul(loop.index, step)]))
                thin = value if kind is I64 else b.trunc(value, kind)
                b.store(thin, b.gep(target, [b.add(at, loop.index)]), align=1)
            return context.get_dummy_value()

        return signature, generate

    return narrow


narrow_i1, narrow_i2, narrow_i4, narrow_i8 = (narrow_to(kind) for kind in (I8, I16, I32, I64))


@inner
def put_values(
    kind: Any, values: Any, start: Any, step: Any, out: Any, at: Any, count: Any
) -> None:
    """Write values to the output's bytes as elements of its type, from element `at` on."""
    if kind == 1:
        narrow_i1(values, start, step, out, at, count)
    elif kind == 3:
        narrow_i2(values, start, step, out, at, count)
    elif kind == 5:
        narrow_i4(values, start, step, out, at, count)
    else:
        narrow_i8(values, start, step, out, at, count)


@inner
def element_shift(kind: Any) -> Any:
    """log2 of the bytes of an element type."""
    return min(kind >> 1, 3)
