"""The living definition against hand-made cases: addresses, borders, arithmetic, ports."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tdsl_runtime.description import load_machine
from tdsl_runtime.errors import MachineError
from tdsl_runtime.interpreter import Interpreter
from tdsl_runtime.isa import AccOp, MicroOp, Opcode, StoreMode, micro_op
from tdsl_runtime.program import Port
from tdsl_runtime.state import Buffer, State, pack, trits, unpack
from tests.programs import build_program, random_trits

MACHINE = replace(
    load_machine("nearmem-1mb"), macro_rows=1, macro_columns=3, columns=128, lanes=128
)
TRITS = (0, 1, -1)
BASE = 8 * 2 * 3 * 64
HALT = micro_op(Opcode.HALT)
IN = Port("in", 5, 3, 4, -7, 7)


def _buffer(**fields: int) -> MicroOp:
    whole = {"pitch": 5, "width": 4, "depth": 3, "planes": 3, "image_width": 4, "image_height": 3}
    return micro_op(Opcode.BUF, **({"base": BASE} | whole | fields))


def _final(ops: list[MicroOp], image: NDArray[Any] | None = None, rows: int = 8) -> State:
    """The state that micro-ops leave behind."""
    data = random_trits(np.random.default_rng(1), rows, 2, 3)
    program = build_program(MACHINE, [*ops, HALT], inputs=(IN,), row_data=data)
    seen: list[State] = []
    given = np.zeros(IN.shape, np.int64) if image is None else image
    Interpreter(program).run({"in": given}, lambda _, state: seen.append(state))
    return seen[-1]


def _load(lines: int = 3, **fields: int) -> list[MicroOp]:
    return [micro_op(Opcode.DMAIN, off=line, **fields) for line in range(lines)]


@given(arrays(np.int64, IN.shape, elements=st.integers(-7, 7)))
def test_a_trit_stands_where_its_address_says(image: NDArray[Any]) -> None:
    state = _final([_buffer(), *_load()], image)
    for channel, y, x, plane in ((0, 0, 0, 0), (4, 2, 3, 2), (3, 1, 2, 1), (2, 2, 0, 0)):
        address = BASE + (plane * 3 + y) * 64 + x * 5 + channel
        word, bit = divmod(address, 64)
        macro, word, row = word % 3, word // 3 % 2, word // 6
        value = int(image[channel, y, x])
        nonzero = abs(value) >> plane & 1
        assert state.cells[0, row, word, macro, bit] == nonzero
        assert state.cells[1, row, word, macro, bit] == (nonzero and value < 0)


@pytest.mark.parametrize("pad", [-1, 0, 1])
def test_a_dot_product_by_its_sum(pad: int) -> None:
    image = np.random.default_rng(2).integers(-1, 2, IN.shape)
    dot = {"x0": -1, "dx": 1, "toff": 2, "len": 7, "row": 6, "col": 9, "shift": 2, "astep": 1}
    span = {"span": 4, "limit": 4, "macros": 3, "acc": 5}
    state = _final(
        [_buffer(pad=pad), *_load(), micro_op(Opcode.DOT, off=1, **dot, **span, clear=1)], image
    )
    padded = np.pad(image, ((0, 0), (0, 0), (1, 3)), constant_values=pad)
    line = padded[:, 1, :].T.reshape(-1)
    for x in range(4):
        window = line[x * 5 + 2 : x * 5 + 9]
        for macro in range(3):
            weights = trits(state.cells[:, 6, :, macro].reshape(2, -1))[9:16]
            assert state.accumulators[5 + x, 0, macro] == 4 * int(window @ weights)


def test_reading_what_no_buffer_holds_is_an_error() -> None:
    dot = micro_op(Opcode.DOT, x0=3, len=6, span=1, limit=1)
    with pytest.raises(MachineError) as caught:
        _final([_buffer(image_width=4, width=4, halo=1), *_load(), dot])
    assert caught.value.message.startswith("micro-op 4 (DOT): pixel 4 of line 0 is read")


def test_a_strip_sees_its_own_part_of_the_image() -> None:
    image = np.arange(60).reshape(IN.shape) % 8
    ops = [
        _buffer(width=3, strip=1, step=2, halo=1),
        micro_op(Opcode.LOOP, level=1, count=2),
        *_load(),
        micro_op(Opcode.END, level=1),
    ]
    state = _final(ops, image)
    state.counters[1] = 1
    buffer = state.buffers[0]
    assert np.array_equal(
        [state.read_values(buffer, 2, x)[:5] for x in range(3)], image[:, 2, 1:4].T
    )
    assert state.read_values(buffer, 3, 0).tolist() == [0] * 5


@pytest.mark.parametrize(
    ("operation", "fields", "expected"),
    [
        (AccOp.SET, {"imm": -3}, [-3, -3]),
        (AccOp.COPY, {"src": 2, "sstep": 1}, [-9, 6]),
        (AccOp.ADD, {"src": 2}, [-4, -2]),
        (AccOp.MAX, {"src": 2, "sstep": 1}, [5, 7]),
        (AccOp.MIN, {"src": 2, "sstep": 1}, [-9, 6]),
        (AccOp.ADDI, {"imm": 2}, [7, 9]),
        (AccOp.MAXI, {"imm": 6}, [6, 7]),
        (AccOp.MINI, {"imm": 6}, [5, 6]),
        (AccOp.SHR, {"imm": 1}, [2, 3]),
    ],
)
def test_accumulator_arithmetic(
    operation: AccOp, fields: dict[str, int], expected: list[int]
) -> None:
    sets = [
        micro_op(Opcode.ACC, dst=k, imm=v, span=1, limit=1) for k, v in enumerate((5, 7, -9, 6))
    ]
    acc = micro_op(Opcode.ACC, op=operation, dstep=1, span=2, limit=2, **fields)
    state = _final([*sets, acc])
    assert state.accumulators[:2, 0, 1].tolist() == expected


def test_stores_pool_across_spans() -> None:
    sums = (0, 9, -9, 0, -9, -9)
    sets = [micro_op(Opcode.ACC, dst=k, imm=v, span=1, limit=1) for k, v in enumerate(sums)]
    store = {"pool": 3, "dx": 1, "xcounter": 1, "span": 2, "limit": 6, "macros": 2, "chan": 1}
    ops = [
        _buffer(planes=1),
        *sets,
        micro_op(Opcode.LOOP, level=1, count=3),
        micro_op(Opcode.STORE, **store),
        micro_op(Opcode.END, level=1),
    ]
    state = _final(ops)
    # Every span stores the sums 0 and 9: pixels 0, 2, 4 are 0 and pixels 1, 3, 5 are 1.
    values = [state.read_values(state.buffers[0], 0, x).tolist() for x in range(2)]
    assert values == [[0, 1, 1, 0, 0], [0, 1, 1, 0, 0]]


def test_a_raw_store_keeps_the_low_planes_of_the_magnitude() -> None:
    sets = [micro_op(Opcode.ACC, imm=-13, span=1, limit=1)]
    store = micro_op(Opcode.STORE, mode=StoreMode.RAW, span=1, limit=1)
    state = _final([_buffer(), *sets, store])
    assert state.read_values(state.buffers[0], 0, 0)[0] == -5


@given(st.integers(0, 3**9 - 1))
def test_a_table_of_two_trits(number: int) -> None:
    entries: list[int] = [number // 3**k % 3 for k in range(9)]
    table = sum((TRITS[entry] & 3) << 2 * k for k, entry in enumerate(entries))
    image = np.random.default_rng(5).integers(-1, 2, IN.shape)
    ops = [
        _buffer(planes=1),
        _buffer(buffer=1, base=BASE + 1024, planes=1),
        *_load_levels(),
        micro_op(Opcode.LUT, buffer=1, b=0, bhold=1, table=table, off=1, span=4, limit=4),
    ]
    state = _final(ops, image)
    for x in range(4):
        codes: list[int] = (3 * (image[:, 1, x] + 1) + image[:, 0, 0] + 1).tolist()
        wanted = [TRITS[entries[code]] for code in codes]
        assert state.read_values(state.buffers[1], 1, x).tolist() == wanted


def _load_levels() -> list[MicroOp]:
    """Input values -1, 0, 1 through one level as trits."""
    return [micro_op(Opcode.LEVEL, lo=0, hi=0), *_load(format=1, levels=1)]


def test_a_buffer_ends_where_its_last_line_ends() -> None:
    buffer = Buffer.described(_buffer(width=13))
    assert (buffer.line_trits, buffer.end) == (128, BASE + 3 * 3 * 128)
    words = random_trits(np.random.default_rng(4), 2, 3)
    assert np.array_equal(pack(unpack(words)), words)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "input `in` is missing"),
        ({"in": np.zeros((5, 3, 4)), "x": np.zeros(1)}, "the program has no input `x`"),
        ({"in": np.zeros((5, 3, 5), int)}, r"an array \[5, 3, 5\] of int64"),
        ({"in": np.zeros((5, 3, 4))}, "of float64"),
        ({"in": np.full((5, 3, 4), 8)}, "values from 8 to 8"),
    ],
)
def test_inputs_that_misfit_are_refused(inputs: dict[str, NDArray[Any]], words: str) -> None:
    program = build_program(MACHINE, [HALT], inputs=(IN,))
    with pytest.raises(MachineError, match=words) as caught:
        Interpreter(program).run(inputs)
    assert caught.value.remedy
