"""Files to frames: what is read exactly, and what is refused with which code."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tdsl.diagnostics import CompileError
from tdsl.images.port import Frame, Port
from tdsl.images.reading import read_frames

GREY = Port("img", (1, None, None), 0, 255)
COLOUR = Port("img", (3, None, None), 0, 255)
FIXED = Port("img", (1, 4, 6), 0, 255)
PAIR = (Port("now", (1, None, None), 0, 255), Port("ref", (1, None, None), 0, 255))
RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (4, 6), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (4, 6, 3), dtype=np.uint8)


def frames(path: Path | str, *ports: Port, grey: bool = False) -> list[Frame]:
    return list(read_frames([str(path)], ports, grey))


def refused(path: Path | str, *ports: Port) -> str:
    with pytest.raises(CompileError) as caught:
        frames(path, *ports)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.helps, "a refusal says what to do"
    return diagnostic.code


def test_a_grey_picture_is_its_pixels(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    (frame,) = frames(tmp_path / "a.png", FIXED)
    assert frame.label == str(tmp_path / "a.png")
    assert np.array_equal(frame.arrays["img"], PIXELS[None])


def test_a_colour_picture_has_its_channels_first(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    (frame,) = frames(tmp_path / "a.png", COLOUR)
    assert np.array_equal(frame.arrays["img"], RGB.transpose(2, 0, 1))


def test_colour_becomes_grey_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    assert refused(path, GREY) == "E0703"
    (frame,) = frames(path, GREY, grey=True)
    weighted = RGB @ np.array([0.299, 0.587, 0.114])
    assert np.abs(frame.arrays["img"][0] - weighted).max() <= 1


def test_lossless_conversions_need_no_asking(tmp_path: Path) -> None:
    Image.fromarray(np.repeat(PIXELS[..., None], 3, 2)).save(tmp_path / "same.png")
    (frame,) = frames(tmp_path / "same.png", GREY)
    assert np.array_equal(frame.arrays["img"], PIXELS[None])
    Image.fromarray(PIXELS).save(tmp_path / "grey.png")
    (frame,) = frames(tmp_path / "grey.png", COLOUR)
    assert np.array_equal(frame.arrays["img"], np.repeat(PIXELS[None], 3, 0))


def test_a_palette_is_colour(tmp_path: Path) -> None:
    indexed = Image.fromarray(RGB).quantize(16)
    indexed.save(tmp_path / "a.gif")
    (frame,) = frames(tmp_path / "a.gif", COLOUR)
    assert np.array_equal(frame.arrays["img"], np.array(indexed.convert("RGB")).transpose(2, 0, 1))


def test_opaque_alpha_is_dropped_and_transparency_refused(tmp_path: Path) -> None:
    picture = Image.fromarray(RGB).convert("RGBA")
    picture.save(tmp_path / "opaque.png")
    (frame,) = frames(tmp_path / "opaque.png", COLOUR)
    assert np.array_equal(frame.arrays["img"], RGB.transpose(2, 0, 1))
    picture.putalpha(200)
    picture.save(tmp_path / "glass.png")
    assert refused(tmp_path / "glass.png", COLOUR) == "E0702"


@pytest.mark.parametrize(("high", "white"), [(1, 1), (255, 255)])
def test_black_and_white_takes_the_range_of_the_input(
    tmp_path: Path, high: int, white: int
) -> None:
    Image.fromarray(PIXELS > 128).save(tmp_path / "a.png")
    (frame,) = frames(tmp_path / "a.png", Port("img", (1, None, None), 0, high))
    assert np.array_equal(frame.arrays["img"][0], (PIXELS > 128) * white)


def test_sixteen_bits_reach_a_wide_input_only(tmp_path: Path) -> None:
    deep = PIXELS.astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "a.png")
    (frame,) = frames(tmp_path / "a.png", Port("img", (1, None, None), 0, 65535))
    assert np.array_equal(frame.arrays["img"][0], deep)
    assert refused(tmp_path / "a.png", GREY) == "E0706"


def test_the_orientation_of_a_photograph_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by a quarter
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    (frame,) = frames(tmp_path / "a.png", GREY)
    assert np.array_equal(frame.arrays["img"][0], np.rot90(PIXELS, -1))


def test_every_frame_of_an_animation_is_read(tmp_path: Path) -> None:
    pages = [Image.fromarray(RANDOM.integers(0, 256, (4, 6), dtype=np.uint8)) for _ in range(3)]
    pages[0].save(tmp_path / "a.png", save_all=True, append_images=pages[1:])
    read = frames(tmp_path / "a.png", COLOUR)
    assert [frame.label.rpartition("#")[2] for frame in read] == ["0", "1", "2"]
    for frame, page in zip(read, pages, strict=True):
        assert np.array_equal(frame.arrays["img"][0], np.array(page))


@pytest.mark.parametrize(
    ("shape", "count"),
    [((4, 6), 1), ((1, 4, 6), 1), ((4, 6, 1), 1), ((5, 4, 6), 5), ((5, 1, 4, 6), 5)],
)
def test_arrays_are_frames(tmp_path: Path, shape: tuple[int, ...], count: int) -> None:
    array = RANDOM.integers(0, 256, shape)
    np.save(tmp_path / "a.npy", array)
    read = frames(tmp_path / "a.npy", FIXED)
    assert len(read) == count
    joined = np.concatenate([frame.arrays["img"] for frame in read])
    assert np.array_equal(joined.ravel(), array.ravel())


def test_channels_may_come_last(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RGB)
    (frame,) = frames(tmp_path / "a.npy", COLOUR)
    assert np.array_equal(frame.arrays["img"], RGB.transpose(2, 0, 1))


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.png", "a.npy", "notes.txt"):
        path = tmp_path / name
        match path.suffix:
            case ".png":
                Image.fromarray(PIXELS).save(path)
            case ".npy":
                np.save(path, PIXELS)
            case _:
                path.write_text("no picture")
    labels = [Path(frame.label).name for frame in frames(tmp_path, GREY)]
    assert labels == ["a.npy", "b.png"]


def test_several_inputs_are_named(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    np.save(tmp_path / "b.npy", PIXELS[::-1])
    given = [f"ref={tmp_path / 'b.npy'}", f"now={tmp_path / 'a.png'}"]
    (frame,) = read_frames(given, PAIR, grey=False)
    assert np.array_equal(frame.arrays["now"][0], PIXELS)
    assert np.array_equal(frame.arrays["ref"][0], PIXELS[::-1])
    np.savez(tmp_path / "both.npz", now=PIXELS, ref=PIXELS[::-1])
    (again,) = frames(tmp_path / "both.npz", *PAIR)
    assert np.array_equal(again.arrays["ref"], frame.arrays["ref"])


def test_an_input_given_twice_is_refused(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with pytest.raises(CompileError) as caught:
        list(read_frames([f"img={tmp_path / 'a.png'}"] * 2, [GREY], grey=False))
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("E0707", 0)
    assert diagnostic.message.endswith("given are `img`, `img`")


def test_several_inputs_without_names_are_refused(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    assert refused(tmp_path / "a.png", *PAIR) == "E0707"
    assert refused(f"now={tmp_path / 'a.png'}", *PAIR) == "E0707"


def _png(path: Path) -> None:
    Image.fromarray(PIXELS).save(path, "PNG")


def _truncated(path: Path) -> None:
    _png(path)
    path.write_bytes(path.read_bytes()[:-30])


def _pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


BAD: list[tuple[str, Callable[[Path], object], Port, str]] = [
    ("absent.png", lambda path: None, GREY, "E0701"),
    ("empty", lambda path: path.mkdir(), GREY, "E0701"),
    ("zero.png", lambda path: path.write_bytes(b""), GREY, "E0702"),
    ("zero.npy", lambda path: path.write_bytes(b""), GREY, "E0702"),
    ("text.png", lambda path: path.write_text("not a picture"), GREY, "E0702"),
    ("text.npz", lambda path: path.write_text("not an archive"), GREY, "E0702"),
    ("cut.png", _truncated, GREY, "E0702"),
    ("pickle.npy", _pickled, GREY, "E0702"),
    ("cmyk.tif", lambda path: Image.new("CMYK", (6, 4)).save(path), COLOUR, "E0702"),
    ("vector.png", _png, Port("x", (10,), -1, 1), "E0703"),
    ("many.png", _png, Port("x", (8, None, None), 0, 255), "E0703"),
    ("size.png", _png, Port("x", (1, 28, 28), 0, 255), "E0704"),
    ("size.npy", lambda path: np.save(path, PIXELS), Port("x", (1, 28, 28), 0, 255), "E0704"),
    ("none.npy", lambda path: np.save(path, PIXELS[:0]), GREY, "E0705"),
    ("float.npy", lambda path: np.save(path, PIXELS / 255), GREY, "E0706"),
    ("range.npy", lambda path: np.save(path, PIXELS * -1.0 // 1), GREY, "E0706"),
    ("trits.png", _png, Port("x", (1, None, None), -1, 1), "E0706"),
    (
        "bin.npy",
        lambda path: np.save(path, PIXELS % 2),
        Port("x", (1, 4, 6), -1, 1, False),
        "E0706",
    ),
    ("two.npz", lambda path: np.savez(path, a=PIXELS, b=PIXELS), GREY, "E0707"),
]


@pytest.mark.parametrize(("name", "make", "port", "code"), BAD, ids=[bad[0] for bad in BAD])
def test_what_does_not_fit_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], object], port: Port, code: str
) -> None:
    make(tmp_path / name)
    assert refused(tmp_path / name, port) == code
