"""What the frame before left -> memory, registers and queues as at the start of a frame."""

from typing import Any

import numpy as np

from tdsl_runtime.kernels.bits import copy_words
from tdsl_runtime.kernels.jit import inner


@inner
def clear(array: Any) -> None:
    """Fill an array with zeros."""
    for i in range(array.size):
        array[i] = 0


@inner
def restore(written: Any, image: Any, mem: Any, wplane: Any) -> None:
    """Restore the stretches of memory that a program may write: first word, words, if zeros."""
    for i in range(written.shape[0]):
        first, count = written[i, 0], written[i, 1]
        for start in (first, first + wplane):
            if written[i, 2]:
                clear(mem[start : start + count])
            else:
                copy_words(image, start, mem, start, count)


@inner
def empty_queues(started: Any, heads: Any, tails: Any, links: Any, free: Any) -> None:
    """Empty the queues of units and tokens, and chain all posts as unused."""
    for unit in range(started.shape[0]):
        clear(started[unit])
    for token in range(heads.size):
        heads[token] = tails[token] = -1
    for post in range(links.size):
        links[post] = post + 1
    links[links.size - 1] = -1
    free[0] = np.int64(0)
