"""Train the Fashion-MNIST sample: data set -> `fashion.safetensors`.

Run from the repository root:
    python -m samples.fashion.train --data fashion_mnist.npz --out samples/fashion/new.safetensors
"""

from pathlib import Path

from samples.cifar.train import Recipe, run
from samples.fashion.data import read_split

if __name__ == "__main__":
    run(Path("samples/fashion/fashion.tnn"), read_split, Recipe(minutes=15, border=2))
