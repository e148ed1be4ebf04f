"""A member's stored books as the engine's values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from shuke.engine.charter.standing import Standing
from shuke.engine.charter.terms import Versions
from shuke.engine.ledger.books import FAR, LONG_AGO, Books, Held, Lot
from shuke.kit import bulk
from shuke.shops.models import Merchant


class Head(NamedTuple):
    """The wallet row as the books start from it."""

    member_id: int
    balance: int
    held: int
    debt: int
    seq: int
    tier: str
    next_expiry_at: datetime | None
    settled_to: datetime | None
    next_review_at: datetime | None  # the earliest of review, end of a floor, time-out of a hold
    standing_text: str  # "": nothing was ever settled
    joined_at: datetime
    birthdays: tuple[tuple[datetime | None, tuple[int, int, bool]], ...]  # as the books know them
    birthday: tuple[int, int, bool] | None  # as the profile says now: month, day, lunar
    is_frozen: bool = False  # nothing can be spent or set aside
    heir: int | None = None  # the member this one was merged into

    @property
    def is_settled(self) -> bool:
        return bool(self.standing_text)

    @property
    def standing(self) -> Standing:
        return Standing.from_json(json.loads(self.standing_text))

    @property
    def has_new_birthday(self) -> bool:
        return self.birthday is not None and (not self.birthdays or self.birthdays[-1][1] != self.birthday)

    def told_birthday(self, now: datetime) -> Head:
        """The first birthday we hear of holds for all of history, a corrected one from now on."""
        if self.birthday is None or not self.has_new_birthday:
            return self
        since = now if self.birthdays else None
        return self._replace(birthdays=(*self.birthdays, (since, self.birthday)))


# The + before merchant_id keeps SQLite from reading every wallet of the merchant where it knows the row's key.
_HEAD = """
SELECT w.member_id, w.balance, w.held, w.debt, w.seq, w.tier, w.next_expiry_at, w.settled_to,
       w.next_review_at, w.standing, w.birthdays,
       m.joined_at, m.birth_month, m.birth_day, m.birth_lunar, m.frozen_at, m.merged_into_id
FROM loyalty_wallet w JOIN members_member m ON m.id = w.member_id
WHERE +w.merchant_id = %s AND {where} ORDER BY w.member_id
"""


def heads(merchant: Merchant, member_ids: Iterable[int], *, lock: bool = False) -> dict[int, Head]:
    """Wallets by member. `lock` takes the row locks, in the one order everybody takes them (PostgreSQL; on SQLite the
    transaction itself is the lock)."""
    return read_heads(bulk.select(*heads_query(merchant, member_ids, lock=lock)))


def heads_query(merchant: Merchant, member_ids: Iterable[int], *, lock: bool) -> tuple[str, list]:
    where, values = bulk.among("w.member_id", member_ids)
    sql = _HEAD.format(where=where) + (" FOR NO KEY UPDATE OF w" if lock and bulk.is_postgres() else "")
    return sql, [merchant.pk, values]


def read_heads(rows: Iterable[tuple]) -> dict[int, Head]:
    found = {}
    for row in rows:
        member, balance, held, debt, seq, tier, expiry, settled, review, standing, days, *person = row
        joined, month, day, lunar, frozen, heir = person
        joined_at = bulk.read_moment(joined)
        assert joined_at is not None
        found[member] = Head(
            member,
            balance,
            held,
            debt,
            seq,
            tier,
            bulk.read_moment(expiry),
            bulk.read_moment(settled),
            bulk.read_moment(review),
            "" if standing == "{}" else standing,
            joined_at,
            tuple(
                (None if since is None else datetime.fromisoformat(since), (m, d, by_moon))
                for since, m, d, by_moon in json.loads(days)
            )
            if days != "[]"
            else (),
            (month, day, bool(lunar)) if month and day else None,
            frozen is not None,
            heir,
        )
    return found


class StoredBooks(Books):
    """Books whose standing is read when the fold first asks for it: a credit of points never does."""

    __slots__ = ("_head", "_read")

    def __init__(self, head: Head, *, complete: bool, quiet_until: datetime) -> None:
        self._head = head
        self._read: Standing | None = None
        self.lots, self.holds = {}, {}
        self.debt, self.complete = head.debt, complete
        self.next_expiry = head.next_expiry_at or FAR
        self.quiet_until = quiet_until
        self.reached = head.settled_to or LONG_AGO

    @property
    def standing(self) -> Standing:  # type: ignore[override]
        if self._read is None:
            self._read = self._head.standing
        return self._read

    @property
    def has_read_standing(self) -> bool:
        return self._read is not None


class Stored(NamedTuple):
    """Books as the engine takes them, and what the database knows of their lots: id and figures by lot key."""

    books: Books
    lot_rows: dict[str, tuple[int, tuple]]


def figures_of(lot: Lot) -> tuple:
    """What of a lot can change."""
    return lot.granted, lot.remaining, lot.held, lot.earned_at, lot.available_at, lot.expires_at


def open_books(
    merchant: Merchant, versions: Versions, heads_: Iterable[Head], *, with_lots: set[int]
) -> dict[int, Stored]:
    """Books of members that have been settled before. Lots only where something can touch old ones."""
    found: dict[int, Stored] = {}
    for head in heads_:
        assert head.is_settled
        dues = (head.next_expiry_at, head.next_review_at, versions.next_after(head.settled_to or LONG_AGO))
        books = StoredBooks(
            head,
            complete=head.member_id in with_lots,
            quiet_until=min((due for due in dues if due is not None), default=FAR),
        )
        found[head.member_id] = Stored(books, {})
    if with_lots:
        for member, pk, lot in lots(merchant, with_lots, only_open=True):
            found[member].books.lots[lot.key] = lot
            found[member].lot_rows[lot.key] = (pk, figures_of(lot))
        for member, held in holds(merchant, with_lots):
            found[member].books.holds[held.key] = held
    return found


def lots(merchant: Merchant, member_ids: Iterable[int], *, only_open: bool) -> list[tuple[int, int, Lot]]:
    """(member, lot id, lot) of some members, in no order."""
    where, values = bulk.among("member_id", member_ids)
    rows = bulk.select(
        "SELECT member_id, id, key, granted, remaining, earned_at, available_at, expires_at, cost_micro, held FROM loyalty_lot "
        f"WHERE merchant_id = %s AND {where}" + (" AND remaining > 0" if only_open else ""),
        [merchant.pk, values],
    )
    found = []
    for member, pk, key, granted, remaining, earned, available, expires, cost, held in rows:
        earned_at, available_at = bulk.read_moment(earned), bulk.read_moment(available)
        assert earned_at is not None
        assert available_at is not None
        found.append(
            (member, pk, Lot(key, granted, remaining, earned_at, available_at, bulk.read_moment(expires), cost, held))
        )
    return found


def lot_figures(merchant: Merchant, member_ids: Iterable[int]) -> Iterator[tuple[int, str, tuple]]:
    """(member, key, what `figures_of` tells) of all lots of some members."""
    where, values = bulk.among("member_id", member_ids)
    for member, key, *figures in bulk.select(
        "SELECT member_id, key, granted, remaining, held, earned_at, available_at, expires_at FROM loyalty_lot "
        f"WHERE merchant_id = %s AND {where}",
        [merchant.pk, values],
    ):
        yield member, key, tuple(figures)


def holds(merchant: Merchant, member_ids: Iterable[int]) -> list[tuple[int, Held]]:
    where, values = bulk.among("member_id", member_ids)
    rows = bulk.select(
        f"SELECT member_id, key, lots, times_out_at FROM loyalty_hold WHERE merchant_id = %s AND state = 'open' AND {where}",
        [merchant.pk, values],
    )
    found = []
    for member, key, told, until in rows:
        parts = json.loads(told) if isinstance(told, str) else told
        moment = bulk.read_moment(until)
        assert moment is not None
        found.append((member, Held(key, [(k, n) for k, n in parts], moment)))
    return found
