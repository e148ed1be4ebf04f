"""A member's events, read from the orders and from the requests in the books."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shuke.engine.charter.rules import Rule
from shuke.engine.charter.terms import Versions
from shuke.engine.facts import OrderStatus
from shuke.engine.ledger import events as ev
from shuke.engine.ledger.came_back import Sold
from shuke.kit import bulk
from shuke.loyalty.models import ManualTier
from shuke.loyalty.queries import refunds
from shuke.orders.queries.came_back import documents as documents_of
from shuke.orders.queries.came_back import of_order
from shuke.shops.models import Merchant

# Requests that are facts of a member's history, by the `kind` of their posting.
REQUEST_KINDS = (
    "burn", "return", "adjust", "opening", "hold", "capture", "release",
    "activity", "activity_undo", "growth", "reinstate", "membership", "membership_end",
    "handed", "taken",
    "pool_out", "pool_back", "pool_spent", "pool_returned", "partner", "partner_undo",
)  # fmt: skip


class Bought(NamedTuple):
    """Purchases with their refunds by member, and the ids of the orders they came from."""

    events: dict[int, list[ev.Event]]
    order_ids: set[int]


_ORDER = """
SELECT o.id, o.member_id, o.number, s.platform, s.code, t.code, o.channel, o.paid_at, o.paid_minor, o.freight_minor,
       o.refunded_minor, o.refunded_at, o.finished_at, o.discount_minor, o.tax_minor, o.tenders
FROM orders_order o
JOIN shops_store s ON s.id = o.store_id
LEFT JOIN shops_store t ON t.id = o.sold_at_id
WHERE {merchant} = %s AND o.member_id IS NOT NULL AND o.paid_at IS NOT NULL AND o.excluded = ''
  AND o.status <> %s AND o.status >= %s AND {where}
"""


def order_event(platform: str, store_code: str, number: str) -> str:
    """The name of an order in the books: natural, so that it is the same whatever came first."""
    return f"order:{platform}:{store_code}:{number}"


def bought(
    merchant: Merchant,
    versions: Versions,
    *,
    order_ids: Iterable[int] | None = None,
    member_ids: Iterable[int] | None = None,
) -> Bought:
    """Purchases with all that any version of the charter looks at."""
    return purchases(
        merchant,
        order_ids=order_ids,
        member_ids=member_ids,
        goods_rules=versions.goods_rules,
        with_goods=versions.needs_lines,
        each_line=versions.each_line,
        with_parts=versions.needs_parts,
    )


def purchases(
    merchant: Merchant,
    *,
    order_ids: Iterable[int] | None = None,
    member_ids: Iterable[int] | None = None,
    goods_rules: Sequence[Rule],
    with_goods: bool = False,
    each_line: bool = False,
    with_parts: bool = False,
    with_lines_back: bool = False,
) -> Bought:
    """Purchases and refunds of some orders, or of all orders of some members, with goods as far as rules look at them.
    `with_lines_back`: what came back of each line by itself, also without the goods."""
    # The + keeps SQLite from reading every order of the merchant where it knows the row's key.
    mine, (where, values) = (
        ("+o.merchant_id", bulk.among("o.id", order_ids))
        if order_ids is not None
        else ("o.merchant_id", bulk.among("o.member_id", member_ids or ()))
    )
    rows = bulk.select(
        _ORDER.format(merchant=mine, where=where),
        [merchant.pk, int(OrderStatus.CLOSED_UNPAID), int(OrderStatus.PAID), values],
    )
    ids = [r[0] for r in rows]
    looks = bool(goods_rules) or with_goods
    kind = ("l.id", []) if each_line or not looks else _class_of(goods_rules)
    goods, kinds = _goods(merchant, ids, kind) if looks else ({}, {})
    refunded = [r[0] for r in rows if r[10]]
    documents = documents_of(merchant, refunded) if refunded else {}
    lines = _lines(merchant, refunded, kind) if refunded and (looks or with_lines_back) else {}
    parts = _parts(merchant, rows) if with_parts else {}
    found: dict[int, list[ev.Event]] = defaultdict(list)
    for pk, member, number, platform, code, sold_at, channel, paid_at, paid, freight, back, back_at, done, *_ in rows:
        event = f"order:{platform}:{code}:{number}"
        at = bulk.read_moment(paid_at)
        assert at is not None
        net = paid - freight
        theirs = found[member]
        theirs.append(
            ev.Purchase(
                event,
                at,
                net if net > 0 else 0,
                goods.get(pk, ()),
                sold_at or code,
                platform,
                channel,
                None if done is None else bulk.read_moment(done),
                parts.get(pk),
            )
        )
        if back:
            papers = documents.get(pk, [])
            given_back = of_order(event, at, back, bulk.read_moment(back_at), papers)
            if sold := lines.get(pk):
                given_back = refunds.with_goods(given_back, papers, max(0, net), sold, kinds.get(pk, ()))
            theirs.extend(given_back)
    return Bought(found, set(ids))


def came_back(merchant: Merchant, order_ids: Sequence[int]) -> dict[str, dict[int, int]]:
    """Of orders by their event: how much of each line's amount came back, by the line's place."""
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    bought = purchases(merchant, order_ids=order_ids, goods_rules=(), with_lines_back=True)
    for events in bought.events.values():
        for one in events:
            if isinstance(one, ev.Refunded):
                for part in one.back:
                    found[one.order][part.line] += part.amount
    return found


def _parts(merchant: Merchant, rows: Sequence[tuple]) -> dict[int, ev.Parts]:
    """What orders were made of: freight, discount, tax and tenders by the order itself; coupons, points and what was paid in
    advance by the till's basket that became it."""
    events = {r[0]: order_event(r[3], r[4], r[2]) for r in rows}
    where, values = bulk.among("order_event", events.values())
    told: dict[str, dict[str, int]] = {}
    for event, priced in bulk.select(
        f"SELECT order_event, priced FROM loyalty_checkout WHERE merchant_id = %s AND state = 'captured' AND {where}",
        [merchant.pk, values],
    ):
        told[event] = (json.loads(priced) if isinstance(priced, str) else priced)["totals"]
    found = {}
    for r in rows:
        totals = told.get(events[r[0]])
        paid_by = dict(json.loads(r[15]) if isinstance(r[15], str) else r[15] or ())
        prepaid = sum(paid_by.pop(code, 0) for code in ("stored_value", "gift_cards"))
        points = paid_by.pop("points", 0)
        tax, tenders = r[14] or 0, tuple(sorted(paid_by.items()))
        if totals is None:
            found[r[0]] = ev.Parts(r[9], tax, r[13], points=points, stored_value=prepaid, tenders=tenders)
        else:
            found[r[0]] = ev.Parts(
                freight=r[9],
                tax=tax,
                discount=totals["tier_price_minor"] + totals["offers_minor"],
                coupon=totals["coupons_minor"],
                points=totals["points_minor"],
                stored_value=totals["stored_value_minor"] + totals.get("gift_cards_minor", 0),
                tenders=tenders,
            )
    return found


Kind = tuple[str, list[Any]]  # an SQL expression that tells lines apart, with its parameters


def _goods(
    merchant: Merchant, order_ids: Sequence[int], kind: Kind
) -> tuple[dict[int, tuple[ev.GoodsLine, ...]], dict[int, list[int]]]:
    """Lines that all goods rules treat alike, added up by the database: a basket of thirty lines comes as two or three.
    Beside them the kinds they are of.

    Each sum carries the goods of one of its lines, which stands for the others. Pieces given for nothing count for nothing,
    whatever stands beside them.
    """
    where, values = bulk.among("l.order_id", order_ids)
    rows = bulk.select(
        f"SELECT l.order_id, CAST(SUM(l.amount_minor) AS BIGINT), "
        f"CAST(SUM(CASE WHEN l.amount_minor > 0 THEN l.quantity_milli ELSE 0 END) AS BIGINT), MIN(l.product_id), {kind[0]} AS kind FROM orders_line l LEFT JOIN orders_product p ON p.id = l.product_id "
        f"WHERE l.merchant_id = %s AND {where} GROUP BY l.order_id, kind ORDER BY l.order_id, kind",
        [*kind[1], merchant.pk, values],
    )
    where, values = bulk.among("id", {product for *_, product, _ in rows if product is not None})
    goods: dict[int | None, tuple[str, str, str]] = {
        pk: (category, code, brand)
        for pk, category, code, brand in bulk.select(
            f"SELECT id, category, code, brand FROM orders_product WHERE +merchant_id = %s AND {where}",
            [merchant.pk, values],
        )
    }
    goods[None] = ("", "", "")
    found: dict[int, list[ev.GoodsLine]] = defaultdict(list)
    kinds: dict[int, list[int]] = defaultdict(list)
    for order, amount, pieces, product, which in rows:
        found[order].append(ev.GoodsLine(amount, *goods[product], pieces))
        kinds[order].append(which)
    return {k: tuple(v) for k, v in found.items()}, kinds


def _lines(merchant: Merchant, order_ids: Sequence[int], kind: Kind) -> dict[int, list[refunds.Line]]:
    """Lines of orders that were refunded, one by one: each has a price of its own, and names by which refunds know it."""
    where, values = bulk.among("l.order_id", order_ids)
    rows = bulk.select(
        f"SELECT l.order_id, {kind[0]} AS kind, l.amount_minor, l.quantity_milli, l.refunded_minor, p.code, l.sub_number "
        "FROM orders_line l LEFT JOIN orders_product p ON p.id = l.product_id "
        f"WHERE l.merchant_id = %s AND {where} ORDER BY l.order_id, l.id",
        [*kind[1], merchant.pk, values],
    )
    found: dict[int, list[refunds.Line]] = defaultdict(list)
    for order, which, amount, pieces, back, code, sub_number in rows:
        found[order].append(refunds.Line(Sold(amount, pieces, back, code or "", sub_number), which))
    return found


def _class_of(rules: Sequence[Rule]) -> Kind:
    """An SQL expression that is the same for lines chosen by the same rules (one bit per rule), with its parameters."""
    if not rules:
        return "0", []
    if len(rules) > 60:  # more than fit into the bits of a number: every product is a class of its own
        return "l.product_id", []
    bits: list[str] = []
    told: list[Any] = []
    for i, rule in enumerate(rules):
        ways: list[str] = []
        for category in rule.categories:
            ways.append(f"p.category = %s OR substr(p.category, 1, {len(category) + 1}) = %s")
            told += [category, category + "/"]
        for column, names in (("p.code", rule.products), ("p.brand", rule.brands)):
            if names:
                ways.append(f"{column} IN ({', '.join(['%s'] * len(names))})")
                told += sorted(names)
        bits.append(f"CASE WHEN {' OR '.join(ways)} THEN {1 << i} ELSE 0 END")
    return " + ".join(bits), told


def requests(merchant: Merchant, member_ids: Iterable[int]) -> dict[int, list[ev.Event]]:
    """What was asked of the books themselves: spends, adjustments, holds and grades given by hand; and the points of baskets
    that follow their orders' refunds."""
    member_ids = list(member_ids)
    where, values = bulk.among("member_id", member_ids)
    found: dict[int, list[ev.Event]] = defaultdict(list)
    kinds = ", ".join(["%s"] * len(REQUEST_KINDS))
    # A posting without an outcome only books what was asked of a member who has been merged: the fact is elsewhere.
    rows = bulk.select(
        "SELECT member_id, event, kind, at, outcome FROM loyalty_txn t "
        f"WHERE merchant_id = %s AND {where} AND kind IN ({kinds}) AND outcome IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM loyalty_request_owner o WHERE o.txn_id = t.id)",
        [merchant.pk, values, *REQUEST_KINDS],
    )
    where_owner, values = bulk.among("o.member_id", member_ids)
    rows += bulk.select(
        "SELECT o.member_id, t.event, t.kind, t.at, t.outcome FROM loyalty_request_owner o "
        f"JOIN loyalty_txn t ON t.id = o.txn_id WHERE o.merchant_id = %s AND {where_owner}",
        [merchant.pk, values],
    )
    for member, event, kind, at, outcome in rows:
        told = (json.loads(outcome) if isinstance(outcome, str) else outcome)["request"]
        moment = bulk.read_moment(at)
        assert moment is not None
        found[member].append(_request(event, kind, moment, told))
    for member in found:
        found[member] = ev.without_undone(found[member])
    for member, back in refunds.of_baskets(merchant, found).items():
        found[member] += back
    given = ManualTier.objects.filter(merchant=merchant, member_id__in=member_ids).values_list(
        "member_id", "id", "at", "tier", "until", "cause"
    )
    for member, pk, at, tier, until, cause in given:
        found[member].append(ev.TierGiven(f"tier:{pk}", at, tier, until, cause))
    return found


class Asked(NamedTuple):
    """A request that is a member's fact: its posting, its event, and the event of the request it is about ("": none)."""

    txn: int
    event: str
    about: str


def request_ids(merchant: Merchant, member: int) -> list[int]:
    """Postings of the requests that are a member's facts."""
    return sorted(pk for pk, _, _ in _requests_of(merchant, member))


def requests_of(merchant: Merchant, member: int) -> list[Asked]:
    """The requests that are a member's facts, with what each gives back, captures, releases or ends."""
    found = []
    for pk, event, outcome in _requests_of(merchant, member):
        told = (json.loads(outcome) if isinstance(outcome, str) else outcome)["request"]
        found.append(
            Asked(pk, event, told.get("burn") or told.get("hold") or told.get("bought") or told.get("undone") or "")
        )
    return sorted(found)


def _requests_of(merchant: Merchant, member: int) -> list[tuple]:
    return bulk.select(
        "SELECT t.id, t.event, t.outcome FROM loyalty_txn t WHERE t.merchant_id = %s AND t.member_id = %s "
        f"AND t.kind IN ({', '.join(['%s'] * len(REQUEST_KINDS))}) AND t.outcome IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM loyalty_request_owner o WHERE o.txn_id = t.id)",
        [merchant.pk, member, *REQUEST_KINDS],
    ) + bulk.select(
        "SELECT t.id, t.event, t.outcome FROM loyalty_request_owner o JOIN loyalty_txn t ON t.id = o.txn_id "
        "WHERE o.merchant_id = %s AND o.member_id = %s",
        [merchant.pk, member],
    )


def with_own_requests(merchant: Merchant, members: Collection[int]) -> list[int]:
    """Those of these members in whose books something was asked that is their own fact."""
    where, values = bulk.among("t.member_id", members)
    rows = bulk.select(
        f"SELECT DISTINCT t.member_id FROM loyalty_txn t WHERE t.merchant_id = %s AND {where} "
        f"AND t.kind IN ({', '.join(['%s'] * len(REQUEST_KINDS))}) AND t.outcome IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM loyalty_request_owner o WHERE o.txn_id = t.id)",
        [merchant.pk, values, *REQUEST_KINDS],
    )
    given = ManualTier.objects.filter(merchant=merchant, member_id__in=list(members))
    return sorted({m for (m,) in rows} | set(given.values_list("member_id", flat=True)))


def of_half(asked: Sequence[Asked], told: Collection[int]) -> list[int]:
    """Which of these requests go with the half of which the requests `told` were asked: those, and what is about one of them.
    What is about another's goes with that one: a return is where its spend is, whoever asked for it."""
    by_event = {one.event: one for one in asked}

    def root(one: Asked) -> Asked:
        while one.about in by_event:
            one = by_event[one.about]
        return one

    return [one.txn for one in asked if root(one).txn in told]


def posted_to_others(merchant: Merchant, txns: Sequence[int], member: int) -> list[int]:
    """Those of these postings that were not made to this member."""
    where, values = bulk.among("id", txns)
    rows = bulk.select(
        f"SELECT id FROM loyalty_txn WHERE +merchant_id = %s AND member_id <> %s AND {where}",
        [merchant.pk, member, values],
    )
    return [pk for (pk,) in rows]


def _request(event: str, kind: str, at: datetime, told: dict[str, Any]) -> ev.Event:
    found = _fact(event, kind, at, told)
    return found._replace(nth=told["nth"]) if told.get("nth") else found


def _fact(event: str, kind: str, at: datetime, told: dict[str, Any]) -> Any:
    amount = told.get("amount", 0)
    if kind == "burn":
        return ev.Burn(event, at, amount)
    if kind == "return":
        return ev.BurnReturned(event, at, told["burn"], amount)
    if kind == "hold":
        return ev.HoldPlaced(event, at, amount, moment_of(told["until"]))
    if kind == "capture":
        return ev.HoldCaptured(event, at, told["hold"], amount)
    if kind == "release":
        return ev.HoldReleased(event, at, told["hold"])
    if kind == "activity":
        return ev.Activity(event, at, told["activity"])
    if kind == "activity_undo":
        return ev.ActivityUndone(event, at, told["undone"])
    if kind == "growth":
        return ev.GrowthAdjusted(event, at, amount, told.get("account", "adjusted"))
    if kind == "reinstate":
        return ev.Reinstated(event, at, amount, moment_of(told["expires_at"]) if told.get("expires_at") else None)
    if kind == "membership":
        return ev.MembershipBought(event, at, told["membership"])
    if kind == "membership_end":
        return ev.MembershipEnded(event, at, told["bought"])
    if kind == "handed":
        return ev.HandedOver(event, at, amount)
    if kind == "taken":
        return ev.TakenOver(event, at, tuple(parcel_of(p) for p in told["parcels"]))
    if kind == "pool_out":
        return ev.PooledOut(event, at, amount)
    if kind == "pool_back":
        return ev.PooledBack(event, at, told["burn"], amount)
    if kind == "pool_spent":
        return ev.PooledSpent(event, at, told["own"], tuple(parcel_of(p) for p in told["parcels"]))
    if kind == "pool_returned":
        return ev.PooledReturned(event, at, told["burn"], told["own"], tuple(told["parts"]))
    if kind == "partner":
        return ev.PartnerEarned(event, at, amount, funder=told.get("funder", 0))
    if kind == "partner_undo":
        return ev.PartnerUndone(event, at, told["burn"], amount)
    account = "opening" if kind == "opening" else "adjusted"
    return ev.Adjusted(event, at, amount, account, moment_of(told["expires_at"]) if told.get("expires_at") else None)


def lapsed_since(merchant: Merchant, member: int, since: datetime) -> int:
    """Points of a member that lapsed since a moment and were not given back."""
    rows = bulk.select(
        "SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM loyalty_txn t JOIN loyalty_entry e "
        "ON e.merchant_id = t.merchant_id AND e.txn_id = t.id "
        "WHERE t.merchant_id = %s AND t.member_id = %s AND t.at >= %s AND e.account = 'breakage'",
        [merchant.pk, member, bulk.moment()(since)],
    )
    return rows[0][0]


def next_at(merchant: Merchant, member: int, at: datetime) -> int:
    """The place of a request among those granted at the very same moment, to this member or to one who lives on in them."""
    moment = bulk.moment()(at)
    rows = bulk.select(
        "SELECT outcome FROM loyalty_txn WHERE merchant_id = %s AND member_id = %s AND at = %s AND kind <> 'refused'",
        [merchant.pk, member, moment],
    ) + bulk.select(
        "SELECT t.outcome FROM loyalty_request_owner o JOIN loyalty_txn t ON t.id = o.txn_id "
        "WHERE o.merchant_id = %s AND o.member_id = %s AND t.at = %s",
        [merchant.pk, member, moment],
    )
    told = [(json.loads(o) if isinstance(o, str) else o or {}).get("request", {}) for (o,) in rows]
    return 1 + max((request.get("nth", 0) for request in told), default=0)


def handed_since(merchant: Merchant, member: int, since: datetime) -> int:
    """Points a member gave to others since a moment."""
    rows = bulk.select(
        "SELECT CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) FROM loyalty_txn t JOIN loyalty_entry e "
        "ON e.merchant_id = t.merchant_id AND e.txn_id = t.id "
        "WHERE t.merchant_id = %s AND t.member_id = %s AND t.at >= %s AND t.kind = 'handed' AND e.account = 'transferred'",
        [merchant.pk, member, bulk.moment()(since)],
    )
    return rows[0][0]


def parcel_of(plain: list[Any]) -> ev.Parcel:
    amount, earned, expires, cost, *funder = plain
    return ev.Parcel(amount, moment_of(earned), moment_of(expires) if expires else None, cost, *funder)


def plain_parcel(parcel: ev.Parcel) -> list[Any]:
    until = parcel.expires_at.isoformat() if parcel.expires_at else None
    plain = [parcel.amount, parcel.earned_at.isoformat(), until, parcel.cost_micro]
    return [*plain, parcel.funder] if parcel.funder else plain


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Known(NamedTuple):
    """A request that was answered before: its hash, the answer given, and to whom it was posted."""

    payload: bytes
    answer: dict[str, Any]
    member: int


def known_requests(merchant: Merchant, keys: Sequence[str]) -> dict[str, Known]:
    """What was answered, by the caller's key; refusals are remembered too."""
    where, values = bulk.among("key", keys)
    rows = bulk.select(
        f"SELECT key, payload, outcome, member_id FROM loyalty_txn WHERE merchant_id = %s AND {where}",
        [merchant.pk, values],
    )
    return read_known_requests(rows)


def known_by_version_query(merchant: Merchant, keys: Sequence[str]) -> tuple[str, list]:
    """Each version of the charter with each request that was answered before: at a till one row, and one question less."""
    where, values = bulk.among("t.key", keys)
    return (
        "SELECT c.id, c.effective_from, c.version, t.key, t.payload, t.outcome, t.member_id FROM loyalty_charter c "
        f"LEFT JOIN loyalty_txn t ON t.merchant_id = c.merchant_id AND {where} "
        "WHERE c.merchant_id = %s ORDER BY c.effective_from",
        [values, merchant.pk],
    )


def read_known_requests(rows: Iterable[tuple]) -> dict[str, Known]:
    return {
        key: Known(bytes(payload), (json.loads(outcome) if isinstance(outcome, str) else outcome)["answer"], member)
        for key, payload, outcome, member in rows
        if outcome is not None
    }
