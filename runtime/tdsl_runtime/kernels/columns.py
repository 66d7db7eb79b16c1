"""The columns of the tables that kernels read and write, and the numbers in them; no code."""

from typing import Any

import numpy as np

DONE, MISSING_PIXEL, MISSING_TOKEN, EXCESS, MORE_POSTS = range(5)
"""How a run ended, in status[0]; status[1] is the micro-op, the rest details."""
NONE = -(1 << 62)
TILE = 1024
"""Bytes of a matrix tile: 16 rows of 64."""
TILE_CONFIG = bytes([1, *[0] * 15, *[64, 0] * 8, *[0] * 16, *[16] * 8, *[0] * 8])
"""Eight tiles of 16 rows of 64 bytes each, as `ldtilecfg` reads it."""
# Columns of the descriptor table: the fields of BUF after the buffer's number, in their order.
BASE, PITCH, WIDTH, DEPTH, PLANES, IMAGE_WIDTH, IMAGE_HEIGHT, PAD, STRIP, STEP, HALO = range(11)
DESCRIPTOR_COLUMNS = 11
# Columns of the field table that kernels read; a test holds them against the instruction table.
F_BUFFER = 1
D_PLANE, D_COUNTER, D_DIV, D_MUL, D_OFF, D_LINES, D_LDIL, D_X0, D_DX, D_TOFF, D_LEN = range(2, 13)
D_ROW, D_COL, D_XCOUNTER, D_SPAN, D_LIMIT, D_GROUPS, D_SEGMENTS, D_MACROS = range(13, 21)
D_ACC, D_ASTEP, D_SHIFT, D_CLEAR = range(21, 25)
# Columns of a run: first DOT, DOTs, where its tables start, and what its plan found.
(R_FIRST, R_COUNT, R_TAPS, R_WORDS, R_STAMP, R_STRIPS, R_PIECES, R_K, R_ENTRIES, R_ROW,
 R_STEPS, R_TILES, R_FIXED, R_SET) = range(14)  # fmt: skip
RUN_COLUMNS = 14
NEVER, UNTIL_LOADED, ALWAYS = range(3)
"""How long the expanded weights of a run hold (R_FIXED): features may overwrite them, DMAW may,
nothing does."""
# Columns of a strip, per tap at most one: the line's formula, the pixels that pixel 0 of a span
# needs, where lines are held; of the line held now, the bit of acts at pixel 0, and its tag.
(S_BUFFER, S_PLANE, S_COUNTER, S_DIV, S_MUL, S_OFF, S_FIRST, S_LAST, S_HOLD, S_START,
 S_TAG) = range(11)  # fmt: skip
STRIP_COLUMNS = 11
# Columns of a hold, in which gathered lines stay until memory changes: the first word of acts, the
# words of a slot, the slots that lines take in turns, the first tag, the pixels of a line.
H_BASE, H_WORDS, H_SLOTS, H_TAG, H_FIRST, H_LAST = range(6)
HOLD_COLUMNS = 6
# Columns of a tag, one a slot: its line, the image's shift, the hold's epoch, whether spelled.
G_LINE, G_SHIFT, G_EPOCH, G_SPELLED = range(4)
TAG_COLUMNS = 4
# Columns of a tap (one line of one DOT) and of a piece (taps that join seamlessly).
T_STRIP, T_BIT, T_LEN, T_ROW, T_COL, T_STRIDE = range(6)
TAP_COLUMNS = 6
# Columns of a window word: weight word, place, step and stepping of its trits, fill.
K_WEIGHT, K_BASE, K_STRIDE, K_SLOT, K_FILL, K_STRIP = range(6)
WORD_COLUMNS = 6
# Columns of an entry: up to eight neighbouring words of a piece that are assembled at once.
E_BIT, E_STRIDE, E_SLOT, E_STRIP = range(4)
ENTRY_COLUMNS = 4
# Columns of a step of matrix tiles: up to 64 trits of a piece, and the weights they meet.
STEP_ROW, STEP_COL, STEP_VALID, STEP_BASE, STEP_STRIDE, STEP_STRIP = range(6)
STEP_COLUMNS = 6
LANES = 8
CHUNK = 48
SLACK = 16
TILE_PIXELS = 4
"""Windows a group and segment must have for matrix tiles to be worth while."""
TILE_STEPS = 3
"""Tile steps that cost as much as one window word by popcounts."""
# Columns of ACC, and the numbers of its operations.
(A_OP, A_DST, A_DSTEP, A_SRC, A_SSTEP, A_IMM, A_XCOUNTER, A_SPAN, A_LIMIT, A_GROUPS,
 A_SEGMENTS) = range(1, 12)  # fmt: skip
SET, COPY, ADD, MAX, MIN, ADDI, MAXI, MINI, SHR = range(9)
T_ROW_FIELD, T_SLOT_FIELD, T_N_FIELD = range(1, 4)
(ST_COUNTER, ST_DIV, ST_MUL, ST_OFF, ST_X0, ST_DX, ST_POOL, ST_COMBINE, ST_CHAN, ST_XCOUNTER,
 ST_SPAN, ST_LIMIT, ST_GROUPS, ST_SEGMENTS, ST_MACROS, ST_ACC, ST_MODE, ST_LEVELS, ST_BIAS,
 ST_SHIFT) = range(2, 22)  # fmt: skip
TERN, COUNT, SPACED, RAW = range(4)
(L_PLANE, L_A, L_APLANE, L_AHOLD, L_B, L_BPLANE, L_BHOLD, L_TABLE, L_COUNTER, L_DIV, L_MUL, L_OFF,
 L_XCOUNTER, L_SPAN, L_LIMIT) = range(2, 17)  # fmt: skip
(I_PORT, I_FORMAT, I_BASE, I_LEVELS, I_EACH, I_COUNTER) = range(2, 8)
(O_PORT, O_FORMAT, O_CHAN, O_N, O_TO, O_X0, O_LIMIT, O_COUNTER) = range(2, 10)
W_ROW, W_SOURCE, W_N = range(1, 4)
# Columns of a port: the byte its image starts at, the number of its element type, its shape, the
# bits of a value.
P_START, P_TYPE, P_CHANNELS, P_HEIGHT, P_WIDTH, P_BITS = range(6)
PORT_COLUMNS = 6
ELEMENTS: tuple[type[np.integer[Any]], ...] = (
    np.uint8,
    np.int8,
    np.uint16,
    np.int16,
    np.uint32,
    np.int32,
    np.int64,
)
"""Element types of images, by number; outputs have signed ones."""
PACKED = len(ELEMENTS)
"""The number in place of an element type at ports of packed trits."""
LEVELS = 1 << 12
# The clock: issue cycle, micro-ops issued, then for each unit when it is free and when all is done.
CLOCK_ISSUE, CLOCK_ISSUED, CLOCK_FREE, CLOCK_DONE = 0, 1, 2, 6
CLOCK_SIZE = 10
# Columns of the cost table: unit, terms of `timing.cost` that no execution changes, and the columns
# of the micro-op's line and span fields (0: it has none).
(COST_UNIT, COST_STARTUP, COST_ITEMS, COST_FIRST, COST_EACH, COST_LATENCY, COST_LINE,
 COST_SPAN) = range(8)  # fmt: skip
COST_COLUMNS = 8
# Figures of the machine.
(M_MACROS, M_WORDS, M_CHANNEL_TRITS, M_GATHER_TRITS, M_DMA_BITS, M_WINDOW_LINES,
 M_ROOM, M_LOOSE) = range(8)  # fmt: skip
# Columns of the counter table.
EXECUTED, ITEMS, PIXELS, TRITS, ONES, BUSY, IDLE, WAITED = range(8)
(OP_HALT, OP_LOOP, OP_END, OP_GUARD, OP_WAIT, OP_SIGNAL, OP_BUF, OP_LEVEL, OP_DMAIN, OP_DMAOUT,
 OP_DMAW, OP_DOT, OP_ACC, OP_LUT, OP_TLOAD, OP_STORE, OP_ACTIVE, OP_LOGIC, OP_SUM, OP_SUMI, OP_CMP,
 OP_CMPI, OP_SELECT, OP_MOVE, OP_COUNT, OP_BANDIN, OP_BANDOUT, OP_REGOUT, OP_SPREAD, OP_PACK,
 OP_UOP) = range(31)  # fmt: skip
