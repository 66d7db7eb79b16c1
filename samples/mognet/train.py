"""Train the MOGNET-style sample: CIFAR-10 -> `mognet.safetensors`.

Run from the repository root:
    python -m samples.mognet.train --data cifar10_jpeg.npz --out samples/mognet/mognet.safetensors
"""

from pathlib import Path

from samples.cifar.data import read_split
from samples.cifar.train import Recipe, run

if __name__ == "__main__":
    recipe = Recipe(minutes=30, batch=512, log_scale=-4.5)
    run(Path("samples/mognet/mognet.tnn"), read_split, recipe)
