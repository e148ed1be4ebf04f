"""The log of benefits as a table that any spreadsheet opens."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from shuke.connect.exporters.tables import Cell, write_csv
from shuke.kit import money
from shuke.loyalty.queries import benefits
from shuke.shops.models import Merchant

HEAD = {
    "zh": ("编号", "时间", "卡号", "会员", "权益", "权益编码", "状态", "原因", "等级", "门店", "经手人", "备注", "成本", "积分", "撤销时间", "撤销人", "撤销原因", "实物发放时间", "实物发放人"),
    "en": ("number", "time", "card", "member", "benefit", "key", "state", "reason", "tier", "store", "by", "note", "cost", "points", "taken back at", "taken back by", "because", "thing handed over at", "thing handed over by"),
}  # fmt: skip


def write_log(merchant: Merchant, wanted: benefits.Filter, path: Path, language: str) -> int:
    """All lines that fit, latest first, as CSV. How many."""
    chosen = "zh" if language.startswith("zh") else "en"
    return write_csv(path, HEAD[chosen], _rows(merchant, wanted, chosen))


def _rows(merchant: Merchant, wanted: benefits.Filter, chosen: str) -> Iterator[tuple[Cell, ...]]:
    zone, places = merchant.tz, -money.digits(merchant.currency)
    for row in benefits.log(merchant, wanted).iterator(chunk_size=2000):
        yield (
            str(row.pk), f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", row.member.card, str(row.member),
            row.label.get(chosen, ""), row.benefit, row.state, row.code, row.tier, row.store.code if row.store else "",
            row.actor, row.note, Decimal(row.cost_minor).scaleb(places), row.points,
            f"{row.undone_at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if row.undone_at else "", row.undone_by, row.undone_because,
            f"{row.handed_at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if row.handed_at else "", row.handed_by,
        )  # fmt: skip
