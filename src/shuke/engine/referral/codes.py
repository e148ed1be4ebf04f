"""A member's own code: 45 random bits in nine signs and a check sign, to be read aloud and typed on a phone.

The alphabet and its look-alikes are those of coupon codes. The check sign is a weighted sum over GF(32): every wrong sign and
every swap of neighbours is seen before anybody looks the code up. Written K7QM2-XWD9P.
"""

from __future__ import annotations

from shuke.engine.checkout.codes import ALPHABET, plain

BITS, LENGTH = 45, 10
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_FIELD = 0b100101  # x⁵ + x² + 1


def _doubled(value: int) -> int:
    """The value times the generator of the field."""
    value <<= 1
    return value ^ _FIELD if value & 32 else value


def _check(values: list[int]) -> int:
    """Horner's rule: each sign has another weight, none that of the check sign itself."""
    total = 0
    for value in values:
        total = _doubled(total ^ value)
    return total


def code_of(number: int) -> str:
    """The code of a 45-bit number, without dash."""
    values = [number >> shift & 31 for shift in range(BITS - 5, -1, -5)]
    return "".join(ALPHABET[value] for value in [*values, _check(values)])


def shown(code: str) -> str:
    """With its dash, for people."""
    return f"{code[:5]}-{code[5:]}" if len(code) == LENGTH else code


def read(told: str) -> str | None:
    """What was typed, with look-alikes put right; None: it cannot be one."""
    signs = plain(told)
    if len(signs) != LENGTH or any(sign not in _VALUE for sign in signs):
        return None
    values = [_VALUE[sign] for sign in signs]
    return "".join(ALPHABET[v] for v in values) if _check(values[:-1]) == values[-1] else None
