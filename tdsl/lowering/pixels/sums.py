"""Sums, differences, products and counts of ones on held values."""

from dataclasses import dataclass, replace

from tdsl.lowering.pixels.code import Offset, Rows
from tdsl.lowering.pixels.held import Alignment, Held, Operand
from tdsl.lowering.pixels.step_writer import AND, COPY, IMMEDIATE, XOR, StepWriter
from tdsl.rows.ir import Range


@dataclass(frozen=True, slots=True)
class Sums:
    """Writes arithmetic; every method gives the held result, whose range is known exactly."""

    writer: StepWriter
    alignment: Alignment

    def add(self, a: Operand, b: Operand, result: Range) -> Held:
        """`a + b`."""
        if isinstance(a, int):
            a, b = b, a
        assert isinstance(a, Held)
        if isinstance(b, int):
            return self._add_constant(a, b, result)
        a, b, place = self._pair(a, b)
        low, high = (a, b) if a.zeros <= b.zeros else (b, a)
        into = self._result(result, low.zeros)
        self._combine(into, low.rows, high.rows, high.zeros - low.zeros, sub=False)
        return Held(into, low.zeros, place)

    def subtract(self, a: Operand, b: Operand, result: Range) -> Held:
        """`a - b`."""
        if isinstance(b, int):
            assert isinstance(a, Held)
            return self._add_constant(a, -b, result)
        if isinstance(a, int):
            return self._from_constant(a, b, result)
        a, b, place = self._pair(a, b)
        zeros = min(a.zeros, b.zeros)
        a = self.alignment.whole(replace(a, zeros=max(0, a.zeros - b.zeros)))
        into = self._result(result, zeros)
        self._combine(into, a.rows, b.rows, b.zeros - zeros, sub=True)
        return Held(into, zeros, place)

    def negate(self, a: Held, result: Range) -> Held:
        """`-a`."""
        into = self._result(result, a.zeros)
        return Held(self.writer.sum_immediate(into, a.rows, 0, negated=True), a.zeros, a.at)

    def complement(self, a: Held, result: Range) -> Held:
        """`-1 - a`."""
        whole = self.alignment.whole(a)
        into = self._result(result, 0)
        return Held(self.writer.sum_immediate(into, whole.rows, -1, negated=True), 0, a.at)

    def absolute(self, a: Held, result: Range) -> Held:
        """`|a|`: the complement where the sign is 1, and the sign added."""
        if not a.rows.signed:
            return a
        into = self._result(result, a.zeros)
        sign = a.rows.bit(a.rows.count - 1)
        flipped = self.writer.register(into.count)
        self.writer.logic(flipped, a.rows, replace(sign, signed=True), XOR)
        return Held(self.writer.sum(into, flipped, sign), a.zeros, a.at)

    def multiply(self, a: Held, b: Held, result: Range) -> Held:
        """`a * b`."""
        a, b, place = self._pair(a, b)
        zeros = a.zeros + b.zeros
        if b.rows.count > a.rows.count:
            a, b = b, a
        return Held(self._product(a.rows, b.rows, self._result(result, zeros)), zeros, place)

    def times(self, a: Held, factor: int, given: Range, result: Range) -> Held:
        """`a * factor` for an `a` in the range `given`: `a` times powers of two, summed."""
        digits = signed_digits(factor)
        total, so_far = a, 0
        for place, digit in sorted(digits, key=lambda d: (-d[1], d[0])):
            term, first = a.scaled(place), so_far == 0
            so_far += digit << place
            limit = _product_range(given, so_far, result)
            if first:
                total = term if digit > 0 else self.negate(term, limit)
            elif digit > 0:
                total = self.add(total, term, limit)
            else:
                total = self.subtract(total, term, limit)
        return total

    def ones(self, a: Held, result: Range) -> Held:
        """The number of ones: bits in pairs, pairs in pairs, and so on."""
        parts = [a.rows.bit(j) for j in range(a.rows.count)]
        while len(parts) > 1:
            pairs = zip(parts[::2], parts[1::2], strict=False)
            rest = parts[len(parts) & ~1 :]
            parts = [self._plus(x, y, result.bits) for x, y in pairs] + rest
        return Held(parts[0].lowest(result.bits), 0, a.at)

    def _plus(self, x: Rows, y: Rows, most: int) -> Rows:
        into = self.writer.register(min(most, 1 + max(x.count, y.count)))
        return self.writer.sum(into, x, y)

    def _pair(self, a: Held, b: Held) -> tuple[Held, Held, Offset]:
        (first, second), place = self.alignment.together((a, b))
        assert isinstance(first, Held)
        assert isinstance(second, Held)
        return first, second, place

    def _result(self, result: Range, zeros: int) -> Rows:
        return self.writer.register(max(1, result.bits - zeros), signed=result.signed)

    def _combine(self, into: Rows, low: Rows, high: Rows, skipped: int, *, sub: bool) -> None:
        """`low + high * 2^skipped`, or the difference: below `high`, `low` is copied."""
        if skipped:
            below = Rows(into.register, into.low, min(skipped, into.count))
            self.writer.logic(below, low, 0, COPY)
        if into.count <= skipped:
            return
        above = Rows(into.register, into.low + skipped, into.count - skipped)
        if low.count > skipped or low.signed:
            self.writer.sum(above, low.upper(skipped), high, sub=sub)
        elif sub:
            self.writer.sum_immediate(above, high, 0, negated=True)
        else:
            self.writer.logic(above, high, 0, COPY)

    def _add_constant(self, a: Held, constant: int, result: Range) -> Held:
        if constant % (1 << a.zeros) == 0:
            return self._immediate(a, constant >> a.zeros, result)
        return self._immediate(self.alignment.whole(a), constant, result)

    def _immediate(self, a: Held, constant: int, result: Range) -> Held:
        into = self._result(result, a.zeros)
        if constant not in IMMEDIATE:
            rows = self.writer.constant(constant, Range(min(constant, 0), max(constant, 0)).bits)
            return Held(self.writer.sum(into, a.rows, rows), a.zeros, a.at)
        return Held(self.writer.sum_immediate(into, a.rows, constant), a.zeros, a.at)

    def _from_constant(self, constant: int, b: Held, result: Range) -> Held:
        whole = self.alignment.whole(b)
        into = self._result(result, 0)
        if constant not in IMMEDIATE:
            rows = self.writer.constant(constant, Range(min(constant, 0), max(constant, 0)).bits)
            return Held(self.writer.sum(into, rows, whole.rows, sub=True), 0, b.at)
        return Held(self.writer.sum_immediate(into, whole.rows, constant, negated=True), 0, b.at)

    def _product(self, a: Rows, b: Rows, into: Rows) -> Rows:
        """The sum of `a` times each bit of `b`; the highest one of a signed `b` counts negative."""
        n = into.count
        self.writer.logic(into, a, replace(b.bit(0), signed=True), AND)
        if b.count == 1 and b.signed:
            return self.writer.sum_immediate(into, into, 0, negated=True)
        for j in range(1, min(b.count, n)):
            part = self.writer.register(min(a.count, n - j), signed=a.signed)
            self.writer.logic(part, a, replace(b.bit(j), signed=True), AND)
            above = Rows(into.register, into.low + j, n - j, signed=into.signed)
            self.writer.sum(above, above, part, sub=b.signed and j == b.count - 1)
        return into


def _product_range(given: Range, factor: int, result: Range) -> Range:
    """The range of a partial product; it need not be wider than the product."""
    low, high = sorted((given.low * factor, given.high * factor))
    partial = Range(low, high)
    return partial if partial.bits <= result.bits else result


def signed_digits(factor: int) -> tuple[tuple[int, int], ...]:
    """Places and signs of the powers of two that make a factor: few of them.

    Canonical signed digits where they save an addition, else the plain bits, which cost no carry.
    """
    sign = 1 if factor > 0 else -1
    size = abs(factor)
    plain = tuple((j, sign) for j in range(size.bit_length()) if size >> j & 1)
    canonical: list[tuple[int, int]] = []
    place = 0
    while size:
        if size & 1:
            digit = 2 - (size & 3)
            canonical.append((place, sign * digit))
            size -= digit
        size >>= 1
        place += 1
    return tuple(canonical) if len(canonical) < len(plain) else plain
