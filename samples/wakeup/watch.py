"""A clip -> who walks through it, with the recogniser asleep while nothing moves.

    python -m samples.wakeup.watch
    python -m samples.wakeup.watch --clip vtest.avi --plot timeline.png
Every frame goes through `motion.tnn`, which compares it with the one before; only if that says so,
`person.tnn` looks at it. Both run on the simulated machine, which counts the energy. Without a clip
the frames that come with the sample are watched.
"""

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from samples.wakeup.watcher import Picture, Seen, Watch, shipped_frames

CELL = 8


def energy_report(watch: Watch, frames: Picture, results: list[Seen]) -> None:
    """Print what was skipped and what it saved."""
    awake = [seen for seen in results if seen.heat is not None]
    motion = float(np.mean([seen.motion_energy for seen in results])) / 1e6
    spent = sum(seen.motion_energy + seen.person_energy for seen in results) / len(results) / 1e6
    always = watch.person(frames[0]).cost.energy_pj.typical / 1e6
    skipped = 1 - len(awake) / len(results)
    print(f"{len(results)} frames, recogniser asleep in {skipped:.1%} of them")
    print(f"motion {motion:.3f} uJ a frame, recogniser {always:.2f} uJ when awake")
    print(f"together {spent:.2f} uJ a frame; the recogniser alone, always awake, {always:.2f} uJ")


def truth_report(watch: Watch, results: list[Seen], cover: NDArray[np.float64]) -> None:
    """Compare with what the background says; frames with a trace of somebody do not count."""
    from samples.wakeup.clip import NOBODY, PERSON

    there, empty = (cover > PERSON).any((1, 2)), (cover < NOBODY).all((1, 2))
    awake = np.array([seen.heat is not None for seen in results])
    people = np.array([watch.people(seen) for seen in results])
    heat = np.array([np.zeros_like(cover[0]) if s.heat is None else s.heat for s in results])
    marked = (heat > watch.least) & awake[:, None, None]
    right = (marked & (cover >= NOBODY)).sum() / max(1, marked.sum())
    print(
        f"people in {there.sum()} frames: awake in {awake[there].mean():.1%} of them,",
        end=" ",
    )
    print(f"recognised in {people[there].mean():.1%}")
    print(f"nobody in {empty.sum()} frames: awake in {awake[empty].mean():.1%},", end=" ")
    print(f"people reported in {people[empty].mean():.1%}")
    print(
        f"of the squares with people {marked[cover > PERSON].mean():.1%} are marked,",
        end=" ",
    )
    print(f"of the marked ones {right:.1%} have people")


def drawn(frame: Picture, seen: Seen, least: int, scale: int = 2) -> Image.Image:
    """A frame, enlarged, with orange squares where the recogniser sees people."""
    size = frame.shape[1] * scale, frame.shape[0] * scale
    image = Image.fromarray(frame).resize(size, Image.Resampling.NEAREST).convert("RGB")
    draw = ImageDraw.Draw(image)
    side = CELL * scale
    if seen.heat is None:
        draw.text((6, 4), "asleep", (60, 110, 220))
        return image
    for y, x in np.argwhere(seen.heat > least).tolist():
        draw.rectangle(
            (x * side, y * side, (x + 1) * side - 1, (y + 1) * side - 1),
            outline=(255, 140, 0),
        )
    return image


def chosen_frames(watch: Watch, results: list[Seen]) -> list[int]:
    """A frame in which the recogniser slept, and of each third the one with most people."""
    people = [0 if s.heat is None else int((s.heat > watch.least).sum()) for s in results]
    asleep = next((i for i, seen in enumerate(results) if seen.heat is None), 0)
    thirds = np.array_split(np.arange(len(results)), 3)
    return [asleep, *(int(max(third, key=lambda i: people[i])) for third in thirds)]


def plot(
    watch: Watch,
    frames: Picture,
    results: list[Seen],
    cover: NDArray[np.float64] | None,
) -> Image.Image:
    """Four frames, and below them stripes over time: awake, recognised, and the truth."""
    wide, high, left = 1200, 14, 80
    chosen = chosen_frames(watch, results)
    pictures = [drawn(frames[i + 1], results[i], watch.least) for i in chosen]
    pictures = [one.resize((wide // 4, wide * 3 // 16)) for one in pictures]
    stripes: list[tuple[str, Callable[[int], bool], tuple[int, int, int]]] = [
        ("awake", lambda i: results[i].heat is not None, (60, 110, 220)),
        ("recognised", lambda i: watch.people(results[i]), (255, 140, 0)),
    ]
    if cover is not None:
        stripes.append(("people", lambda i: bool((cover[i] > 0.25).any()), (60, 160, 80)))
    top = pictures[0].height
    image = Image.new("RGB", (wide, top + (high + 6) * len(stripes) + 8), "white")
    for column, picture in enumerate(pictures):
        image.paste(picture, (column * wide // 4, 0))
    draw = ImageDraw.Draw(image)
    step = (wide - left) / len(results)
    for row, (name, holds, colour) in enumerate(stripes):
        y = top + 6 + row * (high + 6)
        draw.text((4, y), name, "black")
        draw.rectangle((left, y, wide - 1, y + high), fill=(238, 238, 238))
        for i in filter(holds, range(len(results))):
            draw.rectangle((left + i * step, y, left + (i + 1) * step, y + high), fill=colour)
    for i in chosen:
        draw.line((left + i * step, top, left + i * step, image.height), fill="red")
    return image.quantize(64, dither=Image.Dither.NONE).convert("P")


def main() -> None:
    """Watch, report, and perhaps draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, help="vtest.avi; otherwise the frames shipped")
    parser.add_argument("--motion-machine", help="a preset for the motion network alone")
    parser.add_argument("--plot", type=Path, help="where to write the timeline")
    args = parser.parse_args()
    cover = None
    if args.clip:
        from samples.wakeup.clip import covered, read_clip, watched

        clip = read_clip(args.clip)
        frames, cover = watched(clip.frames), covered(watched(clip.people))[1:]
    else:
        frames = shipped_frames()
    watch = Watch()
    results = [watch(now, before) for before, now in pairwise(frames)]
    energy_report(watch, frames, results)
    if cover is not None:
        truth_report(watch, results, cover)
    else:
        print(f"people recognised in {sum(map(watch.people, results))} frames")
    if args.plot:
        plot(watch, frames, results, cover).save(args.plot, optimize=True)


if __name__ == "__main__":
    main()
