"""Coupon codes: 60 random bits in twelve signs and a check sign, made to be read aloud and typed on a phone.

The alphabet is Crockford's: no I, L, O or U. The check sign is a weighted sum over GF(32), so every single wrong sign
and every swap of neighbours is seen before anybody looks the code up. Written K7QM-2XWD-9PTAC.
"""

from __future__ import annotations

import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BITS, LENGTH = 60, 13
_VALUE = {sign: value for value, sign in enumerate(ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_FIELD = 0b100101  # x⁵ + x² + 1


def _times(a: int, b: int) -> int:
    """Product in GF(32)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= _FIELD
        b >>= 1
    return product


_WEIGHTS = [1]
for _ in range(LENGTH - 2):
    _WEIGHTS.append(_times(_WEIGHTS[-1], 2))  # 2 generates the field: twelve different weights, none 1 again
_WEIGHTS = [_times(w, 2) for w in _WEIGHTS]  # the check sign's own weight is 1
_SUMS = [[_times(weight, value) for value in range(32)] for weight in _WEIGHTS]
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]  # ten bits at a time: a million codes take seconds


def code_of(number: int) -> str:
    """The code of a 60-bit number, without dashes."""
    signs = "".join([_PAIRS[number >> shift & 1023] for shift in (50, 40, 30, 20, 10, 0)])
    check = 0
    for place, shift in enumerate(range(55, -1, -5)):
        check ^= _SUMS[place][number >> shift & 31]
    return signs + ALPHABET[check]


def shown(code: str) -> str:
    """With dashes, for people."""
    return f"{code[:4]}-{code[4:8]}-{code[8:]}" if len(code) == LENGTH else code


def plain(told: str) -> str:
    """What was typed as codes are compared: full-width signs, small letters, blanks and dashes do not matter."""
    text = unicodedata.normalize("NFKC", told).upper()
    return "".join(sign for sign in text if sign.isalnum())


def unique_code(told: str) -> str | None:
    """What was typed as a unique code, with look-alikes put right; None: it cannot be one."""
    signs = plain(told)
    if len(signs) != LENGTH or any(sign not in _VALUE for sign in signs):
        return None
    values = [_VALUE[sign] for sign in signs]
    check = 0
    for place, value in enumerate(values[:-1]):
        check ^= _SUMS[place][value]
    return "".join(ALPHABET[v] for v in values) if check == values[-1] else None
