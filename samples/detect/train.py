"""Train the detection sample: photographs and Fashion-MNIST -> `detect.safetensors`, `boxes.json`.

Run from the repository root:
    python -m samples.detect.train --photographs FOLDER --objects fashion_mnist.npz \
        --out samples/detect
Frames are composed anew for every step; the learning rate falls with the time that passes. The
network is `detect.tnn`, and its trainable twin is made from that file.
"""

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samples.cifar.train import rate
from samples.denoise.train import load_photographs
from samples.detect.boxes import CELL
from samples.detect.compose import HEIGHT, WIDTH, Frame, Picture, Thing, compose
from tdsl.train import Twin, twin

KINDS = 10
ROWS, COLUMNS = HEIGHT // CELL, WIDTH // CELL
NEXT_TO = 0.3
"""Weight of the cells around a middle, where box and kind are learned too."""


class Detector(nn.Module):
    """Frames [N, 1, H, W] -> maps [N, 15, H / 4, W / 4]: heat, four of the box, ten kinds."""

    def __init__(self, network: Twin) -> None:
        super().__init__()
        self.network = network
        self.log_scale = nn.Parameter(torch.full((5 + KINDS,), -3.5))
        self.bias = nn.Parameter(torch.tensor([-3.0, 0.0, 0.0, 4.3, 4.3] + [0.0] * KINDS))

    def sums(self, frames: Tensor) -> Tensor:
        """Return the three maps of the network, one after the other."""
        maps = self.network(frames)
        return torch.cat([maps["heat"], maps["box"], maps["kind"]], 1).float()

    def forward(self, frames: Tensor) -> Tensor:
        """Return the sums times their scales; the host does the same in `boxes.py`."""
        with torch.autocast("cpu", torch.bfloat16):
            sums = self.sums(frames)
        return sums * self.log_scale.exp().view(-1, 1, 1) + self.bias.view(-1, 1, 1)


@dataclass(frozen=True, slots=True)
class Targets:
    """`heat` [N, rows, columns] is 1 in the middle of things; `cells` lists what to learn where.

    Each row of `cells` holds frame, y, x, four of the box, the kind and a weight.
    """

    heat: Tensor
    cells: Tensor


def bell(thing: Thing) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A bell as wide as the thing, 1 in its middle: [rows, columns]."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] + 0.5
    width = [
        max(side / CELL / 5, 0.55) for side in (thing.right - thing.left, thing.bottom - thing.top)
    ]
    middle = (
        (thing.left + thing.right) / 2 / CELL,
        (thing.top + thing.bottom) / 2 / CELL,
    )
    far = ((x - middle[0]) / width[0]) ** 2 + ((y - middle[1]) / width[1]) ** 2
    return np.exp(-0.5 * far)


def targets(frames: list[Frame]) -> Targets:
    """What the maps should be."""
    heat = np.zeros((len(frames), ROWS, COLUMNS))
    cells: list[tuple[float, ...]] = []
    for number, frame in enumerate(frames):
        for thing in frame.things:
            x, y = (
                (thing.left + thing.right) / 2 / CELL,
                (thing.top + thing.bottom) / 2 / CELL,
            )
            size = (
                math.log2(thing.right - thing.left),
                math.log2(thing.bottom - thing.top),
            )
            heat[number] = np.maximum(heat[number], bell(thing))
            heat[number, int(y), int(x)] = 1
            for row, column in np.ndindex(3, 3):
                r, c = int(y) + row - 1, int(x) + column - 1
                if 0 <= r < ROWS and 0 <= c < COLUMNS:
                    weight = 1.0 if row == column == 1 else NEXT_TO
                    at = (number, r, c, x - c - 0.5, y - r - 0.5)
                    cells.append((*at, *size, thing.kind, weight))
    return Targets(torch.tensor(heat).float(), torch.tensor(cells).reshape(-1, 9))


def heat_loss(wanted: Tensor, logits: Tensor) -> Tensor:
    """The focal loss of CenterNet: middles count in full, cells near them little."""
    middle, sure = wanted == 1, logits.sigmoid()
    hit = (F.logsigmoid(logits) * (1 - sure) ** 2)[middle].sum()
    miss = (F.logsigmoid(-logits) * sure**2 * (1 - wanted) ** 4)[~middle].sum()
    return -(hit + miss) / max(1, int(middle.sum()))


def loss_of(maps: Tensor, wanted: Targets) -> Tensor:
    """Heat, and where there are things their boxes and kinds."""
    loss = heat_loss(wanted.heat, maps[:, 0])
    if not len(wanted.cells):
        return loss
    number, y, x, kind = (wanted.cells[:, i].long() for i in (0, 1, 2, 7))
    values, weight = maps[number, :, y, x], wanted.cells[:, 8].float()
    box = F.smooth_l1_loss(values[:, 1:5], wanted.cells[:, 3:7].float(), reduction="none", beta=0.1)
    named = F.cross_entropy(values[:, 5:], kind, reduction="none")
    return loss + ((box.sum(1) + 0.5 * named) * weight).sum() / weight.sum()


@dataclass(frozen=True, slots=True)
class Scenes:
    """What frames are composed from."""

    photographs: list[Picture]
    objects: Picture
    kinds: Picture

    def frames(self, count: int, rng: np.random.Generator) -> list[Frame]:
        """Compose frames."""
        return [compose(self.photographs, self.objects, self.kinds, rng) for _ in range(count)]


def stack(frames: list[Frame]) -> Tensor:
    """The pictures as one batch [N, 1, H, W]."""
    return torch.from_numpy(np.stack([frame.picture for frame in frames])).unsqueeze(1)


def train(model: Detector, scenes: Scenes, args: argparse.Namespace) -> None:
    """Fit the model; prints a line every 50 steps."""
    rng = np.random.default_rng(args.seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate)
    began, total, step = time.time(), 0.0, 0
    model.train()
    while (done := (time.time() - began) / (60 * args.minutes)) < 1:
        optimiser.param_groups[0]["lr"] = rate(args.rate, done)
        frames = scenes.frames(args.batch, rng)
        loss = loss_of(model(stack(frames)), targets(frames))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        model.network.clip_latents()
        total += loss.item()
        step += 1
        if step % 50 == 0:
            print(
                f"step {step} loss {total / 50:.3f} {time.time() - began:.0f} s",
                flush=True,
            )
            total = 0.0
            torch.save(model.state_dict(), args.checkpoint)


def fit_boxes(model: Detector, batches: list[list[Frame]]) -> None:
    """Fit scale and offset of the four numbers of a box anew, to the integers of the network."""
    model.eval()
    found, wanted = [], []
    for frames in batches:
        cells = targets(frames).cells
        middles = cells[cells[:, 8] == 1]
        number, y, x = (middles[:, i].long() for i in range(3))
        found.append(model.sums(stack(frames))[number, 1:5, y, x])
        wanted.append(middles[:, 3:7])
    with torch.no_grad():
        for i, (sums, true) in enumerate(zip(torch.cat(found).T, torch.cat(wanted).T, strict=True)):
            slope, offset = np.polyfit(sums.numpy(), true.numpy(), 1)
            if slope > 0:  # as soon as anything has been learned
                model.log_scale[1 + i], model.bias[1 + i] = math.log(slope), offset


def export(model: Detector, folder: Path) -> None:
    """Write the integer network, and what its sums are worth."""
    model.network.export(folder / "detect.safetensors")
    held = {"scale": model.log_scale.exp().tolist(), "bias": model.bias.tolist()}
    rounded = {name: [float(f"{value:.5g}") for value in values] for name, values in held.items()}
    (folder / "boxes.json").write_text(json.dumps(rounded, indent=1) + "\n", "utf-8")


def main() -> None:
    """Train, fold and write the sample's files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, help="a folder of pictures")
    parser.add_argument("--objects", type=Path, required=True, help="Fashion-MNIST as .npz")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sample's files")
    parser.add_argument("--checkpoint", type=Path, default=Path("detect.pt"))
    parser.add_argument("--start", type=Path, help="begin with this checkpoint")
    parser.add_argument("--minutes", type=float, default=30, help="0 only exports `--start`")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    data = np.load(args.objects)
    scenes = Scenes(load_photographs(args.photographs), data["train_image"], data["train_label"])
    model = Detector(twin(Path(__file__).parent / "detect.tnn"))
    if args.start:
        model.load_state_dict(torch.load(args.start))
    if args.minutes:
        train(model, scenes, args)
    rng = np.random.default_rng(args.seed + 1)
    model.network.average_statistics(stack(scenes.frames(32, rng)) for _ in range(20))
    fit_boxes(model, [scenes.frames(32, rng) for _ in range(20)])
    export(model, args.out)


if __name__ == "__main__":
    main()
