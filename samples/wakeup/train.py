"""Train the recogniser of the wake-up sample: a clip -> `person.safetensors`, `person.json`.

Run from the repository root:
    python -m samples.wakeup.train --clip vtest.avi --out samples/wakeup
The later half of the clip is for training, in pieces from all over the scene; the earlier half,
and of it one window, is for the test.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samples.wakeup.clip import (
    HEIGHT,
    NOBODY,
    PERSON,
    TEST_FRAMES,
    WIDTH,
    WINDOW,
    Clip,
    covered,
    read_clip,
)
from tdsl.train import Twin, twin

GAP = 20
"""Frames between test and training."""
IN_WINDOW = 0.4
"""Share of pieces cut near the watched window."""


class Recogniser(nn.Module):
    """Frames [N, 1, H, W] -> log-odds of people [N, H / 8, W / 8]."""

    def __init__(self, network: Twin) -> None:
        super().__init__()
        self.network = network
        self.log_scale = nn.Parameter(torch.tensor(-3.0))
        self.bias = nn.Parameter(torch.tensor(-2.0))

    def forward(self, frames: Tensor) -> Tensor:
        """Return the sums times one learned scale, plus one offset."""
        with torch.autocast("cpu", torch.bfloat16):
            heat = self.network(frames)["heat"]
        return heat[:, 0].float() * self.log_scale.exp() + self.bias

    def least(self) -> int:
        """The sum above which people are likelier than not."""
        return math.floor(-self.bias.item() / self.log_scale.exp().item())


def piece(clip: Clip, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut a frame and its people, mirrored and of changed light: both [120, 160] u8."""
    number = rng.integers(TEST_FRAMES + GAP, len(clip.frames))
    high, wide = clip.frames.shape[1:]
    left, top = rng.integers(wide - WIDTH + 1), rng.integers(high - HEIGHT + 1)
    if rng.random() < IN_WINDOW:
        left, top = np.add(WINDOW, rng.integers(-8, 9, 2))
    area = np.s_[number, top : top + HEIGHT, left : left + WIDTH]
    frame, people = clip.frames[area].astype(float), clip.people[area]
    if rng.random() < 0.5:
        frame, people = frame[:, ::-1], people[:, ::-1]
    frame = (frame - 128) * rng.uniform(0.7, 1.3) + 128 + rng.uniform(-30, 30)
    frame = frame + rng.normal(0, 3, frame.shape)
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8), people


def batch_of(clip: Clip, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Frames [N, 1, 120, 160] and the cover of their squares [N, 15, 20]."""
    frames, people = zip(*(piece(clip, rng) for _ in range(count)), strict=True)
    cover = torch.from_numpy(covered(np.stack(people))).float()
    return torch.from_numpy(np.stack(frames)).unsqueeze(1), cover


def loss_of(logits: Tensor, cover: Tensor) -> Tensor:
    """Cross-entropy of the squares that count; people three times."""
    person = (cover > PERSON).float()
    weight = ((cover > PERSON) | (cover < NOBODY)).float() * (1 + 2 * person)
    loss = F.binary_cross_entropy_with_logits(logits, person, reduction="none")
    return (loss * weight).sum() / weight.sum()


def train(model: Recogniser, clip: Clip, args: argparse.Namespace) -> None:
    """Fit the model; prints a line every 50 steps."""
    rng = np.random.default_rng(args.seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.rate, total_steps=args.steps, pct_start=0.05
    )
    began, total = time.time(), 0.0
    model.train()
    for step in range(1, args.steps + 1):
        frames, cover = batch_of(clip, args.batch, rng)
        loss = loss_of(model(frames), cover)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        model.network.clip_latents()
        total += loss.item()
        if step % 50 == 0:
            print(
                f"step {step} loss {total / 50:.4f} {time.time() - began:.0f} s",
                flush=True,
            )
            total = 0.0
            torch.save(model.state_dict(), args.checkpoint)


def main() -> None:
    """Train, fold and write the sample's files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True, help="vtest.avi")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sample's files")
    parser.add_argument("--checkpoint", type=Path, default=Path("person.pt"))
    parser.add_argument("--start", type=Path, help="begin with this checkpoint")
    parser.add_argument("--steps", type=int, default=1500, help="0 only exports `--start`")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    clip = read_clip(args.clip)
    model = Recogniser(twin(Path(__file__).parent / "person.tnn"))
    if args.start:
        model.load_state_dict(torch.load(args.start))
    if args.steps:
        train(model, clip, args)
    rng = np.random.default_rng(args.seed + 1)
    model.network.average_statistics(batch_of(clip, 32, rng)[0] for _ in range(40))
    model.network.export(args.out / "person.safetensors")
    (args.out / "person.json").write_text(json.dumps({"least": model.least()}) + "\n", "utf-8")


if __name__ == "__main__":
    main()
