"""Train a classifier written in `.tnn`: a data set -> `.safetensors`.

Run from the repository root:
    python -m samples.cifar.train --data cifar10_jpeg.npz --out samples/cifar/cifar.safetensors
A GPU is used when PyTorch finds one. The learning rate follows the share of `--minutes` of
processor time that has passed, so other work on the machine changes nothing. A stopped run goes
on from its checkpoint.
The other classifiers among the samples are trained by `run` as well.
"""

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from samples.cifar import data
from samples.cifar.data import Split
from tdsl.train import Twin, twin

RISING = 0.08
"""The share of the time with a rising learning rate."""


@dataclass(frozen=True)
class Recipe:
    """What differs from one network to another: the defaults of its command line."""

    minutes: float
    border: int = 4
    """Pixels that images are shifted by at most."""
    batch: int = 128
    log_scale: float = -3.0
    """Where the factor of the scores starts, as a logarithm."""


class Classifier(torch.nn.Module):
    """A twin and one learned factor of its scores, which no decision depends on."""

    def __init__(self, network: Path, log_scale: float) -> None:
        super().__init__()
        self.twin: Twin = twin(network)
        self.log_scale = torch.nn.Parameter(torch.tensor(log_scale))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, 10] of images [N, 3, 32, 32] u8."""
        scores: Tensor = self.twin(images)["scores"]
        return scores.float() * self.log_scale.exp()


class Augmented:
    """Images [N, C, H, W] u8, given shifted by up to `border` pixels, half of them mirrored."""

    def __init__(self, images: NDArray[np.uint8], border: int, device: torch.device) -> None:
        sides = ((0, 0), (0, 0), (border, border), (border, border))
        bordered = np.pad(images, sides, mode="reflect").transpose(0, 2, 3, 1)
        self.bordered = torch.from_numpy(np.ascontiguousarray(bordered)).to(device)
        self.shifts, self.size = 2 * border + 1, images.shape[2:]

    def __getitem__(self, chosen: Tensor) -> Tensor:
        """A batch [n, C, H, W] of the images with these indices."""
        device, (height, width) = chosen.device, self.size
        dy, dx = torch.randint(0, self.shifts, (2, len(chosen), 1), device=device)
        columns = torch.arange(width, device=device)
        mirrored = torch.rand(len(chosen), 1, device=device) < 0.5
        columns = dx + torch.where(mirrored, columns.flip(0), columns)
        rows = dy + torch.arange(height, device=device)
        batch = self.bordered[chosen.view(-1, 1, 1), rows.unsqueeze(2), columns.unsqueeze(1)]
        return batch.movedim(-1, 1)


def rate(highest: float, done: float) -> float:
    """The learning rate when the share `done` of the time has passed: up, then a cosine down."""
    if done < RISING:
        return highest * done / RISING
    return highest * 0.5 * (1 + math.cos(math.pi * min(1.0, (done - RISING) / (1 - RISING))))


def train(model: Classifier, examples: Split, args: argparse.Namespace) -> None:
    """Fit the model; prints one line an epoch."""
    device = model.log_scale.device
    images = Augmented(examples.image, args.border, device)
    labels = torch.from_numpy(examples.label.astype(np.int64)).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate)
    seconds, epoch = resume(model, optimiser, args.checkpoint)
    clock = time.process_time()
    while seconds < args.minutes * 60:
        model.train()
        hits = seen = total = 0.0
        for chosen in torch.randperm(len(labels), device=device).split(args.batch):
            for group in optimiser.param_groups:
                group["lr"] = rate(args.rate, seconds / (args.minutes * 60))
            with torch.autocast(device.type, torch.bfloat16):
                logits = model(images[chosen])
            loss = F.cross_entropy(logits, labels[chosen], label_smoothing=args.smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            model.twin.clip_latents()
            seen += len(chosen)
            total += loss.item() * len(chosen)
            hits += int((logits.argmax(1) == labels[chosen]).sum())
            now = time.process_time()
            seconds, clock = seconds + now - clock, now
            if seconds >= args.minutes * 60:
                break
        epoch += 1
        result = f"loss {total / seen:.4f} train {hits / seen:.4f}"
        print(f"epoch {epoch} {result} {seconds:.0f} s", flush=True)
        save(model, optimiser, seconds, epoch, args.checkpoint)


def save(
    model: Classifier, optimiser: torch.optim.Optimizer, seconds: float, epoch: int, path: Path
) -> None:
    """Write a checkpoint; a write that is cut short leaves the one before."""
    states = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
    partial = path.with_suffix(".partial")
    torch.save({**states, "seconds": seconds, "epoch": epoch}, partial)
    partial.replace(path)


def resume(model: Classifier, optimiser: torch.optim.Optimizer, path: Path) -> tuple[float, int]:
    """Take the state of a checkpoint, if there is one: seconds and epochs done."""
    if not path.exists():
        return 0.0, 0
    saved = torch.load(path, map_location=model.log_scale.device)
    model.load_state_dict(saved["model"])
    optimiser.load_state_dict(saved["optimiser"])
    return saved["seconds"], saved["epoch"]


def arguments(network: Path, recipe: Recipe) -> argparse.Namespace:
    """The command line of a training script."""
    parser = argparse.ArgumentParser(description=f"Train {network}.")
    parser.add_argument("--data", type=Path, required=True, help="the data set, an .npz")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors to write")
    parser.add_argument("--checkpoint", type=Path, default=Path(f"{network.stem}.pt"))
    parser.add_argument("--minutes", type=float, default=recipe.minutes)
    parser.add_argument("--batch", type=int, default=recipe.batch)
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--smoothing", type=float, default=0.05)
    parser.add_argument("--border", type=int, default=recipe.border)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def run(network: Path, read_split: Callable[[Path, str], Split], recipe: Recipe) -> None:
    """Train, average the statistics, export, and count the right decisions of the integers."""
    args = arguments(network, recipe)
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    examples = read_split(args.data, "train")
    model = Classifier(network, recipe.log_scale).to(device)
    train(model, examples, args)
    # Data sets may be sorted by class; a batch has to hold all of them.
    some = np.random.default_rng(args.seed).permutation(len(examples.label))[:30000]
    model.twin.average_statistics(torch.from_numpy(examples.image[some]).to(device).split(500))
    model.cpu().eval()
    model.twin.export(args.out)
    test = read_split(args.data, "test")
    batches = torch.from_numpy(test.image).split(500)
    decided = torch.cat([model.twin(batch)["class"] for batch in batches]).flatten()
    print(f"test accuracy {np.mean(decided.numpy() == test.label):.4f} (integers)")


if __name__ == "__main__":
    run(Path("samples/cifar/cifar.tnn"), data.read_split, Recipe(minutes=50))
