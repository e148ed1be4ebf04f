"""Points of lines into the books: one posting for each line, dated now, because the file is when the shop comes to know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from shuke.engine.charter.terms import Versions
from shuke.engine.ledger import events as ev
from shuke.engine.partner_cards import terms as agreement
from shuke.engine.partner_cards.judging import Line, month_of
from shuke.engine.partner_cards.terms import Terms
from shuke.kit import ids
from shuke.loyalty.actions.halves import remember_asked
from shuke.loyalty.actions.partner_cards.refusals import CardRefused
from shuke.loyalty.actions.posting import Batch, Request
from shuke.loyalty.actions.settling import lock_heads, refold
from shuke.loyalty.models import CardLine, CardMove, CardProgramme, PartnerCard
from shuke.loyalty.queries import charters, facts
from shuke.members.actions import Note
from shuke.members.queries.families import absorbed_by


class Post(NamedTuple):
    """Points (> 0 given, < 0 taken) because of the row `line`; `about` is the spending they are for. `kind` is that of CardMove.
    `mark` tells several of one row apart."""

    line: int
    about: Line
    points: int
    kind: str
    mark: str = ""

    @property
    def event(self) -> str:
        return f"partner{'' if self.points > 0 else '-undo'}:{self.line}{self.mark}"


def write(
    one: CardProgramme, posts: Sequence[Post], *, versions: Sequence[Terms], ref: str, now: datetime, actor: str
) -> None:
    """Post; the rows of the lines themselves, and what the partner is charged, are the caller's. `ref`: empty where the
    timeline says it already."""
    if not posts:
        return
    merchant = one.merchant
    heads = lock_heads(merchant, sorted({post.about.member for post in posts if post.about.member is not None}))
    extra: dict[int, list[ev.Event]] = defaultdict(list)
    requests: dict[str, Request] = {}
    places: dict[int, tuple[datetime, int]] = {}
    sums: dict[tuple[int, bool], int] = defaultdict(int)
    for post in posts:
        member = post.about.member
        assert member is not None
        assert post.points
        if member not in places:
            settled_to = heads[member].settled_to
            at = now if settled_to is None or settled_to < now else settled_to
            places[member] = at, facts.next_at(merchant, member, at) if settled_to == at else 0
        at, place = places[member]
        places[member] = at, place + 1
        asked: dict[str, Any] = {"amount": abs(post.points), "nth": place, "line": post.line}
        event: ev.Event
        if post.points > 0:
            terms = agreement.at(versions, post.about.day)
            funder = one.pk if terms and terms.price_micro else 0  # lots know who pays for them
            event = ev.PartnerEarned(post.event, at, post.points, place, funder)
            asked |= {"funder": funder} if funder else {}
        else:
            asked["burn"] = f"partner:{post.about.id}"
            event = ev.PartnerUndone(post.event, at, asked["burn"], -post.points, place)
        extra[member].append(event)
        answer = {"done": True, "code": "", "figures": {"amount": abs(post.points)}}
        requests[event.event] = Request(f"card:{event.event}", b"", {"request": asked, "answer": answer})
        sums[member, post.points > 0] += abs(post.points)
    batch = Batch(merchant, now=now, actor=actor)
    refold(batch, _charter(one), heads, sorted(extra), extra=extra, requests=requests)
    if ref:
        batch.notes += _notes(one, sums, ref, now)
    batch.write()
    _remember_halves(one, posts)


def _remember_halves(one: CardProgramme, posts: Sequence[Post]) -> None:
    """Whose spendings these are where two members are one: parting gives each their own."""
    halves, homes, moved = halves_of(one, [post.about for post in posts]), {}, []
    for post in posts:
        half, home = halves.get(post.about.id), post.about.member
        if half is not None and home is not None and half != home:
            homes[half] = home
            moved.append((half, f"card:{post.event}"))
    remember_asked(one.merchant, homes, moved)


def halves_of(one: CardProgramme, lines: Sequence[Line]) -> dict[int, int]:
    """The record each spending belongs to: the one it was told of before, else the one whose card paid, which may live on
    in the member who has the points."""
    found = {line.id: line.member for line in lines if line.member is not None}
    absorbed = absorbed_by(one.merchant_id, found.values())
    if not absorbed:
        return found
    rows = PartnerCard.objects.filter(merchant_id=one.merchant_id, programme=one, member_id__in=list(absorbed))
    cards = {(bytes(blind), absorbed[member]): member for blind, member in rows.values_list("blind", "member_id")}
    found |= {line.id: cards.get((line.card, found[line.id]), found[line.id]) for line in lines if line.id in found}
    told = CardLine.objects.filter(
        merchant_id=one.merchant_id, pk__in=list(found), member_id__in=[*absorbed, *absorbed.values()]
    )
    return found | dict(told.values_list("id", "member_id"))


def _charter(one: CardProgramme) -> Versions:
    try:
        return charters.versions(one.merchant)
    except charters.NoCharter as error:
        raise CardRefused("no_charter") from error


def _notes(one: CardProgramme, sums: dict[tuple[int, bool], int], ref: str, now: datetime) -> Iterable[Note]:
    for (member, given), points in sums.items():
        body = {"name": one.name, "points": points}
        if given:
            yield Note(member, now, "points.card_partner", ref, body)
        else:
            yield Note(member, now, "points.card_returned", ref, body)


def charge(one: CardProgramme, posts: Sequence[Post], *, versions: Sequence[Terms], now: datetime) -> None:
    """What of it the partner's statement is made of. The rows of the lines must be there."""
    told = [(post, agreement.at(versions, post.about.day)) for post in posts]
    CardMove.objects.bulk_create(
        CardMove(
            id=ids.new(), merchant_id=one.merchant_id, programme=one, line_id=post.line, kind=post.kind, at=now,
            month=month_of(post.about.day), points=post.points, price_micro=terms.price_micro if terms else 0,
        )
        for post, terms in told
    )  # fmt: skip


def stand(lines: Iterable[Line], points: dict[int, int], states: dict[int, str]) -> None:
    """Bring the rows of spendings to what they have become."""
    wanted = {line.id: line for line in lines}
    if not wanted:
        return
    rows = list(CardLine.objects.filter(pk__in=list(wanted)).select_related("programme"))
    halves = halves_of(rows[0].programme, list(wanted.values())) if rows else {}
    for row in rows:
        line = wanted[row.pk]
        row.left_minor, row.full = line.left, line.full
        row.points += points.get(row.pk, 0)
        if row.member_id is None:  # whoever it was told of keeps it: a merge can be taken back
            row.member_id = halves.get(row.pk, line.member)
        if row.pk in states:
            row.state, row.code = states[row.pk], ""
    CardLine.objects.bulk_update(rows, ["left_minor", "full", "points", "member", "state", "code"], batch_size=500)
