"""How a Taobao or Tmall order was paid, as far as the order report tells.

Points (买家实际支付积分, a hundred to the yuan) stand beside 买家实际支付金额. Vouchers, 集分宝 and personal red packets may stand
within it or have been taken off before: no public sample says which, so the row's own sums do. 总金额 less what was paid
was taken off; of the platform's money only what exceeds that is within what was paid.
"""

from __future__ import annotations

from collections.abc import Callable

from shuke.connect.importers.cells import plain
from shuke.connect.importers.layouts import Reading
from shuke.engine.tenders import NAMES, Tenders, amounts_in, code_of, told_together, within

PLATFORM_MONEY = ("天猫卡券抵扣", "集分宝抵扣", "含应开票给个人的个人红包")


def how_paid(reading: Reading) -> Callable[[list[str], int | None], Tenders | None] | None:
    """Builds the function that reads it off a row; None where the report has none of the columns."""
    at, width, aside = reading.columns.at, reading.columns.width, reading.amount.aside
    total_at, points_at, detail_at = at("总金额"), at("买家实际支付积分"), at("支付详情")
    money_at = [place for name in PLATFORM_MONEY if (place := at(name)) < width]
    if not money_at and points_at == width and detail_at == width:
        return None

    def row_to_tenders(row: list[str], paid: int | None) -> Tenders | None:
        if not paid or paid < 0:
            return None
        points = plain(row[points_at])
        used = int(points) if points.isdecimal() and points.isascii() else 0
        platform = sum([aside(row[place]) for place in money_at])
        beside = 0
        if used or platform:
            worth = aside(row[total_at]) or paid + used + platform  # untold: nothing is proved
            beside = min(used, max(worth - paid, 0))
            platform = within(paid, worth, used + platform)
        detail = row[detail_at]
        parts = _named(detail, paid, platform) if detail else [("platform", platform)]
        return told_together([("points", beside), *parts]) if parts or beside else None

    return row_to_tenders


def _named(detail: str, paid: int, platform: int) -> list[tuple[str, int]]:
    """The means that 支付详情 names: all of them if their amounts add up, or the only one. What is not understood, and how
    several divide a sum they do not add up to, is not told."""
    parts = amounts_in(detail) or [(code_of(plain(detail)), paid)]
    if all(code in NAMES for code, _ in parts):
        if len(parts) > 1 and sum(minor for _, minor in parts) == paid:
            return parts
        if len(parts) == 1:
            return [("platform", platform), (parts[0][0], paid - platform)]
    return [("platform", platform)]
