"""Micro-ops of the sequencer, and tokens -> descriptors, counters, queues."""

from typing import Any

from tdsl_runtime.kernels.bits import copy_words
from tdsl_runtime.kernels.clock import enter, leave
from tdsl_runtime.kernels.columns import (
    CLOCK_DONE,
    CLOCK_FREE,
    DESCRIPTOR_COLUMNS,
    DONE,
    F_BUFFER,
    IDLE,
    MISSING_TOKEN,
    MORE_POSTS,
    OP_SIGNAL,
    OP_WAIT,
    W_N,
    W_ROW,
    W_SOURCE,
    WAITED,
)
from tdsl_runtime.kernels.jit import inner


@inner
def describe(op: Any, desc: Any) -> Any:
    """Execute a BUF; return whether anything changed."""
    changed = 0
    for f in range(DESCRIPTOR_COLUMNS):
        if desc[op[F_BUFFER], f] != op[2 + f]:
            desc[op[F_BUFFER], f] = op[2 + f]
            changed = 1
    return changed


@inner
def guards(op: Any, counters: Any) -> Any:
    """Whether a GUARD lets the next micro-ops run."""
    value = counters[op[2]]
    return op[3] <= value and value < op[4] and value % op[5] == op[6]


@inner
def append_post(
    token: Any, time: Any, heads: Any, tails: Any, posts: Any, links: Any, free: Any
) -> Any:
    """Append a post to a token's queue; return whether there was room for it.

    `heads` and `tails` index `posts` for every token (-1: none), `links` chain them; free[0] starts
    the chain of those not used.
    """
    post = free[0]
    if post < 0:
        return False
    free[0] = links[post]
    posts[post], links[post] = time, -1
    if heads[token] < 0:
        heads[token] = post
    else:
        links[tails[token]] = post
    tails[token] = post
    return True


@inner
def synchronise(
    op: Any, clock: Any, started: Any, row: Any, heads: Any, tails: Any, posts: Any, links: Any,
    free: Any,
) -> Any:  # fmt: skip
    """Execute a WAIT or SIGNAL; return DONE, or why it cannot be."""
    unit, token = op[1], op[2]
    ready = enter(clock, started, unit)
    start = ready
    if op[0] == OP_WAIT:
        post = heads[token]
        if post < 0:
            return MISSING_TOKEN
        start = max(ready, posts[post])
        heads[token], links[post], free[0] = links[post], free[0], post
    row[IDLE] += ready - clock[CLOCK_FREE + unit]
    row[WAITED] += start - ready
    leave(clock, started, unit, start, start - start)
    if op[0] == OP_SIGNAL:
        time = max(clock[CLOCK_DONE + unit], ready)
        if not append_post(token, time, heads, tails, posts, links, free):
            return MORE_POSTS
    return DONE


@inner
def load_rows(op: Any, external: Any, mem: Any, wplane: Any, size: Any) -> None:
    """Execute a DMAW: rows of `size` words a plane."""
    for k in range(op[W_N]):
        start, to = (op[W_SOURCE] + k) * 2 * size, (op[W_ROW] + k) * size
        copy_words(external, start, mem, to, size)
        copy_words(external, start + size, mem, to + wplane, size)
