"""Taking a spend file back: what it gave goes, what it took comes again; afterwards it can be taken anew."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shuke.engine.partner_cards import judging
from shuke.loyalty.actions.partner_cards import posting
from shuke.loyalty.actions.partner_cards.posting import Post
from shuke.loyalty.actions.partner_cards.programmes import note
from shuke.loyalty.actions.partner_cards.refusals import CardRefused
from shuke.loyalty.models import CardFile, CardLine, CardProgramme
from shuke.loyalty.models.partner_card import LIVE
from shuke.loyalty.queries.card_state import Reader
from shuke.shops.models import Merchant


@transaction.atomic
def undo_file(*, merchant: Merchant, file_id: int, now: datetime, actor: str) -> int:
    """Take a file back. Returns how many lines. Raises CardRefused, also where a later file gives back spending of this one."""
    found = CardFile.objects.filter(merchant=merchant, pk=file_id).first()
    if found is None:
        raise CardRefused("no_such_file", number=file_id)
    one = CardProgramme.objects.select_for_update(no_key=True).get(pk=found.programme_id)
    one.merchant = merchant
    found = CardFile.objects.select_for_update(no_key=True).get(pk=found.pk)
    if found.state == "undone":
        raise CardRefused("undone_already")
    if found.state == "waiting":
        raise CardRefused("not_taken")
    mine = list(CardLine.objects.filter(merchant=merchant, file=found, state__in=LIVE).order_by("row"))
    spent = {line.pk for line in mine if line.state != "reversed"}
    back = [line for line in mine if line.state == "reversed"]
    later = CardLine.objects.filter(merchant=merchant, about__file=found, state="reversed").exclude(file=found)
    if numbers := sorted(set(later.values_list("file_id", flat=True)[:2000])):
        raise CardRefused("reversed_by", files=", ".join(str(number) for number in numbers[:5]))
    reader = Reader(one, now.astimezone(merchant.tz).date())
    reader.read_lines(spent | {line.about_id for line in back if line.about_id is not None})
    state, lines = reader.state, reader.by_id
    posts: list[Post] = []
    points: dict[int, int] = {}
    for row in back:
        assert row.about_id is not None
        assert row.amount_minor is not None
        if row.about_id in spent:  # goes with its spending
            continue
        given = judging.restore(state, lines[row.about_id], row.amount_minor)
        if given:
            points[row.pk] = given
            posts.append(Post(row.pk, lines[row.about_id], given, "restored"))
    for pk in sorted(spent):
        taken = judging.reduce(state, lines[pk], lines[pk].left)
        if taken:
            points[pk] = -taken
            posts.append(Post(pk, lines[pk], -taken, "undone"))
    posting.write(one, posts, versions=state.terms, ref=f"card-file:{found.pk}", now=now, actor=actor)
    posting.charge(one, posts, versions=state.terms, now=now)
    posting.stand(lines.values(), {pk: n for pk, n in points.items() if pk in spent}, dict.fromkeys(spent, "undone"))
    for row in back:
        row.points += points.get(row.pk, 0)
        row.state = "undone"
    CardLine.objects.bulk_update(back, ["points", "state"], batch_size=500)
    CardLine.objects.filter(merchant=merchant, file=found, state="same").update(state="undone")
    CardFile.objects.filter(pk=found.pk).update(state="undone", undone_at=now, undone_by=actor)
    note(merchant, "card.file.undone", f"file {found.pk}", now, actor)
    return len(mine)
