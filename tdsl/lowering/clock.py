"""The turn of a step, seen from the loop counter: lines and guards as fields of micro-ops."""

from dataclasses import dataclass

from tdsl.lowering.plan import Turn

STRIPS = 1
"""The loop counter of column strips."""
LINES = 2
"""The loop counter of a stage's iterations."""
TILES = 3
"""The loop counter of the tiles of a band."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A turn in copy `copy` of a loop body: iteration t = unroll * counter + copy."""

    turn: Turn
    unroll: int = 1
    copy: int = 0

    def line(self, ahead: int, offset: int) -> dict[str, int]:
        """The fields that give line `ahead * y + offset` in the iteration of turn y."""
        if self.unroll == 1:
            rate = self.turn.rate
            return {
                "counter": LINES,
                "div": rate,
                "mul": ahead,
                "off": offset - ahead * (self.turn.delay // rate),
            }
        start = self.copy - self.turn.delay
        return {
            "counter": LINES,
            "div": 1,
            "mul": self.unroll * ahead,
            "off": start * ahead + offset,
        }

    def guard(self, iterations: int) -> dict[str, int] | None:
        """The fields of the guard that lets only the turn's iterations pass; None if all pass.

        Later copies of a loop body are guarded for any number of iterations, so that the program
        is as long for an odd number as for an even one.
        """
        turn = self.turn
        first = -(-(turn.delay - self.copy) // self.unroll)
        past = -(-(turn.delay + (turn.count - 1) * turn.rate + 1 - self.copy) // self.unroll)
        loops = -(-iterations // self.unroll)
        if self.copy == 0 and first <= 0 and past >= loops and turn.rate == 1:
            return None
        return {
            "counter": LINES,
            "lo": max(0, first),
            "hi": past,
            "mod": turn.rate,
            "rem": turn.delay % turn.rate,
        }
