"""Trainable twins: a `.tnn` file -> a PyTorch module -> the integers of its weights file.

Needs the extra `train` (PyTorch).
"""

from tdsl.train.twin import Twin, twin

__all__ = ["Twin", "twin"]
