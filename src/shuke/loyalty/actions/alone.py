"""What one person does alone by hand in a shop's day counts together, and so does what one member gets: a large correction cut
into small ones is a large one (decision 0022)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import QuerySet

from shuke.kit import bulk
from shuke.kit.clock import day_of, day_start
from shuke.kit.refusal import sentence
from shuke.loyalty.models import Correction, StoredCorrection
from shuke.members.queries.families import survivors_of
from shuke.shops import queries as shops
from shuke.shops.models import Merchant

WAITS = {
    "large": ("Somebody else has to agree to more than {limit} by hand.", "手工超过 {limit} 须另一位同事同意。"),
    "person": (
        "Somebody else has to agree: with this the same person comes to {by_person} by hand alone today, above {limit}.",
        "须另一位同事同意：加上这一笔，同一人今天独自手工调整共 {by_person}，超过 {limit}。",
    ),
    "member": (
        "Somebody else has to agree: with this the member comes to {of_member} by hand today, above {limit}.",
        "须另一位同事同意：加上这一笔，该会员今天手工调整共 {of_member}，超过 {limit}。",
    ),
}
Row = TypeVar("Row", Correction, StoredCorrection)


def one_at_a_time(merchant: Merchant) -> None:
    """Of two corrections at once the second sees what the first added to the day. Taken before any wallet, until the
    transaction ends; on SQLite the transaction itself is the lock."""
    if bulk.is_postgres():
        bulk.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"by hand:{merchant.pk}"])


def with_the_day(rows: QuerySet[Any, Any], new: Row, limit: int | None) -> Row:
    """Told to what its person, and its member, come with it on this day. `rows`: those that count together with it.

    Of each member what was given less what was taken: a mistake put right counts once. Over the members what was given and
    what was taken add up: given to one it is no less for being taken from another. A program nobody answers for is no person: a
    shop's own software gives many members a little, and only what one of them gets counts together.
    """
    merchant, zone = new.merchant, new.merchant.tz
    day = day_of(new.asked_at, zone)
    since, until = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    new.person = shops.person_behind(merchant, new.asked_by)
    alone = rows.filter(merchant=merchant, state="done", decided_by="", asked_at__gte=since, asked_at__lt=until)
    told: list[tuple[str, int, int]] = list(alone.values_list("person", "member_id", "amount"))
    told.append((new.person, new.member_id, new.amount))
    homes = survivors_of(merchant.pk, {member for _, member, _ in told})
    mine, of_member, own = Counter[int](), 0, homes.get(new.member_id, new.member_id)
    for person, member, amount in told:
        home = homes.get(member, member)
        of_member += amount if home == own else 0
        if person == new.person and not person.startswith("token:"):
            mine[home] += amount
    new.limit, new.by_person, new.of_member = limit, sum(abs(n) for n in mine.values()), abs(of_member)
    return new


def why_waits(one: Correction | StoredCorrection) -> str:
    """Code of the reason: alone it is too much, or with the rest of the day; "" if one person may do it alone."""
    if one.limit is None:
        return ""
    if abs(one.amount) > one.limit:
        return "large"
    if one.by_person > one.limit:
        return "person"
    return "member" if one.of_member > one.limit else ""


def why_waits_said(one: Correction | StoredCorrection, shown: Callable[[int], str], language: str) -> str:
    """The sentence; `shown` tells amounts as they are told to people."""
    code = why_waits(one)
    figures = {"limit": one.limit or 0, "by_person": one.by_person, "of_member": one.of_member}
    return sentence(WAITS, code, {name: shown(n) for name, n in figures.items()}, language) if code else ""
