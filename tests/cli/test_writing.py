"""Outputs to files: pictures, arrays, folders; whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tdsl.diagnostics import CompileError
from tdsl.images.port import Array, Port
from tdsl.images.writing import open_destination
from tdsl.replacing import replacing

PICTURE = Port("clean", (1, 4, 6), 0, 255)
TRITS = Port("edges", (3, 4, 6), -1, 1)
SCORES = Port("scores", (10,), -512, 511)
RANDOM = np.random.default_rng(1)


def values(port: Port) -> Array:
    shape = [size or 1 for size in port.shape]
    return RANDOM.integers(port.low, port.high, shape, endpoint=True)


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    array = values(PICTURE)
    path = tmp_path / "a.png"
    open_destination(str(path), [PICTURE], several=False).write("x.png", {"clean": array})
    assert np.array_equal(np.array(Image.open(path)), array[0])


def test_trits_are_black_grey_and_white(tmp_path: Path) -> None:
    array = values(TRITS)
    path = tmp_path / "a.png"
    open_destination(str(path), [TRITS, SCORES], several=False).write("x.png", {"edges": array})
    shown = np.array(Image.open(path)).transpose(2, 0, 1)
    assert np.array_equal(shown, np.select([array < 0, array > 0], [0, 255], 128))


@pytest.mark.parametrize("port", [SCORES, TRITS, Port("x", (2,), 0, 256), Port("x", (2,), 0, 1)])
def test_arrays_keep_their_values(tmp_path: Path, port: Port) -> None:
    array = values(port)
    path = tmp_path / "a.npy"
    open_destination(str(path), [port], several=False).write("x.png", {port.name: array})
    loaded = np.load(path)
    assert np.array_equal(loaded, array)
    assert np.iinfo(loaded.dtype).min <= port.low <= port.high <= np.iinfo(loaded.dtype).max


def test_all_outputs_go_to_one_archive(tmp_path: Path) -> None:
    file = Port("file", (2,), 0, 9)  # a name that numpy.savez could not take
    outputs = {"clean": values(PICTURE), "file": values(file)}
    path = tmp_path / "a.npz"
    open_destination(str(path), [PICTURE, file], several=False).write("x.png", outputs)
    with np.load(path) as loaded:
        assert {name: loaded[name].tolist() for name in loaded} == {
            name: array.tolist() for name, array in outputs.items()
        }


def test_a_folder_gets_a_file_for_each_frame_and_output(tmp_path: Path) -> None:
    where = open_destination(f"{tmp_path}/out", [PICTURE, SCORES], several=True)
    outputs = {"clean": values(PICTURE), "scores": values(SCORES)}
    for label in ("a/x.png", "b/x.png", "clip.gif#0", "clip.gif#1"):
        where.write(label, outputs)
    stems = ("clip-0", "clip-1", "x", "x_2")
    expected = {f"{stem}.{rest}" for stem in stems for rest in ("clean.png", "scores.npy")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == expected


@pytest.mark.parametrize(
    ("name", "ports", "several"),
    [
        ("a.png", [SCORES], False),
        ("a.png", [PICTURE, TRITS], False),
        ("a.npy", [PICTURE, SCORES], False),
        ("a.png", [PICTURE], True),
        ("absent/a.png", [PICTURE], False),
        ("file/under", [PICTURE], False),
        ("file", [PICTURE], False),
        ("file/", [PICTURE], False),
        ("a.jpg", [PICTURE], False),
        ("a.json", [PICTURE], True),
        ("there.txt", [PICTURE], False),
    ],
)
def test_impossible_places_are_refused(
    tmp_path: Path, name: str, ports: list[Port], several: bool
) -> None:
    for there in ("file", "there.txt"):
        (tmp_path / there).write_text("")
    with pytest.raises(CompileError) as caught:
        open_destination(f"{tmp_path}/{name}", ports, several)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("E0712", 0)
    assert diagnostic.helps
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there.txt"]


@pytest.mark.parametrize("name", ["out", "out.v2/", "there.v1", "there.png"])
def test_a_folder_is_named_by_its_end_or_is_there(tmp_path: Path, name: str) -> None:
    for there in ("there.v1", "there.png"):
        (tmp_path / there).mkdir()
    where = open_destination(f"{tmp_path}/{name}", [PICTURE], several=False)
    where.write("x.png", {"clean": values(PICTURE)})
    assert (tmp_path / name / "x.png").is_file()


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted() -> None:
        with replacing(path) as written:
            written.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with replacing(tmp_path / "link.txt") as written:
        written.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
