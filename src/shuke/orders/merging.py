"""What an order is, given everything that was ever stated about it. Pure: statements in, one row's values out.

Each field remembers the moment of the statement it comes from, and the later statement wins; where two were made at the
same moment, the larger value wins, so that nothing depends on which came in first. Status knows no moment: it is ranked
and only climbs. A field nobody has stated is filled from others when the row is drawn up (`drawn`), never remembered as
stated. Taking in is therefore commutative, associative and idempotent (docs/algorithms/orders.md).
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from shuke.engine.facts import Line, Order, OrderStatus

FIELDS = (
    "status",
    "created_at",
    "paid_at",
    "shipped_at",
    "finished_at",
    "closed_at",
    "close_reason",
    "currency",
    "goods_minor",
    "discount_minor",
    "freight_minor",
    "paid_minor",
    "stated_refund_minor",
    "sold_at_id",
    "channel",
    "staff_code",
    "buyer_note",
    "seller_note",
    "excluded",
    "member_id",
    "lines",
    "tax_minor",
    "tenders",
    "stated_refund_at",
)
STATUS, LINES = 0, FIELDS.index("lines")
WAS_PAID = 1 << 21  # some statement showed the order in a paid state
# A field's bit stays its own for ever: it lies in the table. Fields that came later stand above WAS_PAID.
BITS = tuple(1 << (index if index <= LINES else index + 1) for index in range(len(FIELDS)))
LONG_AGO = datetime.min.replace(tzinfo=UTC)  # the moment of a statement that does not tell when it was made

_PAID_STATES = frozenset(
    {
        OrderStatus.PAID,
        OrderStatus.PART_SHIPPED,
        OrderStatus.SHIPPED,
        OrderStatus.RECEIVED,
        OrderStatus.FINISHED,
        OrderStatus.CLOSED_REFUNDED,
    }
)


class Sums(NamedTuple):
    """What the lines add up to."""

    pieces_milli: int = 0
    count: int = 0  # type: ignore[assignment] # a tuple's own count() is not missed here
    minor: int = 0


class Known:
    """Everything stated about one order so far."""

    __slots__ = ("at", "line_facts", "older", "sums", "values", "was_paid")

    def __init__(
        self,
        values: list[Any],
        at: datetime,
        was_paid: bool,
        sums: Sums,
        older: dict[int, datetime] | None = None,
        line_facts: tuple[Line, ...] | None = None,
    ) -> None:
        self.values = values  # in the order of FIELDS; None: not stated. Of lines: (how many, digest)
        self.at = at  # of the latest statement
        self.was_paid = was_paid
        self.sums = sums
        self.older = older or {}  # moment of the fields that come from an earlier statement
        self.line_facts = line_facts  # None: none stated, or they are in the database already

    def said(self) -> int:
        """One bit per stated field, and WAS_PAID."""
        bits = WAS_PAID if self.was_paid else 0
        for bit, value in zip(BITS, self.values, strict=True):
            if value is not None:
                bits |= bit
        return bits


def digest_of(order: Order) -> tuple[bytes, bytes | None]:
    """Digest of the whole statement (without the person, whom members keep) and of its lines alone."""
    lines = None
    if order.lines is not None:
        lines = blake2b(repr(order.lines).encode(), digest_size=16).digest()
    # What came later and is not said leaves the fingerprint as it lies in the tables.
    rest = order[18:] if order.refunded_at else order[18:-1]
    head = repr((tuple(order[:16]), lines, rest)).encode()
    return blake2b(head, digest_size=16).digest(), lines


assert (*Order._fields[16:18], Order._fields[-1]) == ("lines", "person", "refunded_at"), "digest_of goes by position"


def stated(order: Order, lines_digest: bytes | None, sold_at_id: int | None, member_id: int | None) -> Known:
    """One statement as knowledge. "" in channel, staff_code, store and excluded means: not said."""
    status = order.status
    lines = order.lines
    sums = Sums()
    mark = None
    if lines is not None:
        pieces = minor = 0
        for line in lines:
            pieces += line[1]
            minor += line[2]
        sums = Sums(pieces, len(lines), minor)
        mark = (len(lines), lines_digest)
    values = [
        None if status is None else int(status),
        order.created_at,
        order.paid_at,
        order.shipped_at,
        order.finished_at,
        order.closed_at,
        None if order.close_reason is None else order.close_reason[:100],
        order.currency[:3],
        order.goods_minor,
        order.discount_minor,
        order.freight_minor,
        order.paid_minor,
        order.refunded_minor,
        sold_at_id,
        order.channel[:30] or None,
        order.staff_code[:40] or None,
        order.buyer_note,
        order.seller_note,
        order.excluded[:40] or None,
        member_id,
        mark,
        order.tax_minor,
        order.tenders or None,
        order.refunded_at,
    ]
    was_paid = order.paid_at is not None or status in _PAID_STATES
    return Known(values, order.stated_at or LONG_AGO, was_paid, sums, None, lines)


assert Line._fields[1:3] == ("quantity_milli", "amount_minor"), "stated() adds up lines by position"


def merged(one: Known, other: Known) -> Known:
    """Both together: the same whichever is named first."""
    at = max(one.at, other.at)
    values: list[Any] = []
    older: dict[int, datetime] = {}
    keep_lines_of = one
    for index, (mine, theirs) in enumerate(zip(one.values, other.values, strict=True)):
        if index == STATUS:
            values.append(max((v for v in (mine, theirs) if v is not None), default=None))
            continue
        take_theirs = mine is None
        if mine is not None and theirs is not None:
            my_moment = one.older.get(index, one.at)
            their_moment = other.older.get(index, other.at)
            take_theirs = (their_moment, theirs) > (my_moment, mine)
        source = other if take_theirs else one
        value = theirs if take_theirs else mine
        values.append(value)
        if index == LINES:
            keep_lines_of = source
        if value is not None and (moment := source.older.get(index, source.at)) != at:
            older[index] = moment
    facts = keep_lines_of.line_facts
    if facts is not None and one.values[LINES] == other.values[LINES] and None in (one.line_facts, other.line_facts):
        facts = None  # the database has these very lines
    return Known(values, at, one.was_paid or other.was_paid, keep_lines_of.sums, older, facts)


class Drawn(NamedTuple):
    """The row's values that follow from what is known and from refund documents."""

    status: int
    paid_at: datetime | None
    goods_minor: int
    paid_minor: int
    refunded_minor: int
    refunded_at: datetime | None
    net_minor: int
    oddities: tuple[str, ...]


def drawn(known: Known, documents_minor: int = 0, documents_at: datetime | None = None) -> Drawn:
    """Status, money and moments as the shop means them. `documents_*`: finished refund documents, sum and last moment."""
    (raw, created, paid_at, shipped, finished, closed, _, _, goods, _, freight, paid, stated_refund, *rest) = (
        known.values
    )
    excluded, stated_refund_at = rest[5], rest[-1]
    lines_minor = known.sums.minor
    status = raw
    if status is None:
        status = _guessed_status(known)
    elif status == OrderStatus.CLOSED_UNPAID and known.was_paid:
        status = OrderStatus.CLOSED_REFUNDED  # closed after payment: a purchase and its full refund
    bought = status not in (OrderStatus.UNPAID, OrderStatus.CLOSED_UNPAID)
    if goods is None:
        goods = lines_minor
    if paid is None:
        paid = lines_minor + (freight or 0) if bought else 0
    if bought and paid_at is None:
        paid_at = created or shipped or finished or closed
    refunded = max(stated_refund or 0, documents_minor)
    oddities = _oddities(known, goods, paid, freight or 0, stated_refund or 0, paid_at, bought)
    if status == OrderStatus.CLOSED_REFUNDED:
        refunded = max(refunded, paid)
    if not bought:
        refunded = 0 if documents_minor == 0 and (stated_refund or 0) <= 0 else refunded
    refunded_at = None
    if refunded > 0:
        # Documents know their own day; of what was refunded beyond them the order itself may tell.
        told = [at for at in (documents_at, stated_refund_at if refunded > documents_minor else None) if at]
        refunded_at = max(told, default=closed or finished or paid_at or created)
    counts = bought and not excluded and status != OrderStatus.CLOSED_REFUNDED
    net = max(0, paid - (freight or 0) - max(0, refunded)) if counts else 0
    return Drawn(int(status), paid_at, goods, paid, max(0, refunded), refunded_at, net, oddities)


def _guessed_status(known: Known) -> int:
    """For files without a status column: as far as the moments tell."""
    _, _, paid_at, shipped, finished, closed, *_ = known.values
    paid = known.values[11]
    if closed is not None:
        return OrderStatus.CLOSED_REFUNDED if known.was_paid else OrderStatus.CLOSED_UNPAID
    if finished is not None:
        return OrderStatus.FINISHED
    if shipped is not None:
        return OrderStatus.SHIPPED
    if paid_at is not None or (known.sums.minor if paid is None else paid) > 0:
        return OrderStatus.PAID
    return OrderStatus.UNPAID


def _oddities(
    known: Known, goods: int, paid: int, freight: int, refunded: int, paid_at: datetime | None, bought: bool
) -> tuple[str, ...]:
    """What a person should look at: codes of connect/importers/problems.py. Odd orders come in all the same."""
    odd = []
    if min(goods, paid, freight, known.sums.minor) < 0:
        odd.append("negative_amount")
    if (known.values[12] or 0) < 0:
        odd.append("negative_refund")
    if refunded > max(paid, 0):
        odd.append("refund_over_paid")
    if bought and freight > max(paid, 0):
        odd.append("freight_over_paid")
    if bought and paid_at is None:
        odd.append("no_order_time")
    return tuple(odd)
