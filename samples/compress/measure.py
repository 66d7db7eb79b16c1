"""Pictures -> their rate and PSNR with this sample, and what JPEG and WebP make of as many bytes.

    python -m samples.compress.measure samples/compress/astronaut_face.png
    python -m samples.compress.measure --skimage --strip strip.png
Every picture is cut to sides that are multiples of 8, run through `compress.tnn` on the simulated
machine, written as bytes, read back from them and decoded. JPEG and WebP get at least as many
bytes: the lowest quality whose file is not smaller.
"""

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import tdsl
from samples.compress.coder import decode, encode
from samples.compress.decoder import Decoder

FOLDER = Path(__file__).parent
PHOTOGRAPHS = ("camera", "astronaut", "chelsea", "coffee", "rocket")
STRIP_SIDE = 160

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture after coding, and the bytes it took."""

    picture: Picture
    size: int

    def line(self, clean: Picture) -> str:
        """Rate and PSNR as text."""
        return f"{8 * self.size / clean.size:.3f} bit/pixel {psnr(self.picture, clean):.2f} dB"


def psnr(picture: Picture, clean: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB, for a peak of 255."""
    error = np.mean((picture.astype(float) - clean) ** 2)
    return float(10 * np.log10(255**2 / error))


def this_sample(clean: Picture) -> Coded:
    """Encode on the simulated machine, write bytes, read them back, decode."""
    network = tdsl.load(FOLDER / "compress.tnn")
    written = encode(np.asarray(network(clean).code))
    decoder = Decoder.read(FOLDER / "decoder.npz")
    return Coded(decoder(decode(written)), len(written))


def as_file(clean: Picture, kind: str, least: int) -> Coded:
    """Write with the lowest quality whose file has at least `least` bytes (or the highest)."""
    held = b""
    for quality in range(1, 101):
        file = io.BytesIO()
        options = {"optimize": True, "progressive": True} if kind == "JPEG" else {"method": 6}
        Image.fromarray(clean).save(file, kind, quality=quality, **options)
        held = file.getvalue()
        if len(held) >= least:
            break
    with Image.open(io.BytesIO(held)) as opened:
        return Coded(np.asarray(opened.convert("L")), len(held))


def cut(picture: Image.Image) -> Picture:
    """Turn grey, and cut to multiples of 8."""
    grey = np.asarray(picture.convert("L"))
    return grey[: grey.shape[0] // 8 * 8, : grey.shape[1] // 8 * 8]


def photographs(args: argparse.Namespace) -> Iterator[tuple[str, Picture]]:
    """The pictures asked for, with their names."""
    for path in args.pictures:
        with Image.open(path) as opened:
            yield path.stem, cut(opened)
    if args.skimage:
        from skimage import data

        for name in PHOTOGRAPHS:
            yield name, cut(Image.fromarray(getattr(data, name)()))


def part(picture: Picture) -> Picture:
    """A square from the middle of the upper half, for the strip."""
    left = (picture.shape[1] - STRIP_SIDE) // 2
    top = min(picture.shape[0] // 8, picture.shape[0] - STRIP_SIDE)
    return picture[top : top + STRIP_SIDE, left : left + STRIP_SIDE]


def main() -> None:
    """Print a line for each picture and each way; perhaps write the strip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--skimage", action="store_true", help="scikit-image's photographs too")
    parser.add_argument("--strip", type=Path, help="original | this sample | JPEG, of each picture")
    args = parser.parse_args()
    rows: list[Picture] = []
    for name, clean in photographs(args):
        mine = this_sample(clean)
        ways = {"this sample": mine} | {k: as_file(clean, k, mine.size) for k in ("JPEG", "WebP")}
        for way, coded in ways.items():
            print(f"{name:<16}{way:<12}{coded.line(clean)}", flush=True)
        rows.append(np.hstack([part(one) for one in (clean, mine.picture, ways["JPEG"].picture)]))
    if args.strip:
        Image.fromarray(np.vstack(rows)).save(args.strip, optimize=True)


if __name__ == "__main__":
    main()
