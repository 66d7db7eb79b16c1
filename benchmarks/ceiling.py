"""The popcount ceiling: how fast one core takes ternary dot products of bit-planes held in L1.

A register-blocked tile in vector IR: `PIXELS` broadcast words meet `VECTORS` x 8 weight words, both
counts of each pair stay in registers over all words, and nothing else is done: no addresses, no
thresholds, no packing. It bounds what any simulator built on popcount can reach on this machine.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from benchmarks.peers import Contestant, Kind

LANES = 8
SHAPES = ((4, 1), (6, 1), (4, 2), (6, 2), (4, 3))  # pixels x vectors; registers decide which wins
WORDS = 18
REPEATS = 400

WORD = ir.IntType(64)
VECTOR = ir.VectorType(WORD, LANES)


def broadcast(builder: ir.IRBuilder, word: ir.Value) -> ir.Value:
    """One word in every lane."""
    undefined = ir.Constant(VECTOR, ir.Undefined)
    lane = builder.insert_element(undefined, word, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(lane, undefined, order)


def tile_kernel(pixels: int, vectors: int) -> Callable[..., None]:
    """The jitted kernel (acts u64 [word, pixel, 2], weights u64 [word, 2, macro], sums i64).

    `sums` is `[pixel, macro]`; the kernel does the same tile `repeats` times.
    """

    @intrinsic
    def tile(typing: Any, acts: Any, weights: Any, sums: Any) -> Any:
        def generate(context: Any, b: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
            def words(number: int) -> ir.Value:
                array = context.make_array(signature.args[number])(context, b, args[number])
                return b.bitcast(array.data, WORD.as_pointer())

            act, weight, result = words(0), words(1), words(2)

            def vector(base: ir.Value, index: ir.Value) -> ir.Value:
                return b.bitcast(b.gep(base, [index]), VECTOR.as_pointer())

            ctpop = cgutils.get_or_insert_function(
                b.module, ir.FunctionType(VECTOR, [VECTOR]), "llvm.ctpop.v8i64"
            )
            start, loop, end = b.block, b.append_basic_block(), b.append_basic_block()
            b.branch(loop)
            b.position_at_end(loop)
            k = b.phi(WORD)
            k.add_incoming(WORD(0), start)
            counts = [b.phi(VECTOR) for _ in range(2 * pixels * vectors)]
            for count in counts:
                count.add_incoming(ir.Constant(VECTOR, [0] * LANES), start)
            plane = LANES * vectors
            row = b.mul(k, WORD(2 * plane))
            planes = [
                b.load(vector(weight, b.add(row, WORD(LANES * v + plane * p))), align=8)
                for v in range(vectors)
                for p in range(2)
            ]
            for p in range(pixels):
                first = b.add(b.mul(k, WORD(2 * pixels)), WORD(2 * p))
                nonzero = broadcast(b, b.load(b.gep(act, [first])))
                sign = broadcast(b, b.load(b.gep(act, [b.add(first, WORD(1))])))
                for v in range(vectors):
                    both = b.and_(nonzero, planes[2 * v])
                    negative = b.and_(both, b.xor(sign, planes[2 * v + 1]))
                    slot = 2 * (p * vectors + v)
                    for count, bits in zip(counts[slot : slot + 2], (both, negative), strict=True):
                        count.add_incoming(b.add(count, b.call(ctpop, [bits])), loop)
            following = b.add(k, WORD(1))
            k.add_incoming(following, loop)
            b.cbranch(b.icmp_unsigned("<", following, WORD(WORDS)), loop, end)
            b.position_at_end(end)
            for number in range(pixels * vectors):
                both, negative = (counts[2 * number + i].incomings[1][0] for i in range(2))
                total = b.sub(both, b.add(negative, negative))
                b.store(total, vector(result, WORD(LANES * number)), align=8)
            return context.get_dummy_value()

        return types.void(acts, weights, sums), generate

    @njit(nogil=True)
    def kernel(
        acts: NDArray[np.uint64], weights: NDArray[np.uint64], sums: NDArray[np.int64], repeats: int
    ) -> None:
        for _ in range(repeats):
            tile(acts, weights, sums)

    return kernel


def expected_sums(acts: NDArray[np.uint64], weights: NDArray[np.uint64]) -> NDArray[np.int64]:
    """What a tile computes, in plain NumPy."""
    both = acts[:, :, None, 0] & weights[:, None, 0]
    negative = both & (acts[:, :, None, 1] ^ weights[:, None, 1])
    counts = np.bitwise_count(both).astype(np.int64) - 2 * np.bitwise_count(negative)
    return counts.sum(axis=0)


def tile_contestant(pixels: int, vectors: int) -> Contestant:
    """One tile shape, compiled, checked, on operands that stay in L1."""
    rng = np.random.default_rng(4)
    macros = LANES * vectors
    acts = rng.integers(0, 2**64, (WORDS, pixels, 2), dtype=np.uint64)
    weights = rng.integers(0, 2**64, (WORDS, 2, macros), dtype=np.uint64)
    by_tile = np.zeros((pixels, macros), np.int64)
    kernel = tile_kernel(pixels, vectors)

    def run() -> NDArray[np.int64]:
        kernel(acts, weights, by_tile, REPEATS)
        return by_tile

    if not np.array_equal(run(), expected_sums(acts, weights)):
        raise ValueError(f"the {pixels} x {vectors} tile is wrong")
    work = REPEATS * WORDS * 64 * pixels * macros
    return Contestant(f"popcount {pixels}x{vectors}", Kind.CEILING, run, work)


def seconds(contestant: Contestant, calls: int = 50) -> float:
    """The fastest of some calls."""
    best = float("inf")
    for _ in range(calls):
        start = time.perf_counter()
        contestant.run()
        best = min(best, time.perf_counter() - start)
    return best


def fastest_tile() -> Contestant:
    """The tile shape that is fastest on this machine."""
    tiles = [tile_contestant(*shape) for shape in SHAPES]
    return max(tiles, key=lambda tile: tile.macs / seconds(tile))


if __name__ == "__main__":
    for shape in SHAPES:
        tile = tile_contestant(*shape)
        print(f"{tile.name}: {tile.macs / seconds(tile) / 1e9:.0f} GMAC/s")
