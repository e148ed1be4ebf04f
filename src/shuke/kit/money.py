"""Money as integer minor units (fen, cents) of a stated currency. No floats anywhere."""

from __future__ import annotations

from decimal import Decimal, DecimalException

DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3}
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "TWD": "NT$", "JPY": "JP¥"}


class NotMoney(ValueError):
    """The text is not an amount."""


def digits(currency: str) -> int:
    return DIGITS.get(currency, 2)


def parse(text: str, currency: str) -> int:
    """'1,234.50', '¥88', '12元' → minor units. More decimals than the currency has is an error, not a rounding."""
    plain = text.strip().replace(",", "").replace("，", "").replace("元", "").replace("￥", "").lstrip("¥$€£").strip()
    try:
        value = Decimal(plain).scaleb(digits(currency))
    except DecimalException as error:
        raise NotMoney(text) from error
    # 1e999999 is a number to Decimal, and a million digits to int.
    if not value.is_finite() or value.adjusted() > 30 or value != value.to_integral_value():
        raise NotMoney(text)
    return int(value)


def show(minor: int, currency: str) -> str:
    """¥1,234.50; the sign before the symbol."""
    places = digits(currency)
    symbol = SYMBOLS.get(currency, currency + " ")
    amount = Decimal(abs(minor)).scaleb(-places)
    return f"{'-' if minor < 0 else ''}{symbol}{amount:,.{places}f}"


def allocate(total: int, weights: list[int]) -> list[int]:
    """Split `total` in proportion to `weights` by largest remainder; the parts add up to the whole exactly.

    Ties go to the earlier part. All-zero weights give everything to the first part.
    """
    if not weights:
        return []
    whole = sum(weights)
    if whole == 0:
        return [total] + [0] * (len(weights) - 1)
    if whole == total > 0:  # nothing to round: an order whose lines add up to what was paid
        return list(weights)
    sign = -1 if total < 0 else 1
    floors = [abs(total) * w // whole for w in weights]
    rest = abs(total) - sum(floors)
    order = sorted(range(len(weights)), key=lambda i: (-(abs(total) * weights[i] % whole), i))
    for i in order[:rest]:
        floors[i] += 1
    return [sign * part for part in floors]
