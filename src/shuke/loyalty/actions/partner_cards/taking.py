"""Taking a spend file in: each row judged once, under the programme's lock, some hundred in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from shuke.connect.importers.partner_card import Odd, Spent, hidden
from shuke.engine.partner_cards.judging import Line, Spending, Verdict, month_of
from shuke.kit import ids
from shuke.loyalty.actions.partner_cards import posting
from shuke.loyalty.actions.partner_cards.posting import Post
from shuke.loyalty.actions.partner_cards.programmes import note, programme_of
from shuke.loyalty.actions.partner_cards.refusals import CardRefused
from shuke.loyalty.models import CardFile, CardLine, CardProgramme
from shuke.loyalty.queries import charters
from shuke.loyalty.queries import partner_cards as stored
from shuke.loyalty.queries.card_state import Reader, judged
from shuke.shops.models import Merchant

NEW = ("earned", "nothing", "unmatched")


def begin_file(
    *,
    merchant: Merchant,
    programme: str,
    name: str,
    digest: bytes,
    header: Sequence[str],
    columns: Mapping[str, int],
    kept: str = "",
    state: str = "running",
    now: datetime,
    actor: str,
) -> CardFile:
    """The row of a file, or the one its bytes have already; a waiting one goes on where `state` is running. Raises
    CardRefused."""
    one = programme_of(merchant, programme)
    if not charters.history(merchant):
        raise CardRefused("no_charter")
    same = CardFile.objects.filter(merchant=merchant, programme=one, digest=digest).exclude(state="undone")
    same = same.select_related("merchant", "programme")
    if (again := same.first()) is not None:
        if again.state == "waiting" and state == "running":
            again.state = "running"
            again.save(update_fields=["state"])
        return again
    veiled = [hidden(text, lambda digits: stored.veil_of(merchant, digits)) for text in (name, *header)]
    try:
        with transaction.atomic():
            return CardFile.objects.create(
                merchant=merchant, programme=one, name=veiled[0][:200], digest=digest, header=veiled[1:], kept=kept,
                columns=dict(columns), state=state, taken_at=now, taken_by=actor,
            )  # fmt: skip
    except IntegrityError:  # somebody else began it in this moment
        return same.get()


def discard_file(*, merchant: Merchant, file_id: int) -> CardFile:
    """Forget a file that was looked at and not taken. Raises CardRefused."""
    found = stored.file(merchant, file_id)
    if found is None:
        raise CardRefused("no_such_file", number=file_id)
    gone, _ = CardFile.objects.filter(merchant=merchant, pk=file_id, state="waiting").delete()
    if not gone:
        raise CardRefused("taken_already")
    return found


@transaction.atomic
def take_rows(*, file: CardFile, rows: Sequence[Spent | Odd], equal: Counter[bytes], now: datetime, actor: str) -> None:
    """Some rows of a file: matched, earned, taken back, put aside or rejected, once. `equal` counts rows that are alike over
    the whole file."""
    merchant = file.merchant
    # Two files at once would both find a spending new.
    one = CardProgramme.objects.select_for_update(no_key=True).get(pk=file.programme_id)
    one.merchant = merchant
    reader = Reader(one, now.astimezone(merchant.tz).date(), equal)
    told = [(row, reader.spending(row) if isinstance(row, Spent) else None) for row in rows]
    if CardFile.objects.get(pk=file.pk).state != "running":
        return
    mine = CardLine.objects.filter(merchant=merchant, file=file, row__in=[row.row for row in rows])
    done = set(mine.values_list("row", flat=True))
    fresh = [(row, spending) for row, spending in told if row.row not in done]
    verdicts = judged(reader, fresh)
    made = [_line(file, one, row, spending, verdict) for (row, spending), verdict in zip(fresh, verdicts, strict=True)]
    of = {line.about_id for line in made if line.about_id is not None}
    told_of = dict(CardLine.objects.filter(merchant=merchant, pk__in=of).values_list("pk", "member_id")) if of else {}
    told_of |= posting.halves_of(one, [v.line for v in verdicts if v.line is not None and v.line.id not in told_of])
    for line in made:  # of the record it was told of, also what comes back: a merge can be taken back
        line.member_id = told_of.get(line.about_id or line.pk, line.member_id)
    CardLine.objects.bulk_create(made, batch_size=500)
    posts = [
        Post(line.pk, verdict.line, verdict.points, "given" if verdict.points > 0 else "reversed")
        for line, verdict in zip(made, verdicts, strict=True)
        if verdict.line is not None and verdict.points
    ]
    versions = reader.state.terms
    posting.write(one, posts, versions=versions, ref=f"card-file:{file.pk}", now=now, actor=actor)
    posting.charge(one, posts, versions=versions, now=now)
    here = {line.pk for line in made}
    posting.stand(_changed(verdicts, here), {}, {})


def _changed(verdicts: Sequence[Verdict], here: set[int]) -> list[Line]:
    """Spendings of before of which something came back."""
    found = {v.line.id: v.line for v in verdicts if v.state == "reversed" and v.line is not None}
    return [line for pk, line in found.items() if pk not in here]


def _line(
    file: CardFile, one: CardProgramme, row: Spent | Odd, spending: Spending | None, verdict: Verdict
) -> CardLine:
    line = CardLine(
        id=verdict.line.id if verdict.line is not None and verdict.state in NEW else ids.new(),
        merchant_id=one.merchant_id, programme=one, file=file, row=row.row, state=verdict.state, code=verdict.code,
        value=verdict.value,
    )  # fmt: skip
    if verdict.state == "rejected":
        line.raw = list(row.raw)
    if not isinstance(row, Spent) or spending is None:
        return line
    line.key, line.card, line.shown = spending.key, spending.card, row.token[-4:]
    line.amount_minor, line.spent_on, line.category = row.amount_minor, row.spent_on, row.category
    if verdict.line is not None and verdict.state in (*NEW, "reversed"):
        about = verdict.line
        line.member_id = about.member
        line.month = month_of(about.day)
        line.points = verdict.points
        if verdict.state == "reversed":
            line.about_id = about.id
        else:
            line.left_minor, line.full = about.left, about.full
    return line


def end_file(*, file: CardFile, now: datetime, actor: str) -> None:
    """All rows were taken."""
    count = CardLine.objects.filter(merchant_id=file.merchant_id, file=file).count()
    ended = CardFile.objects.filter(merchant_id=file.merchant_id, pk=file.pk, state="running")
    if ended.update(state="done", rows=count, kept="", taken_at=now, taken_by=actor):
        note(file.merchant, "card.file.taken", f"file {file.pk}", now, actor)
