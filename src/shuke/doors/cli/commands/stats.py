"""`shuke stats`: how much there is of everything."""

from __future__ import annotations

from shuke.doors.cli.desk import Desk, declared
from shuke.doors.cli.words import _


@declared(
    "stats",
    _("Count members, orders, lines, refunds, net amount, postings, lots and points of a merchant."),
    "shuke stats\nshuke stats --json",
)
def command(desk: Desk) -> None:
    from shuke.flows.stats import stats

    counted = stats(desk.merchant)
    if desk.as_json:
        desk.json(counted)
        return
    names = {
        "stores": _("stores"),
        "members": _("members"),
        "orders": _("orders"),
        "purchases": _("of these purchases"),
        "lines": _("lines"),
        "refunds": _("orders with a refund"),
        "refund_documents": _("refund documents"),
        "postings": _("postings"),
        "entries": _("entries"),
        "lots": _("lots of points"),
        "points": _("points held by members"),
    }
    facts = counted._asdict()
    rows: list[tuple[str, object]] = [(label, facts[key]) for key, label in names.items()]
    rows.insert(7, (_("net amount"), f"{desk.money(counted.net_minor)}  ({counted.net_minor:,})"))
    desk.facts(rows, title=counted.merchant)
