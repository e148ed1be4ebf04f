"""Works out the truth: what somebody who reads every file with care can know, and no more."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path

from ..sheets import CHINA
from .buying import Sale
from .mini_program import MiniSale
from .people import Person
from .truth import TrueOrder, TruePerson, TrueRefund, TrueReject, Truth

Export = tuple[Path, datetime, list[Sale]]


def tell(
    *,
    shop: str,
    folder: Path,
    files: list[Path],
    people: list[Person],
    sales: list[Sale],
    mini: list[MiniSale],
    exports: list[Export],
    rejects: list[TrueReject],
    end: datetime,
) -> Truth:
    last_shown: dict[str, datetime] = {}
    names: dict[str, list[tuple[datetime, str]]] = {}
    for _, at, shown in exports:
        for sale in shown:
            if sale.created <= at:
                last_shown[sale.number] = max(last_shown.get(sale.number, at), at)
                if not sale.hidden_buyer:
                    names.setdefault(sale.number, []).append((at, sale.account.name_at(at)))
    linked = set()
    for seen in names.values():
        seen.sort()
        linked |= {(old, new) for (_, old), (_, new) in itertools.pairwise(seen) if old != new}
    orders = [_taobao(sale, last_shown[sale.number], end) for sale in sales] + [_youzan(sale) for sale in mini]
    refunds = [
        TrueRefund(
            "taobao", one.number, sale.number, one.amount, one.granted and one.finished <= end,
            aware(one.finished) if one.finished <= end else None,
        )
        for sale in sales
        for one in sale.returns
        if one.requested <= end
    ]  # fmt: skip
    return Truth(
        shop=shop,
        files=tuple(str(path.relative_to(folder)) for path in files),
        people=tuple(_person(person) for person in people),
        orders=tuple(sorted(orders, key=lambda order: (order.created_at, order.number))),
        refunds=tuple(sorted(refunds, key=lambda refund: refund.number)),
        rejects=tuple(rejects),
        shown_names=frozenset(name for seen in names.values() for _, name in seen),
        linked_names=tuple(sorted(linked)),
    )


def aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=CHINA)


def _taobao(sale: Sale, shown: datetime, end: datetime) -> TrueOrder:
    status = sale.status_at(shown)
    assert status is not None, "an export never shows an order before it is made"
    paid = sale.paid_at is not None and sale.paid_at <= shown
    return TrueOrder(
        platform="taobao",
        number=sale.number,
        person="" if sale.hidden_buyer else sale.person.key,
        status=status,
        created_at=aware(sale.created),
        paid_at=aware(sale.paid_at) if paid and sale.paid_at else None,
        paid_minor=sale.paid if paid else 0,
        freight_minor=sale.freight,
        refunded_minor=sale.refunded_at(end) if paid else 0,
        line_count=len(sale.items),
        excluded="brushing" if sale.brushing else "",
    )


def _youzan(sale: MiniSale) -> TrueOrder:
    return TrueOrder(
        platform="youzan",
        number=sale.number,
        person=sale.person.key,
        status=sale.status,
        created_at=aware(sale.created),
        paid_at=aware(sale.paid_at) if sale.paid_at else None,
        paid_minor=sale.paid,
        freight_minor=sale.freight,
        refunded_minor=sale.refunded,
        line_count=len(sale.items),
        excluded="",
    )


def _person(person: Person) -> TruePerson:
    accounts = (
        ()
        if person.kind == "mini_only"
        else tuple(tuple(name for _, name in account.names) for account in person.accounts)
    )
    return TruePerson(
        key=person.key,
        name=person.name,
        kind=person.kind,
        accounts=accounts,
        phone=person.phone,
        family=person.family,
        mini_program=person.mini_program is not None,
        card=person.card,
        told_account=person.told_account and bool(person.card),
    )
