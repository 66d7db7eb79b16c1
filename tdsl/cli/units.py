"""Numbers -> text with a unit, three digits each."""

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "u"))


def scaled(value: float, unit: str) -> str:
    """`12300`, `J` -> `12.3 kJ`."""
    for factor, prefix in (*_PREFIXES, (1e-9, "n"), (1e-12, "p")):
        if abs(value) >= factor:
            digits = max(0, 2 - _exponent(value / factor))
            return f"{value / factor:.{digits}f} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def energy(picojoules: float) -> str:
    """An energy in the unit that fits it."""
    return scaled(picojoules * 1e-12, "J")


def seconds(value: float) -> str:
    """A time in the unit that fits it."""
    return scaled(value, "s")


def bits(value: int) -> str:
    """A memory size in decimal units of bits."""
    return scaled(value, "bit")


def count(value: int) -> str:
    """A large number."""
    return scaled(value, "").strip()


def percent(part: float) -> str:
    """A part of one."""
    return f"{100 * part:.{1 if part >= 0.01 else 2}f} %"


def _exponent(value: float) -> int:
    """Digits before the point, less one."""
    return len(str(int(abs(value)))) - 1
