"""Closing a period of a coalition: statements of every partner, who pays whom. Once; again it answers the same."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.engine.coalition import netting, settling
from shuke.engine.coalition.prices import MICRO, Prices, prices_at
from shuke.kit import audit, bulk, ids
from shuke.loyalty.actions.coalition.gathering import gather
from shuke.loyalty.actions.coalition.joining import see_off
from shuke.loyalty.actions.coalition.linking import follow_merges
from shuke.loyalty.actions.coalition.refusals import CoalitionRefused
from shuke.loyalty.models import (
    Coalition,
    CoalitionPack,
    CoalitionPartner,
    CoalitionPeriod,
    CoalitionStatement,
)
from shuke.loyalty.queries import coalition as stored
from shuke.loyalty.queries import settlement as papers
from shuke.shops.models import Merchant

FORMAT = "shuke-settlement-1"


class Closed(NamedTuple):
    """A closed period. `replayed`: it had been closed before."""

    period: CoalitionPeriod
    replayed: bool


def close(*, merchant: Merchant, coalition_id: int, until: datetime, now: datetime, actor: str) -> Closed:
    """The founder closes everything that happened before `until` and is in no period yet. Raises CoalitionRefused.

    Partners whose time is over are seen off and all books gathered first, in transactions of their own. Then one statement
    marks the movements, so what is booked meanwhile is either in this period whole or in the next.
    """
    coalition = Coalition.objects.select_related("merchant").filter(pk=coalition_id).first()
    if coalition is None:
        raise CoalitionRefused("no_such_coalition")
    if coalition.merchant_id != merchant.pk:
        raise CoalitionRefused("not_founder", founder=coalition.merchant.name)
    if (again := _closed(coalition, until)) is not None:
        return Closed(again, True)
    if until > now:
        raise CoalitionRefused("not_over", day=_day(coalition, until))
    bring_up_to_date(coalition=coalition, now=now)
    with transaction.atomic():
        Coalition.objects.select_for_update(no_key=True).get(pk=coalition.pk)
        if (again := _closed(coalition, until)) is not None:
            return Closed(again, True)
        return Closed(_close(coalition, until, now, actor), False)


def bring_up_to_date(*, coalition: Coalition, now: datetime) -> int:
    """Merged members' links follow them, partners whose time is over go, books are gathered; movements written."""
    for seat in stored.partners(coalition):
        if seat.state == "in":
            follow_merges(coalition=coalition, merchant=seat.merchant, now=now, actor="clock")
    see_off(coalition=coalition, now=now)
    return gather(coalition=coalition, now=now)


def _closed(coalition: Coalition, until: datetime) -> CoalitionPeriod | None:
    mine = CoalitionPeriod.objects.filter(merchant_id=coalition.merchant_id, coalition=coalition, until=until)
    return mine.select_related("coalition__merchant").first()


def _close(coalition: Coalition, until: datetime, now: datetime, actor: str) -> CoalitionPeriod:
    last = next(iter(stored.periods(coalition)), None)
    if last is not None and until <= last.until:
        raise CoalitionRefused("closed_later", day=_day(coalition, last.until))
    pk = ids.new()
    seats = [p for p in stored.partners(coalition) if p.joined_at is not None]
    _mark(coalition, [p.merchant_id for p in seats], pk, until)
    agreed = stored.agreed(coalition)
    lines = _lines(pk, [p.merchant_id for p in seats])
    made = {
        p.merchant_id: settling.statement(lines[p.merchant_id], _opening(p, agreed[p.merchant_id], pk, until))
        for p in seats
    }
    pool = settling.pool_due(made)
    number = last.number + 1 if last else 1
    about = {
        "format": FORMAT,
        "coalition": {"id": str(coalition.pk), "name": coalition.name, "founder": str(coalition.merchant_id)},
        "period": number,
        "since": papers.instant(last.until if last else coalition.starts_at),
        "until": papers.instant(until),
        "currency": coalition.currency,
    }
    documents = {
        p.merchant_id: _document(about, p, agreed[p.merchant_id], made[p.merchant_id], pk, until) for p in seats
    }
    names = {str(p.merchant_id): p.merchant.name for p in seats} | {"pool": "pool"}
    balances = {str(m): one.due for m, one in made.items()} | {"pool": pool}
    previous = bytes(last.digest) if last else b"\0" * 32
    document = about | {
        "partners": [
            {"id": str(m), "name": names[str(m)], "due_minor": made[m].due, "sha256": papers.digest(documents[m])}
            for m in sorted(made)
        ],
        "pool_due_minor": pool,
        "payments": [
            {"from": p.payer, "from_name": names[p.payer], "to": p.payee, "to_name": names[p.payee], "minor": p.minor}
            for p in netting.net(balances)
        ],
        "previous": previous.hex(),
    }
    period = CoalitionPeriod(
        pk=pk, merchant=coalition.merchant, coalition=coalition, number=number, until=until, closed_at=now, closed_by=actor,
        pool_due_minor=pool, document=document, previous=previous,
        digest=hashlib.sha256(previous + papers.text(document)).digest(),
    )  # fmt: skip
    CoalitionPeriod.objects.bulk_create([period])
    CoalitionStatement.objects.bulk_create(
        CoalitionStatement(merchant_id=m, period=period, due_minor=made[m].due, document=documents[m])
        for m in sorted(made)
    )
    CoalitionPartner.objects.filter(coalition=coalition).update(open_micro=0)
    audit.record(
        merchant_id=coalition.merchant_id, at=now, actor=actor, verb="coalition.closed", object=f"coalition {coalition.pk}",
        detail={"period": number},
    )  # fmt: skip
    return period


def _mark(coalition: Coalition, merchants: Sequence[int], period: int, until: datetime) -> None:
    """What this period is about, in one statement: the two sides of a spend were committed together and are seen together."""
    where, values = bulk.among("merchant_id", merchants)
    told = [period, values, coalition.pk, bulk.moment()(until)]
    bulk.execute(
        f"UPDATE loyalty_coalition_movement SET period_id = %s WHERE {where} AND coalition_id = %s AND period_id IS NULL AND at < %s",
        told,
    )
    bulk.execute(
        f"UPDATE loyalty_coalition_pack SET period_id = %s WHERE {where} AND coalition_id = %s AND period_id IS NULL "
        "AND bought_at < %s",
        told,
    )


def _lines(period: int, merchants: Sequence[int]) -> dict[int, list[settling.Line]]:
    found: dict[int, list[settling.Line]] = defaultdict(list)
    where, values = bulk.among("merchant_id", merchants)
    for merchant, kind, other, price, n, points, micro in bulk.select(
        "SELECT merchant_id, kind, other_id, price_micro, COUNT(*), CAST(SUM(points) AS BIGINT), "
        f"CAST(SUM(amount_micro) AS BIGINT) FROM loyalty_coalition_movement WHERE {where} AND period_id = %s "
        "GROUP BY merchant_id, kind, other_id, price_micro",
        [values, period],
    ):
        found[merchant].append(settling.Line(kind, other, price, n, points, micro))
    for mine in found.values():
        mine.sort(key=lambda line: (line.kind, line.other or 0, line.price_micro))
    return found


def _opening(seat: CoalitionPartner, agreed: Sequence[Prices], period: int, until: datetime) -> settling.Opening:
    last = stored.last_statement(seat.merchant_id, seat.coalition)
    bought = sum(_packs(seat, period).values_list("paid_minor", flat=True)) * MICRO
    carry, deposit = (last.document["carry_micro"], last.document["deposit_micro"]) if last else (0, 0)
    return settling.Opening(carry, deposit + bought, prices_at(agreed, until).prepaid)


def _packs(seat: CoalitionPartner, period: int) -> Any:
    return CoalitionPack.objects.filter(merchant_id=seat.merchant_id, period_id=period)


def _document(
    about: Mapping[str, Any],
    seat: CoalitionPartner,
    agreed: Sequence[Prices],
    made: settling.Statement,
    period: int,
    until: datetime,
) -> dict[str, Any]:
    count, sha = papers.movements_digest(seat.merchant_id, period)
    now = prices_at(agreed, until)
    return {
        **about,
        "partner": {"id": str(seat.merchant_id), "name": seat.merchant.name},
        "prices": [
            {"from": papers.instant(p.effective_from), "issue_micro": p.issue_micro, "redeem_micro": p.redeem_micro, "prepaid": p.prepaid}
            for p in agreed
            if p.effective_from < until
        ],
        "lines": [
            {"kind": x.kind, "other": None if x.other is None else str(x.other), "price_micro": x.price_micro,
             "movements": x.movements, "points": x.points, "minor": x.minor}
            for x in made.lines
        ],
        "due_minor": made.due,
        "carry_micro": made.carry_micro,
        "packs": [
            {"key": p.key, "points": p.points, "paid_minor": p.paid_minor, "at": papers.instant(p.bought_at)}
            for p in _packs(seat, period).order_by("bought_at", "id")
        ],
        "deposit_micro": made.deposit_micro,
        "deposit_points": made.deposit_micro // now.issue_micro if now.issue_micro else 0,
        "movements": count,
        "movements_sha256": sha,
    }  # fmt: skip


def _day(coalition: Coalition, at: datetime) -> str:
    return at.astimezone(coalition.merchant.tz).date().isoformat()
