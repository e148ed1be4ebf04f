"""The month's limit counted anew, where two members became one, or two again: one person has it once."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F

from shuke.engine.partner_cards import judging
from shuke.engine.partner_cards import terms as agreement
from shuke.engine.partner_cards.judging import Line
from shuke.loyalty.actions.partner_cards import posting
from shuke.loyalty.actions.partner_cards.posting import Post
from shuke.loyalty.models import CardLine, CardProgramme
from shuke.loyalty.queries import partner_cards as stored
from shuke.loyalty.queries.card_state import SPENT
from shuke.members.queries.families import absorbed_by, survivors_of
from shuke.shops.models import Merchant


@transaction.atomic
def recount(*, merchant: Merchant, members: tuple[int, int], mark: str, now: datetime, actor: str) -> int:
    """Bring every month in which both had spendings to what is due for it, as the two stand now; how many points moved.

    `mark` names the merge or its undo: the same again does nothing, because a month that is right stays as it is. What the
    partner was charged moves along, into the statement that is open.
    """
    people = [*members, *absorbed_by(merchant.pk, members)]
    mine = CardLine.objects.filter(merchant=merchant, member_id__in=people, month__isnull=False)
    shared: dict[int, set[int]] = defaultdict(set)
    for programme, month, n in mine.values_list("programme", "month").annotate(n=Count("member", distinct=True)):
        if n > 1:
            shared[programme].add(month)
    moved = 0
    for one in CardProgramme.objects.select_for_update(no_key=True).filter(pk__in=list(shared)).order_by("pk"):
        one.merchant = merchant
        moved += _programme(one, people, shared[one.pk], mark, now, actor)
    return moved


def _programme(one: CardProgramme, people: list[int], months: set[int], mark: str, now: datetime, actor: str) -> int:
    merchant = one.merchant
    rows = list(
        CardLine.objects.filter(merchant=merchant, programme=one, member_id__in=people, month__in=months).order_by(
            "spent_on", "id"
        )
    )
    posted: dict[int, int] = defaultdict(int)  # of each spending, with what came back of it
    for row in rows:
        posted[row.about_id or row.pk] += row.points
    heirs = survivors_of(merchant.pk, people)
    versions = stored.terms(one)
    books: dict[tuple[int, int], list[CardLine]] = defaultdict(list)
    for row in rows:
        if row.about_id is None and row.state in SPENT and row.member_id is not None and row.month is not None:
            books[heirs.get(row.member_id, row.member_id), row.month].append(row)
    posts: list[Post] = []
    for (owner, _), spent in sorted(books.items()):
        last = spent[-1].spent_on
        terms = agreement.at(versions, last) if last else None
        moves = judging.evened(
            [(row.pk, row.full, posted[row.pk]) for row in spent], terms.month_most if terms else None
        )
        for row in spent:
            if row.pk in moves and row.spent_on is not None and row.amount_minor is not None:
                about = Line(row.pk, owner, b"", row.amount_minor, row.spent_on, row.category, row.left_minor, row.full)
                posts.append(Post(row.pk, about, moves[row.pk], "capped", f":{mark}"))
    posting.write(one, posts, versions=versions, ref="", now=now, actor=actor)
    posting.charge(one, posts, versions=versions, now=now)
    for post in posts:
        CardLine.objects.filter(merchant=merchant, pk=post.line).update(points=F("points") + post.points)
    return sum(abs(post.points) for post in posts)
