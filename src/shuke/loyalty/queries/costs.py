"""What members' programmes cost: gifts, benefits, coupons, draws, gifts for bringing a friend, bonus of stored value.

One row per thing handed out, used or come back, each where it is booked; totals are their sums, so every figure opens to the
rows behind it. Money in minor units. Points have their own reports (finance).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from shuke.kit import bulk
from shuke.loyalty.models import BenefitUse, Draw, Gift
from shuke.loyalty.queries import coupons
from shuke.members.queries.families import family
from shuke.shops.models import Merchant

KINDS = ("gift", "benefit", "coupon", "draw", "referral", "bonus")
LINES = 200


class Total(NamedTuple):
    """One programme: a gift, a benefit, a coupon template, a draw …"""

    kind: str
    programme: str
    name: dict[str, str]
    members: int  # different ones; bearers' coupons and gift cards are of nobody
    pieces: int
    cost_minor: int
    received_minor: int  # money members paid for it


class Line(NamedTuple):
    """One thing that cost something, or came back (below 0)."""

    at: datetime
    kind: str
    programme: str
    member_id: int | None
    pieces: int
    cost_minor: int
    received_minor: int
    ref: str  # what it is called where it is booked


class Asked(NamedTuple):
    """From `first` on, before `end`; of one kind, one programme, one member."""

    first: datetime
    end: datetime
    kind: str = ""
    programme: str = ""
    member_id: int | None = None


_PARTS = {
    "gift": (
        # Pieces that come back to the stock cost nothing after all; broken ones do.
        "SELECT 'gift' AS kind, g.code AS programme, o.member_id, o.closed_at AS at, o.count AS pieces, o.cost_minor AS cost, "
        "o.cash_minor - o.cash_minor / o.count * o.returned AS received, o.key AS ref, o.id AS id FROM loyalty_gift_order o "
        "JOIN loyalty_gift g ON g.id = o.gift_id WHERE o.merchant_id = %s AND o.state IN ('done', 'returned') "
        "AND o.closed_at >= %s AND o.closed_at < %s",
        "SELECT 'gift', g.code, o.member_id, m.at, -m.amount, -(o.cost_minor / o.count) * m.amount, 0, o.key, m.id "
        "FROM loyalty_gift_move m JOIN loyalty_gift_order o ON o.merchant_id = m.merchant_id AND o.key = m.ref "
        "AND o.gift_id = m.gift_id JOIN loyalty_gift g ON g.id = o.gift_id WHERE m.merchant_id = %s "
        "AND m.why = 'given_back' AND o.state IN ('done', 'returned') AND m.at >= %s AND m.at < %s",
    ),
    "benefit": (
        "SELECT 'benefit' AS kind, benefit AS programme, member_id, at, 1 AS pieces, cost_minor AS cost, 0 AS received, key AS ref, "
        "id FROM loyalty_benefit_use WHERE merchant_id = %s AND state = 'done' AND at >= %s AND at < %s",
    ),
    "coupon": (
        "SELECT 'coupon' AS kind, c.key AS programme, c.member_id, m.at, CASE WHEN m.kind = 'redeem' THEN 1 ELSE -1 END AS pieces, "
        "CASE WHEN m.kind = 'redeem' THEN m.amount_minor ELSE -m.amount_minor END AS cost, 0 AS received, m.ref AS ref, m.id AS id "
        "FROM loyalty_coupon_move m JOIN loyalty_coupon c ON c.id = m.coupon_id WHERE m.merchant_id = %s "
        "AND m.kind IN ('redeem', 'return') AND m.at >= %s AND m.at < %s",
    ),
    "draw": (
        "SELECT 'draw' AS kind, d.code AS programme, t.member_id, t.handed_at AS at, 1 AS pieces, {worth} AS cost, 0 AS received, "
        "t.key AS ref, t.id AS id FROM loyalty_draw_ticket t JOIN loyalty_draw d ON d.id = t.draw_id WHERE t.merchant_id = %s "
        "AND t.won <> '' AND t.handed_at >= %s AND t.handed_at < %s",
    ),
    "referral": (
        "SELECT 'referral' AS kind, 'gift' AS programme, member_id, handed_at AS at, amount AS pieces, cost_minor AS cost, "
        "0 AS received, side AS ref, id FROM loyalty_referral_reward WHERE merchant_id = %s AND kind = 'gift' "
        "AND handed_at >= %s AND handed_at < %s",
    ),
    "bonus": (
        # Bonus costs the shop when it pays for goods, not when it is added.
        "SELECT 'bonus' AS kind, 'stored_value' AS programme, p.member_id, t.at, CASE WHEN g.amount > 0 THEN 1 ELSE -1 END AS pieces, "
        "g.amount AS cost, 0 AS received, t.key AS ref, g.id AS id FROM loyalty_stored_leg g JOIN loyalty_stored_txn t "
        "ON t.id = g.txn_id JOIN loyalty_stored_purse p ON p.id = t.purse_id WHERE g.merchant_id = %s "
        "AND g.account = 'sold_bonus' AND t.at >= %s AND t.at < %s",
    ),
}


def totals(merchant: Merchant, asked: Asked) -> list[Total]:
    """What each programme cost, the dearest first."""
    told, values = rows_of(merchant, asked)
    found = bulk.select(
        "SELECT kind, programme, COUNT(DISTINCT member_id), SUM(pieces), SUM(cost), SUM(received) "
        f"FROM ({told}) AS found{_where(merchant, asked, values)} GROUP BY kind, programme ORDER BY SUM(cost) DESC, kind, programme",
        values,
    )
    names = _names(merchant, {(kind, programme) for kind, programme, *_ in found})
    return [Total(row[0], row[1], names[row[0], row[1]], *(int(n) for n in row[2:])) for row in found]


def lines(merchant: Merchant, asked: Asked, *, limit: int = LINES, offset: int = 0) -> list[Line]:
    """What stands behind it, the latest first."""
    told, values = rows_of(merchant, asked)
    found = bulk.select(
        "SELECT at, kind, programme, member_id, pieces, cost, received, ref "
        f"FROM ({told}) AS found{_where(merchant, asked, values)} ORDER BY at DESC, id DESC LIMIT %s OFFSET %s",
        [*values, limit, offset],
    )
    lines = []
    for at, kind, programme, member, pieces, cost, received, ref in found:
        moment = bulk.read_moment(at)
        assert moment is not None
        lines.append(Line(moment, kind, programme, member, int(pieces), int(cost), int(received), ref))
    return lines


def rows_of(merchant: Merchant, asked: Asked) -> tuple[str, list[Any]]:
    """The SQL of all rows asked for, with its values: at, kind, programme, member_id, pieces, cost, received, ref, id."""
    moment = bulk.moment()
    span = [merchant.pk, moment(asked.first), moment(asked.end)]
    parts: list[str] = []
    values: list[Any] = []
    for kind in [asked.kind] if asked.kind in KINDS else KINDS:
        for sql in _PARTS[kind]:
            worth, prizes = _worth(merchant) if kind == "draw" else ("", [])
            parts.append(sql.format(worth=worth) if kind == "draw" else sql)
            values += [*prizes, *span]
    return " UNION ALL ".join(parts), values


def _where(merchant: Merchant, asked: Asked, values: list[Any]) -> str:
    told = []
    if asked.programme:
        told.append("programme = %s")
        values.append(asked.programme)
    if asked.member_id is not None:
        own = [row["pk"] for row in family(merchant.pk, asked.member_id)]
        told.append(f"member_id IN ({', '.join(['%s'] * len(own))})")
        values += own
    return f" WHERE {' AND '.join(told)}" if told else ""


def _worth(merchant: Merchant) -> tuple[str, list[Any]]:
    """What a prize is worth stands in its draw's terms."""
    cases: list[str] = []
    values: list[Any] = []
    for pk, terms in Draw.objects.filter(merchant=merchant).values_list("id", "terms"):
        for prize in terms.get("prizes", []):
            if worth := int(prize.get("worth_minor") or 0):
                cases.append("WHEN t.draw_id = %s AND t.won = %s THEN %s")
                values += [pk, prize["key"], worth]
    return (f"CASE {' '.join(cases)} ELSE 0 END", values) if cases else ("0", [])


def _names(merchant: Merchant, programmes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """What programmes are called, in both languages."""
    of: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, programme in programmes:
        of[kind].add(programme)
    found = {(kind, programme): {"zh": programme, "en": programme} for kind, keys in of.items() for programme in keys}
    for gift in Gift.objects.filter(merchant=merchant, code__in=of["gift"]):
        found["gift", gift.code] = {"zh": gift.name_zh, "en": gift.name_en}
    for key in of["benefit"]:
        used = BenefitUse.objects.filter(merchant=merchant, benefit=key, state="done").order_by("-at", "-id").first()
        if used is not None and used.label:
            found["benefit", key] = dict(used.label)
    for key, row in coupons.latest_of(merchant, of["coupon"]).items() if of["coupon"] else ():
        name = coupons.terms_of(row).name
        found["coupon", key] = {"zh": name.zh, "en": name.en}
    for code, terms in Draw.objects.filter(merchant=merchant, code__in=of["draw"]).values_list("code", "terms"):
        found["draw", code] = dict(terms.get("name") or found["draw", code])
    found |= {("referral", key): {"zh": "老带新礼品", "en": "Gifts for bringing a friend"} for key in of["referral"]}
    return found | {("bonus", key): {"zh": "储值赠送", "en": "Bonus of stored value"} for key in of["bonus"]}
