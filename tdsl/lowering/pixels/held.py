"""Values that are held in registers, and how those of different pixels are brought together.

A value need not stand where its pixel is: column `k` of the rows holds the value of the pixel in
column `k - at`. A neighbour is then the same rows with another `at`, and rows are only moved where
operands that stand differently meet: the narrower moves to the wider.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tdsl.lowering.pixels.code import HERE, Offset, Rows
from tdsl.lowering.pixels.step_writer import COPY, Number, StepWriter


@dataclass(frozen=True, slots=True)
class Held:
    """A value: `rows * 2^zeros`, standing `at` columns from its pixel."""

    rows: Rows
    zeros: int = 0
    at: Offset = HERE

    def scaled(self, amount: int) -> "Held":
        """`* 2^amount`, rounded down: rows are renamed."""
        zeros = self.zeros + amount
        if zeros >= 0:
            return replace(self, zeros=zeros)
        return replace(self, zeros=0, rows=self.rows.upper(-zeros))

    def neighbour(self, by: Offset) -> "Held":
        """The value of the pixel `by` further."""
        return replace(self, at=self.at + by)


Operand = Held | int
"""A value that is held, or a constant."""


@dataclass(slots=True)
class Alignment:
    """Brings operands to one place; with `share`, what was moved once is kept for others."""

    writer: StepWriter
    share: bool = True
    _moved: dict[tuple[Rows, Offset], Rows] = field(default_factory=dict[tuple[Rows, Offset], Rows])
    _filled: dict[tuple[Rows, int], Rows] = field(default_factory=dict[tuple[Rows, int], Rows])

    def whole(self, value: Held) -> Held:
        """The value without zeros to be thought of: they are written."""
        if value.zeros == 0:
            return value
        key = (value.rows, value.zeros)
        if key not in self._filled:
            into = self.writer.register(value.rows.count + value.zeros, signed=value.rows.signed)
            self.writer.logic(Rows(into.register, 0, value.zeros), 0, 0, COPY)
            upper = Rows(into.register, value.zeros, value.rows.count)
            self.writer.logic(upper, value.rows, 0, COPY)
            if not self.share:
                return Held(into, 0, value.at)
            self._filled[key] = into
        return Held(self._filled[key], 0, value.at)

    def together(self, values: Sequence[Operand]) -> tuple[tuple[Operand, ...], Offset]:
        """The values in one place, with their zeros; and the place."""
        held = [value for value in values if isinstance(value, Held)]
        places = dict.fromkeys(value.at for value in held)
        if len(places) < 2:
            return tuple(values), next(iter(places), Offset())
        place = min(places, key=lambda at: (self._cost(held, at), at != Offset()))
        return tuple(self._at(value, place) for value in values), place

    def numbers(self, values: Sequence[Operand]) -> tuple[tuple[Number, ...], Offset]:
        """The values in one place as plain rows and constants; and the place."""
        filled = [self.whole(v) if isinstance(v, Held) else v for v in values]
        aligned, place = self.together(filled)
        return tuple(v.rows if isinstance(v, Held) else v for v in aligned), place

    def at(self, value: Held, place: Offset) -> Held:
        """The value, standing in a certain place."""
        if value.at == place:
            return value
        key = (value.rows, value.at - place)
        if key not in self._moved:
            moved = self.writer.move(*key)
            if not self.share:
                return Held(moved, value.zeros, place)
            self._moved[key] = moved
        return Held(self._moved[key], value.zeros, place)

    def _at(self, value: Operand, place: Offset) -> Operand:
        return self.at(value, place) if isinstance(value, Held) else value

    def _cost(self, values: Sequence[Held], place: Offset) -> int:
        """Bit rows to be moved to bring values to a place."""
        return sum(
            1 + value.rows.count
            for value in dict.fromkeys(values)
            if value.at != place and (value.rows, value.at - place) not in self._moved
        )
