"""Windows and weights as bytes -> sums, by the matrix tiles of CPUs that have them (AMX)."""

from typing import Any

from tdsl_runtime.kernels.columns import TILE
from tdsl_runtime.kernels.jit import (
    I8,
    I32,
    I64,
    INT,
    binding,
    call_intrinsic,
    cgutils,
    config,
    emitted,
    inner,
    ir,
    pointer,
    types,
)


def host_has_tiles() -> bool:
    """Whether LLVM compiles for a CPU with int8 matrix tiles (AMX)."""
    features = binding.get_host_cpu_features()
    chosen = config.CPU_NAME in (None, "host") and config.CPU_FEATURES is None
    return chosen and bool(features.get("amx-tile") and features.get("amx-int8"))


TILES = host_has_tiles()


def tile_call(b: Any, name: str, *args: Any) -> None:
    """Call an AMX intrinsic; nothing where LLVM has none, since it is never reached there."""
    if TILES:
        call_intrinsic(b, f"llvm.x86.{name}", ir.VoidType(), *args)


@emitted
def start_tiles(typing: Any, layout: Any) -> Any:
    """Configure the tiles of this thread."""

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        tile_call(b, "ldtilecfg", pointer(context, b, sig.args[0], args[0], I64(0), I8))
        return context.get_dummy_value()

    return types.void(layout), generate


@emitted
def end_tiles(typing: Any) -> Any:
    """Give the tiles back."""

    def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
        tile_call(b, "tilerelease")
        return context.get_dummy_value()

    return types.void(), generate


def matrix_block(rows: int, columns: int) -> Any:
    """Windows `first`.. against macros: `rows` x `columns` tiles of 16 windows by 16 macros.

    Step k of window q stands in the bytes `trits[kbase[k] + q * kstep[k] ...]`, its weights for
    16 macros in the tile at `tiles[at + k * TILE]`, those of the next 16 `next_at` bytes further.
    The sums go to `sums[to ...]`, window by window `line` apart.
    """

    @emitted
    def block(
        typing: Any, trits: Any, kbase: Any, kstep: Any, n_k: Any, first: Any, tiles: Any, at: Any,
        next_at: Any, sums: Any, to: Any, line: Any,
    ) -> Any:  # fmt: skip
        signature = types.void(trits, kbase, kstep, INT, INT, tiles, INT, INT, sums, INT, INT)

        def generate(context: Any, b: Any, sig: Any, args: Any) -> Any:
            trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line = args
            pairs = [(r, c) for r in range(rows) for c in range(columns)]
            for r, c in pairs:
                tile_call(b, "tilezero", I8(2 * r + c))
            width = I64(64)
            with cgutils.for_range(b, n_k) as loop:
                step = b.load(pointer(context, b, sig.args[2], kstep, loop.index, I64))
                base = b.load(pointer(context, b, sig.args[1], kbase, loop.index, I64))
                window = b.add(base, b.mul(first, step))
                weight = b.add(at, b.mul(loop.index, I64(TILE)))
                # A load before each product, no more: the tile unit works while the next one loads.
                loaded: set[int] = set()
                for r, c in pairs:
                    if 6 + c not in loaded:
                        place = b.add(weight, b.mul(next_at, I64(c)))
                        source = pointer(context, b, sig.args[5], tiles, place, I8)
                        tile_call(b, "tileloadd64", I8(6 + c), source, width)
                    if 4 + r not in loaded:
                        place = b.add(window, b.mul(step, I64(16 * r)))
                        source = pointer(context, b, sig.args[0], trits, place, I8)
                        tile_call(b, "tileloadd64", I8(4 + r), source, step)
                    loaded |= {4 + r, 6 + c}
                    tile_call(b, "tdpbssd", I8(2 * r + c), I8(4 + r), I8(6 + c))
            for r, c in pairs:
                place = b.add(b.add(to, b.mul(line, I64(16 * r))), I64(16 * c))
                target = b.bitcast(
                    pointer(context, b, sig.args[8], sums, place, I32), I8.as_pointer()
                )
                tile_call(b, "tilestored64", I8(2 * r + c), target, b.mul(line, I64(4)))
            return context.get_dummy_value()

        return signature, generate

    return block


matrix_2x2, matrix_2x1 = matrix_block(2, 2), matrix_block(2, 1)
matrix_1x2, matrix_1x1 = matrix_block(1, 2), matrix_block(1, 1)


@inner
def multiply(
    trits: Any, kbase: Any, kstep: Any, n_k: Any, first: Any, rows: Any, tiles: Any, at: Any,
    columns: Any, sums: Any, to: Any, line: Any,
) -> None:  # fmt: skip
    """A block of up to 32 windows by up to 32 macros."""
    next_at = n_k * TILE
    if rows > 16 and columns > 16:
        matrix_2x2(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
    elif rows > 16:
        matrix_2x1(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
    elif columns > 16:
        matrix_1x2(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
    else:
        matrix_1x1(trits, kbase, kstep, n_k, first, tiles, at, next_at, sums, to, line)
