"""Train the Fashion-MNIST sample: data set -> `fashion.safetensors`.

Run from the repository root:
    python -m samples.fashion.train --data fashion_mnist.npz --out samples/fashion
`--data` is an .npz with train_image (60000, 28, 28) u8, train_label, test_image, test_label.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from samples.training.layers import (
    FoldedConv,
    TernaryConv,
    TernaryWeight,
    Thermometer,
    average_statistics,
    clip_latents,
    ternary_latent,
)
from tdsl.frontend.weights import open_weights, save_packed

STEPS = ("c1", "c2", "c3", "c4", "c5")
CLASSES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle-boot",
)


class Classifier(nn.Module):
    """[N, 1, 28, 28] u8 -> scores [N, 10]; the same steps as `fashion.tnn`."""

    def __init__(self) -> None:
        super().__init__()
        self.code = Thermometer(16)
        self.c1 = TernaryConv(16, 32, pool=2)
        self.c2 = TernaryConv(32, 64)
        self.c3 = TernaryConv(64, 64, pool=2)
        self.c4 = TernaryConv(64, 64)
        self.c5 = TernaryConv(64, 128, pool=2)
        self.fc_latent = ternary_latent(10, 128 * 9)
        self.log_scale = nn.Parameter(torch.tensor(-3.0))

    def scores(self, image: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the integer scores."""
        x = self.code(image).to(dtype).contiguous(memory_format=torch.channels_last)
        for name in STEPS:
            x = self.get_submodule(name)(x)
        return F.linear(x.flatten(1).to(self.fc_latent.dtype), TernaryWeight.apply(self.fc_latent))

    def forward(self, image: Tensor) -> Tensor:
        """Return logits: scores times one learned scale, which no decision depends on."""
        return self.scores(image, torch.bfloat16) * self.log_scale.exp()


def augment(images: Tensor, rng: torch.Generator) -> Tensor:
    """Shift each image by up to 2 pixels and mirror half of them: [N, 28, 28] u8 -> same."""
    n = len(images)
    padded = F.pad(images, (2, 2, 2, 2))
    dy, dx = torch.randint(0, 5, (2, n, 1), generator=rng)
    steps = torch.arange(28)
    columns = torch.where(torch.rand(n, 1, generator=rng) < 0.5, steps, steps.flip(0))
    rows = (dy + steps).unsqueeze(2)
    return padded[torch.arange(n).view(-1, 1, 1), rows, (dx + columns).unsqueeze(1)]


def train(model: Classifier, images: Tensor, labels: Tensor, args: argparse.Namespace) -> None:
    """Fit the model; prints one line an epoch."""
    rng = torch.Generator().manual_seed(args.seed)
    steps = len(images) // args.batch
    optimiser = torch.optim.Adam(model.parameters(), lr=args.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.rate, total_steps=steps * args.epochs, pct_start=args.rising
    )
    for epoch in range(args.epochs):
        model.train()
        began, loss_sum, hits = time.time(), 0.0, 0
        order = torch.randperm(len(images), generator=rng)
        for i in range(steps):
            chosen = order[i * args.batch : (i + 1) * args.batch]
            logits = model(augment(images[chosen], rng).unsqueeze(1))
            loss = F.cross_entropy(logits, labels[chosen], label_smoothing=args.smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            clip_latents(model)
            loss_sum += loss.item()
            hits += int((logits.argmax(1) == labels[chosen]).sum())
        print(
            f"epoch {epoch + 1} loss {loss_sum / steps:.4f} train {hits / steps / args.batch:.4f}"
            f" {time.time() - began:.0f} s",
            flush=True,
        )
        torch.save(model.state_dict(), args.checkpoint)


def decisions(score: Callable[[Tensor], Tensor], images: Tensor) -> NDArray[np.int64]:
    """Classify u8 images [N, 28, 28] with a scoring function."""
    with torch.no_grad():
        return torch.cat([score(b.unsqueeze(1)).argmax(1) for b in images.split(500)]).numpy()


def integer_network(model: Classifier, path: Path) -> Callable[[Tensor], Tensor]:
    """Return the scoring function of the weights file alone: integers, no batch norm."""
    file = open_weights(path)
    head = torch.from_numpy(file.array("fc.w")).float()

    def score(image: Tensor) -> Tensor:
        x = model.code(image).float()
        for name in STEPS:
            w, lo, hi = (file.array(f"{name}.{role}") for role in ("w", "lo", "hi"))
            x = model.get_submodule(name).integer_forward(x, FoldedConv(w, lo, hi))
        return F.linear(x.flatten(1), head)

    return score


def export(model: Classifier, path: Path) -> None:
    """Write the integer network."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in STEPS:
        folded = model.get_submodule(name).fold()
        arrays |= {f"{name}.w": folded.w, f"{name}.lo": folded.lo, f"{name}.hi": folded.hi}
    arrays["fc.w"] = TernaryWeight.apply(model.fc_latent).detach().numpy().astype(np.int8)
    save_packed(path, arrays)


def ship_test_images(images: NDArray[np.uint8], labels: NDArray[np.uint8], folder: Path) -> None:
    """Write the first 250 test images, and the first picture of each class as PNG."""
    np.savez_compressed(folder / "test_images.npz", image=images[:250], label=labels[:250])
    for label in (9, 2, 1, 6, 8, 7):
        index = int(np.flatnonzero(labels == label)[0])
        Image.fromarray(images[index]).save(folder / f"{CLASSES[label]}.png")


def main() -> None:
    """Train, fold, check the integers against the float model, and write the sample's files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the .npz data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sample's files")
    parser.add_argument("--checkpoint", type=Path, default=Path("fashion.pt"))
    parser.add_argument("--start", type=Path, help="begin with this checkpoint")
    parser.add_argument("--epochs", type=int, default=15, help="0 only exports `--start`")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--rising", type=float, default=0.2, help="share of steps with rising rate")
    parser.add_argument("--smoothing", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    data = np.load(args.data)
    images = torch.from_numpy(data["train_image"])
    labels = torch.from_numpy(data["train_label"].astype(np.int64))
    model = Classifier()
    if args.start:
        model.load_state_dict(torch.load(args.start))
    if args.epochs:
        train(model, images, labels, args)
    batches = images.unsqueeze(1).split(500)
    average_statistics(model, (partial(model.scores, b, torch.float32) for b in batches))
    path = args.out / "fashion.safetensors"
    export(model, path)
    tests = torch.from_numpy(data["test_image"])
    exact = decisions(integer_network(model, path), tests)
    quantised = decisions(partial(model.double().scores, dtype=torch.float64), tests)
    print(f"test accuracy {np.mean(exact == data['test_label']):.4f} (integers)")
    print(f"decisions that differ from the float model: {int(np.sum(exact != quantised))}")
    ship_test_images(data["test_image"], data["test_label"], args.out)


if __name__ == "__main__":
    main()
