"""A run of fused DOTs -> its plan: source lines to gather, words of a window, steps of tiles."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.columns import (
    D_COL,
    D_COUNTER,
    D_DIV,
    D_DX,
    D_LDIL,
    D_LEN,
    D_LINES,
    D_MUL,
    D_OFF,
    D_PLANE,
    D_ROW,
    D_TOFF,
    D_X0,
    E_BIT,
    E_SLOT,
    E_STRIDE,
    E_STRIP,
    F_BUFFER,
    K_BASE,
    K_FILL,
    K_SLOT,
    K_STRIDE,
    K_STRIP,
    K_WEIGHT,
    LANES,
    PITCH,
    R_COUNT,
    R_ENTRIES,
    R_FIRST,
    R_K,
    R_PIECES,
    R_ROW,
    R_SET,
    R_STEPS,
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
    STEP_BASE,
    STEP_COL,
    STEP_ROW,
    STEP_STRIDE,
    STEP_STRIP,
    STEP_VALID,
    T_BIT,
    T_COL,
    T_LEN,
    T_ROW,
    T_STRIDE,
    T_STRIP,
    TAP_COLUMNS,
)
from tdsl_runtime.kernels.jit import ALL, inner


@inner
def same_strip(strip: Any, op: Any, off: Any) -> Any:
    """Whether a strip is the line, `off` from the counter's, that a DOT reads."""
    return (
        strip[S_BUFFER] == op[F_BUFFER]
        and strip[S_PLANE] == op[D_PLANE]
        and strip[S_COUNTER] == op[D_COUNTER]
        and strip[S_DIV] == op[D_DIV]
        and strip[S_MUL] == op[D_MUL]
        and strip[S_OFF] == off
    )


@inner
def plan_strip(strips: Any, count: Any, op: Any, line: Any, pitch: Any, hold: Any) -> Any:
    """Find or add the strip of a tap and widen it to the tap's pixels; return its number."""
    off = op[D_OFF] + line * op[D_LDIL]
    first = op[D_X0] + op[D_TOFF] // pitch
    last = op[D_X0] + (op[D_TOFF] + op[D_LEN] - 1) // pitch + 1
    for s in range(count):
        if same_strip(strips[s], op, off):
            strips[s, S_FIRST] = min(strips[s, S_FIRST], first)
            strips[s, S_LAST] = max(strips[s, S_LAST], last)
            return s
    strip = strips[count]
    strip[S_BUFFER], strip[S_PLANE], strip[S_COUNTER] = op[F_BUFFER], op[D_PLANE], op[D_COUNTER]
    strip[S_DIV], strip[S_MUL], strip[S_OFF] = op[D_DIV], op[D_MUL], off
    strip[S_FIRST], strip[S_LAST], strip[S_HOLD] = first, last, hold
    return count


@inner
def plan_taps(run: Any, table: Any, desc: Any, hold_of: Any, strips: Any, taps: Any) -> Any:
    """Fill strips and taps; return how many taps there are. Places are bits from pixel 0 on."""
    n_strips, n_taps = np.int64(0), np.int64(0)
    for d in range(run[R_FIRST], run[R_FIRST] + run[R_COUNT]):
        op = table[d]
        pitch = desc[op[F_BUFFER], PITCH]
        for line in range(op[D_LINES]):
            s = plan_strip(strips, n_strips, op, line, pitch, hold_of[d])
            n_strips = max(n_strips, s + 1)
            tap = taps[n_taps]
            tap[T_STRIP], tap[T_LEN], tap[T_ROW] = s, op[D_LEN], op[D_ROW]
            tap[T_COL] = op[D_COL] + line * op[D_LEN]
            tap[T_BIT] = op[D_X0] * pitch + op[D_TOFF]
            tap[T_STRIDE] = op[D_DX] * pitch
            n_taps += 1
    run[R_STRIPS] = n_strips
    return n_taps


@inner
def join_taps(taps: Any, n_taps: Any, pieces: Any) -> Any:
    """Join taps that go on where the one before ends, in the line and in the row."""
    count = 0
    for t in range(n_taps):
        tap, last = taps[t], pieces[max(count - 1, 0)]
        joins = (
            count > 0
            and last[T_STRIP] == tap[T_STRIP]
            and last[T_ROW] == tap[T_ROW]
            and last[T_STRIDE] == tap[T_STRIDE]
            and last[T_BIT] + last[T_LEN] == tap[T_BIT]
            and last[T_COL] + last[T_LEN] == tap[T_COL]
        )
        if joins:
            last[T_LEN] += tap[T_LEN]
        else:
            for f in range(TAP_COLUMNS):
                pieces[count, f] = tap[f]
            count += 1
    return count


@inner
def column_mask(piece: Any, word: Any) -> Any:
    """Which columns of a row's word a piece covers."""
    low = max(piece[T_COL] - 64 * word, 0)
    high = min(piece[T_COL] + piece[T_LEN] - 64 * word, 64)
    return (ALL << np.uint64(low)) & (ALL >> np.uint64(64 - high))


@inner
def plan_word(words: Any, fills: Any, count: Any, weight: Any, mask: Any) -> Any:
    """Find a window word with this weight word and these columns free, or add one."""
    for k in range(count):
        if words[k, K_WEIGHT] == weight and fills[k] & mask == 0:
            return k
    words[count, K_WEIGHT] = weight
    words[count, K_FILL] = 0
    fills[count] = np.uint64(0)
    return count


@inner
def plan_words(
    pieces: Any, n_pieces: Any, words: Any, fills: Any, homes: Any, row_words: Any
) -> Any:
    """Give every word of every piece its window word (homes, in order); return their number."""
    count, h = np.int64(0), np.int64(0)
    for i in range(n_pieces):
        piece = pieces[i]
        for w in range(piece[T_COL] >> 6, ((piece[T_COL] + piece[T_LEN] - 1) >> 6) + 1):
            mask = column_mask(piece, w)
            k = plan_word(words, fills, count, piece[T_ROW] * row_words + w, mask)
            count = max(count, k + 1)
            fills[k] |= mask
            words[k, K_FILL] += 1
            words[k, K_BASE] = piece[T_BIT] + 64 * w - piece[T_COL]
            words[k, K_STRIDE] = piece[T_STRIDE]
            words[k, K_STRIP] = piece[T_STRIP]
            homes[h] = k
            h += 1
    slots = 0
    for k in range(count):
        aligned = words[k, K_BASE] & 63 == 0 and words[k, K_STRIDE] & 63 == 0
        if aligned and words[k, K_FILL] == 1 and fills[k] == ALL:
            words[k, K_SLOT] = -1
            words[k, K_BASE] >>= 6
            words[k, K_STRIDE] >>= 6
        else:
            words[k, K_SLOT] = slots
            words[k, K_FILL] = 0
            slots += 1
    return count


@inner
def plan_entries(
    pieces: Any, n_pieces: Any, words: Any, homes: Any, entries: Any, masks: Any
) -> Any:
    """Lay out how assembled words are filled; return the entries and the words of a window."""
    count = h = wide = 0
    for i in range(n_pieces):
        piece = pieces[i]
        lane = LANES
        for w in range(piece[T_COL] >> 6, ((piece[T_COL] + piece[T_LEN] - 1) >> 6) + 1):
            word = words[homes[h]]
            h += 1
            if word[K_SLOT] < 0:
                lane = LANES
                continue
            if lane == LANES or entries[count - 1, E_SLOT] + lane != word[K_SLOT]:
                entries[count, E_BIT] = piece[T_BIT] + 64 * w - piece[T_COL]
                entries[count, E_STRIDE] = piece[T_STRIDE]
                entries[count, E_STRIP] = piece[T_STRIP]
                entries[count, E_SLOT] = word[K_SLOT]
                for i in range(LANES):
                    masks[count, i], masks[count, LANES + i] = np.uint64(0), ALL
                wide = max(wide, word[K_SLOT] + LANES)
                lane = 0
                count += 1
            masks[count - 1, lane] = column_mask(piece, w)
            if word[K_FILL] == 0:
                masks[count - 1, LANES + lane] = np.uint64(0)
            word[K_FILL] = 1
            lane += 1
    return count, wide


@inner
def plan_steps(pieces: Any, n_pieces: Any, steps: Any) -> Any:
    """Cut the pieces into steps of 64 trits; return their number."""
    count = 0
    for i in range(n_pieces):
        piece = pieces[i]
        for done in range(0, piece[T_LEN], 64):
            step = steps[count]
            step[STEP_ROW], step[STEP_COL] = piece[T_ROW], piece[T_COL] + done
            step[STEP_VALID] = min(64, piece[T_LEN] - done)
            step[STEP_BASE], step[STEP_STRIDE] = piece[T_BIT] + done, piece[T_STRIDE]
            step[STEP_STRIP] = piece[T_STRIP]
            count += 1
    return count


@inner
def plan(
    run: Any, table: Any, desc: Any, hold_of: Any, strips: Any, taps: Any, pieces: Any, words: Any,
    fills: Any, homes: Any, entries: Any, masks: Any, steps: Any, loads: Any, row_words: Any,
) -> None:  # fmt: skip
    """Plan a run: the table slices given are its own."""
    n_taps = plan_taps(run, table, desc, hold_of, strips, taps)
    run[R_PIECES] = join_taps(taps, n_taps, pieces)
    run[R_K] = plan_words(pieces, run[R_PIECES], words, fills, homes, row_words)
    run[R_ENTRIES], run[R_ROW] = plan_entries(pieces, run[R_PIECES], words, homes, entries, masks)
    run[R_STEPS] = plan_steps(pieces, run[R_PIECES], steps)
    loads[run[R_SET]] = 0
