"""Kernels of every kind, as a user writes them."""

# Annotations of kernels are read from the source, they are no types of Python.
# mypy: ignore-errors
# pyright: basic, reportInvalidTypeForm=false, reportUndefinedVariable=false
# pyright: reportGeneralTypeIssues=false, reportArgumentType=false

from tdsl import (
    I2,
    I8,
    I16,
    U8,
    U16,
    Bits,
    Const,
    L,
    Trits,
    histogram,
    kernel,
    mux,
    popcount,
    static,
    uop,
    widen,
    wrap,
)

SHARE = 3
WEIGHTS = ((1, 2, 1), (2, 4, 2), (1, 2, 1))


@kernel
def changed(now: U8[L], before: U8[L], thr: Const[int] = 12) -> Bits[L]:
    """Where two pictures differ by more than `thr`."""
    d = max(now, before) - min(now, before)
    return d > thr


@kernel
def sobel(img: U8[L, "edge"]) -> U8[L]:
    """Edges of any direction."""
    gx = sum(w * (img[dy, 1] - img[dy, -1]) for dy, w in ((-1, 1), (0, 2), (1, 1)))
    gy = sum(w * (img[1, dx] - img[-1, dx]) for dx, w in ((-1, 1), (0, 2), (1, 1)))
    return min(abs(gx) + abs(gy), 255)


@kernel(machine="nearmem-16mb")
def median(img: U8[L]) -> U8[L]:
    """The median of 3x3 pixels, by a sorting network."""
    p = [img[dy, dx] for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    for i in range(9):
        for j in range(i & 1, 8, 2):
            p[j], p[j + 1] = min(p[j], p[j + 1]), max(p[j], p[j + 1])
    return p[4]


@kernel
def exposure(img: U8[L]) -> tuple[list[int], int, int, U8[L]]:
    """Bins, the sum, whether anything is white, and the picture's complement."""
    white = img == 255
    return histogram(img, 8), sum(img), any(white), 255 - img


@kernel(machine="nearmem-16mb")
def luma(rgb: U8[3, L]) -> U8[L]:
    """Grey from colour."""
    r, g, b = rgb
    return (77 * r + 150 * g + 29 * b) >> 8


@kernel
def spread(img: U8[L], flip: Const[bool] = False) -> U8[2, L]:
    """A picture and its half, in either order."""
    parts = []
    parts.append(img)
    parts.append(img >> 1)
    return parts[::-1] if flip else parts


@kernel
def blur(img: U8[L, "edge"]) -> U8[L]:
    """A Gaussian of 3x3 pixels; its weights are frozen."""
    total = 0
    for y, line in enumerate(static(WEIGHTS)):
        for x, w in enumerate(line):
            total += w * img[y - 1, x - 1]
    return (total + 8) >> 4


@kernel
def twice_blurred(img: U8[L, "edge"]) -> U8[L]:
    """A kernel of a kernel: the formula at the neighbour."""
    return blur(blur(img))


@kernel
def gates(a: Trits[L], b: Trits[L]) -> tuple[Trits[L], Trits[L], Trits[L], Trits[L], I8[L]]:
    """Ternary gates, and trits as numbers."""
    return a & b, a | b, a ^ b, ~a, widen(a, I8) + 2 * b


@kernel
def bits(a: U8[L], b: U8[L]) -> tuple[U8[L], U8[L], U8[L], U8[L], I2[L], I8[L]]:
    """Bitwise operators, counting, and low bits."""
    both = 10 < a <= 200 and not b == 7
    return a & b | 1, a ^ b, popcount(a), wrap(a + b, U8), -both, wrap(a - b, I8)


@kernel(machine="nearmem-16mb")
def arithmetic(a: I8[L], b: U8[L], n: Const[int] = 3) -> tuple[I16[L], I16[L], I16[L], U16[L]]:
    """Products, division by powers of two, remainders, and a Const that unrolls."""
    total = a
    for _ in range(n):
        if n > 2:
            total += b
        else:
            total -= b
    return a * b, (a - b) // 4, total, (b * b) % 1024 + mux(a < 0, 1, 0)


@uop(opcode=0x2A, cycles=2, energy=0.25)
def tmac(acc: I16[L], x: Trits[L], w: Trits[L]) -> I16[L]:
    """A ternary multiply-accumulate that wraps."""
    return wrap(acc + x * w, I16)


@kernel
def dot(x: Trits[L], w: Trits[L], acc: I16[L], taps: Const[int] = 3) -> I16[L]:
    """Several of them."""
    for _ in range(taps):
        acc = tmac(acc, x, w)
    return acc
