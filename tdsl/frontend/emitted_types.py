"""Sizes, types and conditions -> the text that means them."""

from tdsl.frontend.names import is_plain, written_name
from tdsl.ir.condition import Condition, condition_text
from tdsl.ir.size import Atom, Size, Symbol, symbols_of
from tdsl.ir.tensor_type import TensorType


def type_text(type_: TensorType) -> str:
    """A tensor's type as a header writes it: `u8[1, H // 2, W]`."""
    return f"{type_.element}[{', '.join(map(size_text, type_.shape))}]"


def size_text(size: Size) -> str:
    """A size as an expression of the language, which has `//` where the normal form has floor."""
    if isinstance(size, int):
        return str(size)
    parts = [
        _term(factor, atom, len(size.terms) == 1 and not size.constant)
        for atom, factor in size.terms
    ]
    if size.constant:
        parts.append(("-" if size.constant < 0 else "+", str(abs(size.constant))))
    parts.sort(key=lambda part: part[0] == "-")
    (sign, first), *others = parts
    rest = "".join(f" {sign} {text}" for sign, text in others)
    return f"{'-' if sign == '-' else ''}{first}{rest}"


def condition_source(condition: Condition) -> str:
    """A condition as a header writes it: `H % 4 == 0`, `H // 2 >= 8`."""
    left, sign, right = condition
    text = condition_text(condition)
    plain = all(map(is_plain, symbols_of(left) | symbols_of(right)))
    if plain and text != f"{left} {sign} {right}":
        return text
    return f"{size_text(left)} {sign} {size_text(right)}"


def _term(factor: int, atom: Atom, alone: bool) -> tuple[str, str]:
    sign = "-" if factor < 0 else "+"
    text = _atom(atom, bare=alone and factor == 1)
    return sign, text if abs(factor) == 1 else f"{abs(factor)} * {text}"


def _atom(atom: Atom, *, bare: bool) -> str:
    if isinstance(atom, Symbol):
        return written_name(atom.name)
    above = size_text(atom.numerator)
    text = f"{f'({above})' if ' ' in above else above} // {atom.divisor}"
    return text if bare else f"({text})"
