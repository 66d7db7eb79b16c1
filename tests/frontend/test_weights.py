"""Weights files: what is written is read; whatever is damaged is a WeightsError."""

import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np
from numpy.typing import NDArray

from tdsl.frontend.packed_trits import pack_trits, packed_shape, packed_tag, unpack_trits
from tdsl.frontend.weights import WeightsError, file_sha256, open_weights, save_packed
from tdsl.ir.parameters import Integers
from tests.frontend.check_files import save_npz

RANDOM = np.random.default_rng(3)
ARRAYS: dict[str, NDArray[Any]] = {
    "c.w": RANDOM.integers(-1, 2, (7, 3, 3, 3)),
    "c.lo": np.arange(-5, 2),
    "image": np.arange(20, dtype=np.uint8).reshape(1, 4, 5),
    "scalar": np.array(1),
    "empty": np.zeros((2, 0), dtype=np.int64),
}


@given(
    st_np.arrays(
        np.int64,
        st_np.array_shapes(min_dims=0, max_dims=4, min_side=0),
        elements=st.integers(-1, 1),
    )
)
def test_packed_trits_come_back(values: Integers) -> None:
    packed = pack_trits(values)
    assert packed.size == -(-values.size // 5)
    assert np.array_equal(unpack_trits(packed, packed_shape(packed_tag(values.shape))), values)


def test_the_first_trit_is_the_lowest_digit() -> None:
    assert pack_trits(np.array([1, -1, 0, 0, -1, 1])).tolist() == [38, 122]


@pytest.mark.parametrize(
    ("values", "shape"), [([243], (5,)), ([0, 0], (5,)), ([0], (2, 3)), ([0], (10**12,))]
)
def test_bytes_that_hold_no_trits_are_refused(values: list[int], shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="byte"):
        unpack_trits(np.array(values, dtype=np.uint8), shape)


@pytest.mark.parametrize("tag", ["4trits:3", "5trits:a", "5trits:3,-1", "", "5trits:3,,4"])
def test_tags_that_state_no_shape_are_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="packed"):
        packed_shape(tag)


@pytest.mark.parametrize("name", ["net.npz", "net.safetensors"])
def test_arrays_come_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".npz":
        save_npz(path, ARRAYS)
    else:
        save_packed(path, ARRAYS)
    file = open_weights(path)
    assert dict(file.shapes) == {key: values.shape for key, values in ARRAYS.items()}
    for key, values in ARRAYS.items():
        assert np.array_equal(file.array(key), values)


def test_packed_files_are_small_and_reproducible(tmp_path: Path) -> None:
    weights = {"w": RANDOM.integers(-1, 2, (96, 96, 3, 3))}
    for name in ("a.safetensors", "b.safetensors"):
        save_packed(tmp_path / name, weights)
    assert (tmp_path / "a.safetensors").stat().st_size < 96 * 96 * 9 / 5 + 300
    assert file_sha256(tmp_path / "a.safetensors") == file_sha256(tmp_path / "b.safetensors")


@pytest.mark.parametrize("values", [np.array([0.5]), np.array([2**40])])
def test_what_is_no_weight_is_not_written(values: Integers, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="integers"):
        save_packed(tmp_path / "net.safetensors", {"w": values})


@pytest.mark.parametrize("name", ["net.npz", "net.safetensors"])
def test_damaged_files_are_weights_errors(name: str, tmp_path: Path) -> None:
    path, bad = tmp_path / name, tmp_path / f"bad-{name}"
    if path.suffix == ".npz":
        save_npz(path, ARRAYS)
    else:
        save_packed(path, ARRAYS)
    good, chance, refused = path.read_bytes(), random.Random(1), 0
    for number in range(300):
        data = bytearray(good)
        if number % 3 == 0:
            data = data[: chance.randrange(len(data))]
        else:
            for _ in range(chance.choice([1, 2, 8])):
                data[chance.randrange(len(data))] = chance.randrange(256)
        bad.write_bytes(data)
        try:
            file = open_weights(bad)
            for key in file.shapes:
                file.array(key)
        except WeightsError:
            refused += 1
    assert refused > 200


def test_an_array_larger_than_it_states_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.zeros(1000, dtype=np.int8))
    data = (tmp_path / "w.npy").read_bytes().replace(b"(1000,)", b"(9999,)")
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        archive.writestr("w.npy", data)
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        open_weights(tmp_path / "net.npz")
    assert "size it states" in caught.value.note
