"""The jitted simulator against the living definition: outputs, counters and errors, bit for bit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from numpy.typing import NDArray

from tdsl_runtime import decoding
from tdsl_runtime.encoding import FIELD
from tdsl_runtime.errors import MachineError
from tdsl_runtime.fusion import fused
from tdsl_runtime.interpreter import Interpreter, Result
from tdsl_runtime.isa import AccOp, Opcode, StoreMode, micro_op
from tdsl_runtime.program import Program
from tdsl_runtime.simulator import Simulator
from tdsl_runtime.tiles import tiles_granted
from tests.programs import programs, random_inputs
from tests.runtime.convolutions import Convolution, convolutions, machine

Frame = Mapping[str, NDArray[Any]]
MANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["tiles", "popcounts"])
def units(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to compute sums, where the CPU has both."""
    if request.param == "popcounts":
        monkeypatch.setattr(decoding, "tiles_granted", lambda: False)
    elif not tiles_granted():
        pytest.skip("this CPU has no matrix tiles")
    return str(request.param)


def outcome(engine: Interpreter | Simulator, frame: Frame) -> Result | str:
    """What a run gives: its result, or the text of its error."""
    try:
        return engine.run(frame)
    except MachineError as error:
        return str(error)


def assert_same(program: Program, frames: Sequence[Frame], *, fuse: bool) -> None:
    """Both engines agree on every frame, the simulator without forgetting the one before."""
    fast = Simulator(program, fuse=fuse)
    for frame in frames:
        slow, quick = outcome(Interpreter(program), frame), outcome(fast, frame)
        if isinstance(slow, str) or isinstance(quick, str):
            assert quick == slow
            continue
        assert quick.outputs.keys() == slow.outputs.keys()
        for name, image in slow.outputs.items():
            np.testing.assert_array_equal(quick.outputs[name], image, err_msg=name)
        assert quick.counters.differences(slow.counters) == ()


@pytest.mark.parametrize("fuse", [True, False])
@given(program=programs())
@settings(MANY, max_examples=60)
def test_random_programs_run_alike(units: str, fuse: bool, program: Program) -> None:
    assert_same(program, [random_inputs(program, seed) for seed in range(2)], fuse=fuse)


@pytest.mark.parametrize("fuse", [True, False])
@given(case=convolutions())
@settings(MANY, max_examples=40)
def test_convolutions_run_alike(units: str, fuse: bool, case: Convolution) -> None:
    assert_same(case.program(), [case.frame(0), case.frame(1)], fuse=fuse)


def test_fusion_finds_the_taps_of_a_convolution() -> None:
    program = Convolution(channels=64, outputs=16, width=8, height=2).program()
    runs = fused(program.ops, fuse=True)
    single = fused(program.ops, fuse=False)
    assert [len(run) for run in runs] == [len(single)]
    assert len(single) > 1


def test_a_convolution_is_what_numpy_computes(units: str) -> None:
    case = Convolution(channels=65, outputs=33, width=37, height=3)
    frame = case.frame(3)
    np.testing.assert_array_equal(
        Simulator(case.program()).run(frame).outputs["y"], case.expected(frame["x"])
    )


def test_sums_beyond_32_bits_are_exact(units: str) -> None:
    case = Convolution(channels=64, outputs=16, width=9, height=2)
    shifted = case.program(shift=31)
    assert_same(shifted, [case.frame(0)], fuse=True)


def test_frames_in_threads_are_the_frames_one_by_one() -> None:
    case = Convolution(channels=64, outputs=32, width=40, height=4)
    engine = Simulator(case.program())
    frames = [case.frame(seed) for seed in range(6)]
    one_by_one = [engine.run(frame).outputs["y"] for frame in frames]
    together = engine.run_many(frames, threads=2)
    for alone, result in zip(one_by_one, together, strict=True):
        np.testing.assert_array_equal(result.outputs["y"], alone)


@pytest.mark.parametrize(
    "kind",
    [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64],
)
def test_an_image_may_have_any_integer_type(kind: type[np.generic]) -> None:
    case = Convolution(channels=17, outputs=16, width=9, height=2)
    ones = abs(case.frame(0)["x"])
    engine = Simulator(case.program())
    same = engine.run({"x": ones}).outputs["y"]
    np.testing.assert_array_equal(engine.run({"x": ones.astype(kind)}).outputs["y"], same)


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"x": np.zeros((17, 2, 8), np.int8)},
        {"x": np.zeros((17, 2, 9))},
        {"x": np.full((17, 2, 9), 2)},
        {"x": np.zeros((17, 2, 9), np.int8), "more": np.zeros(1, np.int8)},
    ],
)
def test_an_input_that_misfits_is_refused(frame: dict[str, NDArray[Any]]) -> None:
    program = Convolution(channels=17, outputs=16, width=9, height=2).program()
    with pytest.raises(MachineError):
        Simulator(program).run(frame)


def test_compilation_is_announced_only_when_it_happens() -> None:
    case = Convolution(channels=1, outputs=1, width=1, height=1)
    Simulator(case.program()).run(case.frame(0))
    calls: list[str] = []
    Simulator(case.program(), on_compile=lambda: calls.append("now")).run(case.frame(0))
    assert calls == []


def test_the_kernels_read_the_columns_of_the_instruction_table() -> None:
    from tdsl_runtime.kernels import columns as k

    columns = {
        Opcode.DOT: {
            "buffer": k.F_BUFFER, "plane": k.D_PLANE, "counter": k.D_COUNTER, "div": k.D_DIV,
            "mul": k.D_MUL, "off": k.D_OFF, "lines": k.D_LINES, "ldil": k.D_LDIL, "x0": k.D_X0,
            "dx": k.D_DX, "toff": k.D_TOFF, "len": k.D_LEN, "row": k.D_ROW, "col": k.D_COL,
            "xcounter": k.D_XCOUNTER, "span": k.D_SPAN, "limit": k.D_LIMIT, "groups": k.D_GROUPS,
            "segments": k.D_SEGMENTS, "macros": k.D_MACROS, "acc": k.D_ACC, "astep": k.D_ASTEP,
            "shift": k.D_SHIFT, "clear": k.D_CLEAR,
        },
        Opcode.ACC: {
            "op": k.A_OP, "dst": k.A_DST, "dstep": k.A_DSTEP, "src": k.A_SRC, "sstep": k.A_SSTEP,
            "imm": k.A_IMM, "xcounter": k.A_XCOUNTER, "span": k.A_SPAN, "limit": k.A_LIMIT,
            "groups": k.A_GROUPS, "segments": k.A_SEGMENTS,
        },
        Opcode.STORE: {
            "buffer": k.F_BUFFER, "counter": k.ST_COUNTER, "div": k.ST_DIV, "mul": k.ST_MUL,
            "off": k.ST_OFF, "x0": k.ST_X0, "dx": k.ST_DX, "pool": k.ST_POOL,
            "combine": k.ST_COMBINE, "chan": k.ST_CHAN, "xcounter": k.ST_XCOUNTER,
            "span": k.ST_SPAN, "limit": k.ST_LIMIT, "groups": k.ST_GROUPS,
            "segments": k.ST_SEGMENTS, "macros": k.ST_MACROS, "acc": k.ST_ACC, "mode": k.ST_MODE,
            "levels": k.ST_LEVELS, "bias": k.ST_BIAS, "shift": k.ST_SHIFT,
        },
        Opcode.LUT: {
            "buffer": k.F_BUFFER, "plane": k.L_PLANE, "a": k.L_A, "aplane": k.L_APLANE,
            "ahold": k.L_AHOLD, "b": k.L_B, "bplane": k.L_BPLANE, "bhold": k.L_BHOLD,
            "table": k.L_TABLE, "counter": k.L_COUNTER, "div": k.L_DIV, "mul": k.L_MUL,
            "off": k.L_OFF, "xcounter": k.L_XCOUNTER, "span": k.L_SPAN, "limit": k.L_LIMIT,
        },
        Opcode.TLOAD: {"row": k.T_ROW_FIELD, "slot": k.T_SLOT_FIELD, "n": k.T_N_FIELD},
        Opcode.DMAW: {"row": k.W_ROW, "source": k.W_SOURCE, "n": k.W_N},
    }  # fmt: skip
    for opcode, fields in columns.items():
        assert fields == FIELD[opcode], opcode.name
    assert [getattr(k, name) for name in AccOp.__members__] == list(AccOp)
    assert [getattr(k, name) for name in StoreMode.__members__] == list(StoreMode)
    assert [getattr(k, f"OP_{name}") for name in Opcode.__members__] == list(Opcode)


def test_a_program_that_does_not_fit_its_machine_is_refused() -> None:
    case = Convolution(channels=64, outputs=16, width=8, height=2)
    program = case.program(extra=(micro_op(Opcode.TLOAD, row=machine(64, 16).rows, slot=0, n=1),))
    with pytest.raises(MachineError):
        Simulator(program)
