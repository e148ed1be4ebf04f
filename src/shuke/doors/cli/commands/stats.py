"""`shuke stats`: how much there is of everything."""

from __future__ import annotations

from collections.abc import Mapping

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
    facts = counted._asdict()
    desk.facts(labelled(facts, f"{desk.money(counted.net_minor)}  ({counted.net_minor:,})"), title=counted.merchant)


def labelled(counts: Mapping[str, object], net: str) -> list[tuple[str, object]]:
    """The counts of flows.stats with their names in the language of the terminal, the net amount as said."""
    names = {
        "stores": _("stores"),
        "members": _("members"),
        "orders": _("orders"),
        "purchases": _("of these purchases"),
        "lines": _("lines"),
        "refunds": _("orders with a refund"),
        "refund_documents": _("refund documents"),
        "net_minor": _("net amount"),
        "postings": _("postings"),
        "entries": _("entries"),
        "lots": _("lots of points"),
        "points": _("points held by members"),
    }
    return [(label, net if name == "net_minor" else counts[name]) for name, label in names.items() if name in counts]
