"""Lines in memory -> gathered once, and held until the memory below them changes.

A hold has slots that the lines of a buffer's plane take in turns. A tag says which line a slot
holds; whatever writes memory changes the tags or the epochs of the holds concerned.
"""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import (
    DEPTH,
    F_BUFFER,
    G_EPOCH,
    G_LINE,
    G_SHIFT,
    G_SPELLED,
    H_BASE,
    H_FIRST,
    H_LAST,
    H_SLOTS,
    H_TAG,
    H_WORDS,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    PITCH,
    R_STRIPS,
    S_BUFFER,
    S_COUNTER,
    S_DIV,
    S_FIRST,
    S_HOLD,
    S_LAST,
    S_MUL,
    S_OFF,
    S_PLANE,
    S_START,
    S_TAG,
    SLACK,
    WIDTH,
)
from tdsl_runtime.kernels.jit import inner
from tdsl_runtime.kernels.lines import gather, image_shift
from tdsl_runtime.kernels.ones import mark_ones
from tdsl_runtime.kernels.spelling import spell_trits


@inner
def hold_lines(
    run: Any, strips: Any, holds: Any, tags: Any, epochs: Any, mem: Any, wplane: Any, acts: Any,
    aplane: Any, marks: Any, desc: Any, counters: Any, dx: Any, p0: Any, pixels: Any,
) -> Any:  # fmt: skip
    """Hold the lines of a run and count their bits; return whether all its pixels were there."""
    whole = True
    for s in range(run[R_STRIPS]):
        strip = strips[s]
        b, hold = strip[S_BUFFER], holds[strip[S_HOLD]]
        y = counters[strip[S_COUNTER]] // strip[S_DIV] * strip[S_MUL] + strip[S_OFF]
        shift, pitch, epoch = image_shift(desc, b, counters), desc[b, PITCH], epochs[strip[S_HOLD]]
        turn, first, last = y % hold[H_SLOTS], hold[H_FIRST], hold[H_LAST]
        start = ((hold[H_BASE] + turn * hold[H_WORDS]) << 6) + (first * pitch & 63)
        strip[S_START], strip[S_TAG] = start - first * pitch, hold[H_TAG] + turn
        tag = tags[strip[S_TAG]]
        if tag[G_LINE] != y or tag[G_SHIFT] != shift or tag[G_EPOCH] != epoch:
            gather(mem, wplane, acts, aplane, start, desc, b, strip[S_PLANE], y, first, last,
                   counters)  # fmt: skip
            count = ((start & 63) + (last - first) * pitch + 63) >> 6
            mark_ones(acts, aplane, marks, start >> 6, count)
            tag[G_LINE], tag[G_SHIFT], tag[G_EPOCH], tag[G_SPELLED] = y, shift, epoch, 0
        low = max(strip[S_FIRST] + p0 * dx, -shift)
        high = min(strip[S_LAST] + (p0 + pixels - 1) * dx, desc[b, IMAGE_WIDTH] - shift)
        inside = y >= 0 and y < desc[b, IMAGE_HEIGHT] and low < high
        whole &= not inside or (low >= 0 and high <= desc[b, WIDTH])
    return whole


@inner
def spell_lines(
    run: Any, strips: Any, holds: Any, tags: Any, acts: Any, aplane: Any, trits: Any
) -> None:
    """Spell the lines of a run that are not yet."""
    for s in range(run[R_STRIPS]):
        strip = strips[s]
        tag = tags[strip[S_TAG]]
        if tag[G_SPELLED] == 0:
            hold = holds[strip[S_HOLD]]
            word = hold[H_BASE] + (strip[S_TAG] - hold[H_TAG]) * hold[H_WORDS]
            spell_trits(acts, word, aplane, hold[H_WORDS] - SLACK, trits)
            tag[G_SPELLED] = 1


@inner
def forget(
    op: Any, watched: Any, watch: Any, y: Any, desc: Any, holds: Any, tags: Any, epochs: Any
) -> None:
    """Let go of the lines that a micro-op has written over: its line y, or the whole hold."""
    for k in range(watch[0], watch[0] + watch[1]):
        hold = watched[k, 0]
        if watched[k, 1]:
            epochs[hold] += 1
            continue
        depth = desc[op[F_BUFFER], DEPTH]
        for slot in range(holds[hold, H_TAG], holds[hold, H_TAG] + holds[hold, H_SLOTS]):
            ahead = tags[slot, G_LINE] - y
            if ahead == 0 or ((ahead >= depth or ahead <= -depth) and ahead % depth == 0):
                tags[slot, G_EPOCH] = -1


@inner
def forget_all(epochs: Any) -> None:
    """Let go of all lines."""
    for hold in range(epochs.size):
        epochs[hold] += np.int64(1)
