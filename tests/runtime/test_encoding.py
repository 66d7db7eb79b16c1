"""Code words: round trips, and everything the decoder rejects with the word's number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdsl_runtime.encoding import FIELD, FIELD_COLUMNS, decode, encode, field_table, words_of
from tdsl_runtime.errors import MachineError
from tdsl_runtime.isa import TABLE, Field, MicroOp, Opcode, micro_op


def _value(field: Field) -> st.SearchStrategy[int]:
    low = -(1 << (field.bits - 1)) if field.signed else 0
    return st.integers(field.low or low, (1 << (field.bits - field.signed)) - 1)


def _op(opcode: Opcode) -> st.SearchStrategy[MicroOp]:
    values = st.tuples(*(_value(field) for field in TABLE[opcode].fields))
    return st.builds(MicroOp, st.just(opcode), values)


_OPS = st.lists(st.sampled_from(Opcode).flatmap(_op), max_size=8).map(tuple)


@given(_OPS)
def test_decoding_gives_back_what_was_encoded(ops: tuple[MicroOp, ...]) -> None:
    words = encode(ops)
    assert decode(words) == ops
    assert len(words) == sum(words_of(op.opcode) for op in ops)


@given(_OPS)
def test_the_field_table_holds_every_field_in_its_column(ops: tuple[MicroOp, ...]) -> None:
    table = field_table(ops)
    assert table.shape == (len(ops), FIELD_COLUMNS)
    for row, op in zip(table, ops, strict=True):
        assert row[0] == op.opcode
        for name, column in FIELD[op.opcode].items():
            assert row[column] == op[name]
        assert not row[1 + len(op.values) :].any()


@given(st.sampled_from(Opcode).flatmap(_op), st.data())
def test_every_flipped_bit_changes_the_micro_op_or_is_rejected(
    op: MicroOp, data: st.DataObject
) -> None:
    words = encode([op])
    bit = data.draw(st.integers(0, 64 * len(words) - 1))
    words[bit // 64] ^= np.uint64(1 << bit % 64)
    try:
        decoded = decode(words)
    except MachineError:
        return
    assert decoded != (op,)


def _broken(words: list[int]) -> str:
    with pytest.raises(MachineError) as caught:
        decode(np.array(words, np.uint64))
    return caught.value.message


def test_the_decoder_names_the_word_and_the_reason() -> None:
    halt = int(Opcode.HALT)
    assert _broken([halt, 200]) == "code word 1: unknown opcode 200"
    assert _broken([halt | 1 << 20]) == "code word 0: HALT has set bits beyond its fields"
    assert _broken([int(Opcode.END)]) == "code word 0: END.level = 0 is outside 0..7"
    whole = [int(word) for word in encode([micro_op(Opcode.DOT)])]
    assert _broken([halt, *whole[:-1]]) == "code word 1: DOT takes 5 words"
