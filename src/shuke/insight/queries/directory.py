"""The member directory: filtered, sorted, paged lists of members with their figures, at any size.

Three tables answer together: Member (who), MemberScore (how they buy, as of the last night run), Wallet (tier and
points). What keeps a page under 100 ms at a million members:

- Each sort walks one table along its index and stops after a page; the other tables are looked up by primary key. The
  indexes of MemberScore carry the columns most lists filter by, so that who does not match costs no look at its row.
- Where at most 10,000 match, they are found by the filters instead and then sorted: a rare mix is no walk over everybody.
- Members without a row in that table (joined since the last night run, no points yet) follow at the end of the list,
  in a second query that runs only when the first comes up short.
- The count stops at 10,001; nobody pages through more, and a chip narrows faster.
- Ids first, then the rows of those ids. Beyond page 50 the next page starts after the last row seen (keyset), since
  an offset would walk all rows before it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import BooleanField, Func, Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from shuke.insight.models import MemberScore, MemberValue
from shuke.insight.queries import value
from shuke.insight.queries.by_history import by_history
from shuke.insight.queries.filters import (
    DEFAULT_SORT,
    DORMANT_DAYS,
    NOT_STATED,
    Filters,
    flow,
    parse_sort,
    period,
    stand,
)
from shuke.insight.queries.list_rows import Row, rows_of
from shuke.insight.queries.members_behind import members_behind
from shuke.insight.queries.profit_list import those as profit_those
from shuke.kit import clock
from shuke.loyalty.models import Wallet
from shuke.members.models import Member, MemberState
from shuke.shops.models import Merchant

PAGE_SIZE = 50
COUNT_CAP = 10_001
OFFSET_PAGES = 50  # later pages are reached by `after` / `before` only
FEW_GONE = 1_000  # so many merged, undone or forgotten members are subtracted from a count one by one


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the directory. `total` is exact up to 10,000; `capped` says there are more."""

    rows: list[Row]
    total: int
    capped: bool
    number: int
    first: int  # position of the first row, 1-based; 0 if there is none
    has_next: bool
    after: str  # cursor of the last row
    before: str  # cursor of the first row


class _Order(NamedTuple):
    """One way to sort: the table walked, its column, and how the other tables are called from there."""

    root: type[Model]
    column: str
    member: str
    score: str
    wallet: str


_FROM_SCORE = ("member__", "", "member__wallet__")
_ORDERS = {
    "last": _Order(MemberScore, "last_paid_at", *_FROM_SCORE),
    "spent": _Order(MemberScore, "net_minor", *_FROM_SCORE),
    "orders": _Order(MemberScore, "order_count", *_FROM_SCORE),
    "points": _Order(Wallet, "balance", "member__", "member__memberscore__", ""),
    "joined": _Order(Member, "joined_at", "", "memberscore__", "wallet__"),
    "expects": _Order(MemberValue, "expected_spend", "member__", "member__memberscore__", "member__wallet__"),
}
_SHOWN_AS = {"order_count": "orders", "balance": "points"}  # column → field of Row, where they differ
_BARE = _Order(Member, "id", "", "memberscore__", "wallet__")


def directory(
    merchant: Merchant,
    filters: Filters,
    *,
    now: datetime,
    sort: str = DEFAULT_SORT,
    number: int = 1,
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
    found: list[int] | None = None,
) -> Page:
    """One page of the merchant's members.

    `found` are the members a text search gave (members.queries), best first; None = no text was asked for. `after` and
    `before` are cursors of an earlier page and win over `number`, which is then only shown. `now` is the shop's time.
    """
    sort = parse_sort(sort)
    few: list[int] | None = None
    if _narrowest(filters) is None and found is None and filters.any:
        # Several tables answer together: finding them is what takes time, so it is done once for the count and the rows.
        matching = _narrow(_BARE, merchant, filters, now, None).order_by().values_list("pk", flat=True)
        few = list(matching[:COUNT_CAP])
        counted = len(few)
    else:
        counted = _count(merchant, filters, now, found, COUNT_CAP)
    capped = counted >= COUNT_CAP
    total = min(counted, COUNT_CAP - 1)
    walk = _Walk(merchant, filters, now, found, sort, few=not capped, them=None if capped else few)
    if not counted:
        ids, has_next = [], False
    elif after or before:
        ids = walk.beyond(after or before, size + 1, back=bool(before and not after))
        more = len(ids) > size
        ids = ids[:size] if not (before and not after) else ids[-size:]
        has_next = more if after else True
    else:
        number = max(1, min(number, OFFSET_PAGES))
        start = (number - 1) * size
        wanted = size if capped else max(0, min(size, total - start))
        ids = walk.slice(start, size, wanted)
        has_next = capped or start + len(ids) < total
    rows = rows_of(merchant, ids)
    return Page(
        rows=rows,
        total=total,
        capped=capped,
        number=number,
        first=(number - 1) * size + 1 if rows else 0,
        has_next=has_next and bool(rows),
        after=walk.cursor(rows[-1]) if rows else "",
        before=walk.cursor(rows[0]) if rows else "",
    )


def neighbours(
    merchant: Merchant,
    filters: Filters,
    *,
    member_id: int,
    now: datetime,
    sort: str = DEFAULT_SORT,
    found: list[int] | None = None,
) -> tuple[int | None, int | None]:
    """The members before and after this one in that list; None at its ends."""
    rows = rows_of(merchant, [member_id])
    if not rows:
        return None, None
    walk = _Walk(merchant, filters, now, found, parse_sort(sort))
    here = walk.cursor(rows[0])
    back, on = walk.beyond(here, 1, back=True), walk.beyond(here, 1)
    return (back[0] if back else None), (on[0] if on else None)


def every_row(
    merchant: Merchant,
    filters: Filters,
    *,
    now: datetime,
    sort: str = DEFAULT_SORT,
    found: list[int] | None = None,
    only: list[int] | None = None,
    chunk: int = 2_000,
) -> Iterator[list[Row]]:
    """The whole list in chunks, for exports and bulk actions. `only` keeps those members of it. Never all at once."""
    if only is not None:
        keep = set(only)
        found = [i for i in found if i in keep] if found is not None else list(keep)
    walk = _Walk(merchant, filters, now, found, parse_sort(sort))
    ids = walk.slice(0, chunk, chunk)
    while ids:
        rows = rows_of(merchant, ids)
        yield rows
        ids = walk.beyond(walk.cursor(rows[-1]), chunk) if len(ids) == chunk and rows else []


def count(merchant: Merchant, filters: Filters, *, now: datetime, found: list[int] | None = None) -> int:
    """How many members the filters let through, exactly."""
    return _count(merchant, filters, now, found, None)


def matching(
    merchant: Merchant, filters: Filters, *, now: datetime, found: list[int] | None = None
) -> QuerySet[Member]:
    """Whoever the filters let through, in no order."""
    return _narrow(_BARE, merchant, filters, now, found).order_by()


def _count(merchant: Merchant, filters: Filters, now: datetime, found: list[int] | None, cap: int | None) -> int:
    """How many, at most `cap`. Filters of one table are counted in that table's index alone.

    That count includes those who are gone (merged, undone, forgotten); there are few, so they are counted by their state
    and taken off again, instead of looking up the state of everybody who is not gone.
    """
    order = _narrowest(filters) if found is None else None
    if order is None:
        return _narrow(_BARE, merchant, filters, now, found).order_by()[:cap].count()
    absent = list(Member.objects.filter(merchant=merchant, state__in=_GONE).values_list("pk", flat=True)[:FEW_GONE])
    if len(absent) == FEW_GONE:
        return _narrow(_BARE, merchant, filters, now, found).order_by()[:cap].count()
    gone = _narrow(order, merchant, filters, now, absent, states=None).order_by().count() if absent else 0
    # `merchant_id` is in every index; the id is not (on SQLite it is no rowid), and each would be looked up.
    rows = _narrow(order, merchant, filters, now, None, states=None).order_by().values("merchant_id")
    return rows[: cap and cap + gone].count() - gone


def _narrowest(filters: Filters) -> _Order | None:
    """The one table that answers all of these filters; None if it takes several."""
    by_member = filters.stores or filters.home_on or filters.joined or filters.tags or filters.acquired_by
    by_score = (
        filters.wanted_stages() is not None or filters.rfm or filters.cells or filters.layers or filters.bonds or filters.money or filters.first or filters.year_from is not None
        or filters.last_from or filters.last_to or filters.bought in ("ever", "again", "year") or filters.view == "dormant"
    )  # fmt: skip
    by_wallet = filters.tiers or filters.points_from is not None or filters.points_to is not None
    beyond: Any = filters.bought in ("never", "idle") or filters.bought_in is not None or filters.moved or filters.stood
    beyond = (
        beyond
        or filters.bought_on
        or filters.chances
        or filters.of_profit
        or filters.expects_from is not None
        or filters.expects_to is not None
        or filters.first_on
        or filters.first_in is not None
        or filters.paid
        or filters.paid_days
        or filters.unpaid
        or filters.expires
        or filters.holding
    )
    if beyond or sum(map(bool, (by_member, by_score, by_wallet))) > 1:
        return None
    return _ORDERS["last"] if by_score else _ORDERS["points"] if by_wallet else _BARE


class _NoIndex(Func):
    """A column as SQLite sorts by it without walking its index. PostgreSQL weighs the two by itself."""

    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        return super().as_sql(compiler, connection, template="+%(expressions)s", **extra)


class _Walk:
    """The list in one order: first the members the sort column knows (the head), then the others by id (the tail)."""

    def __init__(
        self,
        merchant: Merchant,
        filters: Filters,
        now: datetime,
        found: list[int] | None,
        sort: str,
        *,
        few: bool = False,
        them: list[int] | None = None,
    ) -> None:
        """`them`: who matches, if that is known already. `few`: so few match that finding them all and sorting beats walking the order until enough are met (not by tags: no index knows them)."""
        self.sort, self.down, self.few = sort, sort.startswith("-"), few and filters.any and not filters.tags
        order = _ORDERS[sort.removeprefix("-")]
        self.column = order.column
        other = {MemberScore: "memberscore__", Wallet: "wallet__", MemberValue: "membervalue__", Member: ""}[order.root]
        if self.few:
            matching: Any = them
            if them is None:
                matching = _narrow(_narrowest(filters) or _BARE, merchant, filters, now, found).order_by().values("pk")
            head: QuerySet = order.root._default_manager.filter(merchant=merchant, pk__in=matching)
            tail: QuerySet = Member.objects.filter(merchant=merchant, pk__in=matching)
        else:
            head = _narrow(order, merchant, filters, now, found)
            tail = _narrow(_BARE, merchant, filters, now, found)
        self.head = head.filter(**{f"{order.column}__isnull": False})
        self.has_tail = order.root is not Member
        self.tail = tail.filter(**{f"{other}{order.column}__isnull": True})

    def slice(self, start: int, size: int, wanted: int) -> list[int]:
        """Ids from a position on. The tail is asked only if the head gives fewer than `wanted`."""
        ids = list(self._sorted(self.head)[start : start + size].values_list("pk", flat=True))
        if len(ids) < wanted and self.has_tail:
            skip = 0 if ids else max(0, start - self.head.order_by().count())
            ids += self.tail.order_by("-pk").values_list("pk", flat=True)[skip : skip + size - len(ids)]
        return ids

    def beyond(self, cursor: str, size: int, *, back: bool = False) -> list[int]:
        """Up to `size` ids after (or before, still in list order) the row a cursor names."""
        value, _, text = cursor.rpartition("~")
        if not (text.isascii() and text.isdigit()):
            return []
        pk = int(text)
        if value == "":  # within the tail
            onward = self.tail.filter(**{"pk__gt" if back else "pk__lt": pk}).order_by("pk" if back else "-pk")
            ids = list(onward.values_list("pk", flat=True)[:size])
            if back and len(ids) < size:
                ids += self._sorted(self.head, back=True).values_list("pk", flat=True)[: size - len(ids)]
            return ids[::-1] if back else ids
        try:
            bound = datetime.fromisoformat(value) if self.column.endswith("_at") else int(value)
        except ValueError:
            return []
        op = "lt" if self.down != back else "gt"
        # Written as column <= x AND (column < x OR pk < y), so that both databases start the index scan at x.
        beyond = Q(**{f"{self.column}__{op}e": bound}) & (Q(**{f"{self.column}__{op}": bound}) | Q(**{f"pk__{op}": pk}))
        ids = list(self._sorted(self.head.filter(beyond), back=back).values_list("pk", flat=True)[:size])
        if not back and len(ids) < size and self.has_tail:
            ids += self.tail.order_by("-pk").values_list("pk", flat=True)[: size - len(ids)]
        return ids[::-1] if back else ids

    def cursor(self, row: Row) -> str:
        """Where a row stands in this order: its sort value and id; the value is empty in the tail."""
        value: Any = getattr(row, _SHOWN_AS.get(self.column, self.column))
        return f"{'' if value is None else value.isoformat() if isinstance(value, datetime) else value}~{row.id}"

    def _sorted(self, query: QuerySet, *, back: bool = False) -> QuerySet:
        if self.few:
            column = _NoIndex(self.column)
            return query.order_by(*((column.desc(), "-pk") if self.down != back else (column.asc(), "pk")))
        sign = "-" if self.down != back else ""
        return query.order_by(f"{sign}{self.column}", f"{sign}pk")


_LISTED = (MemberState.ACTIVE,)
_GONE = tuple(state for state in MemberState if state != MemberState.ACTIVE)


def _narrow(
    order: _Order,
    merchant: Merchant,
    filters: Filters,
    now: datetime,
    found: list[int] | None,
    *,
    states: tuple[MemberState, ...] | None = _LISTED,
) -> QuerySet:
    """The filters as a query over `order.root`, of members in these states. All joins are one to one."""
    member, score, wallet, tz = order.member, order.score, order.wallet, merchant.tz
    wanted: dict[str, Any] = {"merchant": merchant}
    if states is not None:
        wanted[f"{member}state__in"] = states

    def days(column: str, start: Any, end: Any) -> None:
        if start is not None:
            wanted[f"{column}__gte"] = clock.day_start(start, tz)
        if end is not None:
            wanted[f"{column}__lt"] = clock.day_start(end, tz)

    if found is not None:
        wanted["pk__in"] = found
    stages = filters.wanted_stages()
    if stages is not None:
        wanted[f"{score}stage__in"] = stages
    for column, values in (
        (f"{wallet}tier", filters.tiers),
        (f"{score}rfm", filters.rfm),
        (f"{score}layer", filters.layers),
        (f"{score}bond", filters.bonds),
        (f"{score}m5", filters.money),
        (f"{member}acquired_by", [way if way != NOT_STATED else "" for way in filters.acquired_by]),
    ):
        if values:
            wanted[f"{column}__in"] = values
    if filters.joined and not member:
        days("joined_at", *(period(filters.joined) or (None, None)))
    if filters.first:
        days(f"{score}first_paid_at", *(period(filters.first) or (None, None)))
    days(
        f"{score}last_paid_at",
        filters.last_from,
        filters.last_to + timedelta(days=1) if filters.last_to is not None else None,
    )
    query = order.root._default_manager.filter(**wanted)
    home = f"{member}home_store"
    if filters.stores:
        one_of = Q(**{f"{home}__in": filters.stores})
        query = query.filter(one_of | Q(**{f"{home}__isnull": True}) if 0 in filters.stores else one_of)
    if filters.home_on:
        none = filters.home_on == NOT_STATED
        query = query.filter(**{f"{home}__isnull": True} if none else {f"{home}__platform": filters.home_on})
    if filters.joined and member:
        # Walking another table's order, SQLite must not be tempted to start from everybody who joined then.
        start, end = period(filters.joined) or (None, None)
        query = query.alias(day_joined=_NoIndex(f"{member}joined_at"))
        if start is not None:
            query = query.filter(day_joined__gte=clock.day_start(start, tz))
        if end is not None:
            query = query.filter(day_joined__lt=clock.day_start(end, tz))
    if filters.view == "dormant":
        query = query.filter(**{f"{score}last_paid_at__lt": now - timedelta(days=DORMANT_DAYS)})
    if filters.points_from is not None:
        query = query.filter(**{f"{wallet}balance__gte": filters.points_from})
    if filters.points_to is not None:
        query = query.filter(**{f"{wallet}balance__lte": filters.points_to})
    if filters.bought in ("ever", "never"):
        query = query.filter(**{f"{score}last_paid_at__isnull": filters.bought == "never"})
    elif filters.bought:
        wide, days_of = {"again": ("gte", 2), "year": ("gte", 1), "idle": ("lt", 1)}[filters.bought]
        query = query.filter(**{f"{score}year_order_days__{wide}": days_of})
    if filters.year_from is not None:
        query = query.filter(**{f"{score}year_net_minor__gte": filters.year_from})
    if filters.chances or filters.expects_from is not None or filters.expects_to is not None:
        expected = value.those(merchant, filters.chances, filters.expects_from, filters.expects_to)
        query = query.filter(pk__in=expected)
    if filters.of_profit:
        query = query.filter(pk__in=profit_those(merchant, filters))
    query = by_history(query, merchant, filters, now)
    if moved := flow(filters.moved):
        until = moved.until or clock.day_of(now, tz)
        behind = members_behind(merchant, "moved", **moved._asdict() | {"until": until})
        query = query.filter(pk__in=behind.values("pk"))
    if place := stand(filters.stood):
        behind = members_behind(merchant, "stood", **place._asdict())
        query = query.filter(pk__in=behind.values("pk"))
    if filters.cells:
        cells = Q()
        for r, f in filters.cells:
            cells |= Q(**{f"{score}r5": r, f"{score}f5": f})
        query = query.filter(cells)
    for tag in filters.tags:
        query = query.filter(_tagged(tag))
    return query


def _tagged(tag: str) -> RawSQL:
    """Members who carry a tag. SQLite has no JSON containment, so each database gets its own words."""
    if connection.vendor == "postgresql":
        sql = "members_member.tags @> jsonb_build_array(%s::text)"
    else:
        sql = "EXISTS (SELECT 1 FROM json_each(members_member.tags) AS t WHERE t.value = %s)"
    return RawSQL(sql, [tag], output_field=BooleanField())  # type: ignore[no-untyped-call]
