"""What rows of a spend file are judged by, read from the database as far as those rows need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import blake2b

from django.db.models import Q, Sum

from shuke.connect.importers.partner_card import Odd, Spent
from shuke.engine.partner_cards import judging
from shuke.engine.partner_cards.judging import Card, Line, Month, Spending, State, Verdict
from shuke.kit import ids
from shuke.loyalty.models import CardLine, CardProgramme, PartnerCard
from shuke.loyalty.queries import partner_cards as stored
from shuke.members.queries.families import absorbed_by, survivors_of

SPENT = ["earned", "nothing", "unmatched"]


class Reader:
    """A `State` and what of the database is in it already: a preview reads on while the state has moved beyond it."""

    def __init__(self, programme: CardProgramme, today: date, equal: Counter[bytes] | None = None) -> None:
        self.programme, self.merchant_id = programme, programme.merchant_id
        self.state = State(stored.terms(programme), programme.ends_on, today)
        self.by_id: dict[int, Line] = {}
        self._equal: Counter[bytes] = Counter() if equal is None else equal
        self._read: set[bytes] = set()
        self._months_of: set[int] = set()

    # ---- rows as the engine sees them -----------------------------------------------------------------------------

    def spending(self, row: Spent) -> Spending:
        """The row with its keys. Without references equal rows are counted over the whole file: two coffees of one price on
        one day are two."""
        card = stored.blind_of(self.programme, row.token)
        what = "back" if row.gives_back else "spent"
        plain = [card.hex(), row.spent_on.isoformat(), str(row.amount_minor)]
        if not row.reference:
            key = self._key(what, *plain)
            self._equal[key] += 1
            key = self._key(what, *plain, str(self._equal[key]))
        elif row.gives_back:  # one spending can come back in parts, under its own reference
            key = self._key(what, row.reference, row.original, *plain)
        else:
            key = self._key(what, row.reference)
        original = self._key("spent", row.original) if row.gives_back and row.original else None
        perhaps = self._key("spent", row.reference) if row.gives_back and row.reference else None
        return Spending(
            row.row, key, card, row.amount_minor, row.spent_on, row.category, row.gives_back, original, perhaps
        )

    def _key(self, *parts: str) -> bytes:
        return blake2b("\x1f".join([str(self.programme.pk), *parts]).encode(), digest_size=16).digest()

    # ---- reading --------------------------------------------------------------------------------------------------

    def read(self, rows: Sequence[Spending]) -> State:
        """Make the state fit to judge these rows."""
        self.read_cards({row.card for row in rows})
        backs = [row for row in rows if row.gives_back]
        keys = {row.key for row in rows} | {k for row in backs for k in (row.original, row.perhaps) if k is not None}
        self._read_lines(Q(key__in=self._fresh(keys)) & Q(state__in=[*SPENT, "reversed"]))
        blind = self._fresh({b"card" + row.card for row in backs if row.original is None})
        if blind:
            self._read_lines(Q(card__in=[card[4:] for card in blind]) & Q(state__in=SPENT, left_minor__gt=0))
        self.read_months()
        return self.state

    def _fresh(self, keys: set[bytes]) -> list[bytes]:
        new = sorted(keys - self._read)
        self._read.update(new)
        return new

    def read_cards(self, blinds: set[bytes]) -> None:
        new = [blind for blind in sorted(blinds) if blind not in self.state.cards]
        self.state.cards.update({blind: [] for blind in new})
        rows = PartnerCard.objects.filter(merchant_id=self.merchant_id, programme=self.programme, blind__in=new)
        told = list(rows.order_by("id").values_list("blind", "member_id", "since", "ended_on"))
        heirs = survivors_of(self.merchant_id, {member for _, member, _, _ in told})
        for blind, member, since, ended in told:
            self.state.cards[bytes(blind)].append(Card(heirs.get(member, member), since, ended))

    def read_lines(self, ids: Iterable[int]) -> None:
        """Spendings by their ids, with the months they are in."""
        self._read_lines(Q(pk__in=list(ids)))
        self.read_months()

    def _read_lines(self, which: Q) -> None:
        rows = CardLine.objects.filter(which, merchant_id=self.merchant_id, programme=self.programme)
        told = list(
            rows.order_by("id").values_list(
                "id", "key", "state", "card", "member_id", "amount_minor", "left_minor", "spent_on", "category", "full"
            )
        )
        heirs = survivors_of(self.merchant_id, {row[4] for row in told if row[4] is not None})
        for pk, key, state, card, member, amount, left, day, category, full in told:
            if state == "reversed":
                self.state.seen.add(bytes(key or b""))
                continue
            if pk in self.by_id or key is None or card is None or amount is None or day is None:
                continue
            line = Line(pk, heirs.get(member, member), bytes(card), amount, day, category, left, full)
            self.by_id[pk] = self.state.lines[bytes(key)] = line
            self.state.of_card.setdefault(line.card, []).append(line)

    def read_months(self) -> None:
        """The months of all these lines and of whoever has one of these cards, with what was given in them."""
        members = {line.member for line in self.by_id.values() if line.member is not None}
        members |= {card.member for cards in self.state.cards.values() for card in cards}
        new = members - self._months_of
        if not new:
            return
        self._months_of |= new
        heirs = absorbed_by(self.merchant_id, new)
        rows = CardLine.objects.filter(
            merchant_id=self.merchant_id, programme=self.programme, member_id__in=[*new, *heirs], month__isnull=False
        )
        for member, month, full, points in rows.values_list("member_id", "month").annotate(
            f=Sum("full"), p=Sum("points")
        ):
            kept = self.state.months.setdefault((heirs.get(member, member), month), Month())
            kept.full += full
            kept.posted += points


def judged(reader: Reader, rows: Sequence[tuple[Spent | Odd, Spending | None]]) -> list[Verdict]:
    """What each row comes to, in their order, on what is stored and what the rows before have changed."""
    state = reader.read([spending for _, spending in rows if spending is not None])
    return [
        Verdict("rejected", row.code, row.value) if isinstance(row, Odd)
        else judging.judge(state, spending, ids.new) if spending is not None
        else Verdict("same")
        for row, spending in rows
    ]  # fmt: skip
