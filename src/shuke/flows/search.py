"""One search box for everything a person behind a counter may type: members and orders.

Orders are in a room above members, so only a flow can ask both.
"""

from __future__ import annotations

from shuke.members import queries as members
from shuke.members.models import Member, MemberState
from shuke.members.queries import Hit
from shuke.orders.models import Order
from shuke.shops.models import Merchant


def find(merchant: Merchant, text: str, limit: int = 20) -> list[Hit]:
    """Members by digits, name, pinyin, card or e-mail (members.queries.find), and by the number of an order of theirs.

    An order's number has to be whole; it comes first, because nobody types it by chance (`matched_by` "order").
    """
    number = text.strip()
    found = [_hit(member) for member in _buyers(merchant, number)] if 4 <= len(number) <= 60 else []
    known = {hit.member_id for hit in found}
    found += [hit for hit in members.find(merchant, text, limit) if hit.member_id not in known]
    return found[:limit]


def _buyers(merchant: Merchant, number: str) -> list[Member]:
    # Without a condition on the member, which would lead SQLite to the index by member and through all orders of the shop.
    found = Order.objects.filter(merchant=merchant, number=number).values_list("member_id", flat=True)[:20]
    ids = [member for member in found if member is not None][:5]
    return list(Member.objects.filter(merchant=merchant, id__in=ids, state=MemberState.ACTIVE).order_by("id"))


def _hit(member: Member) -> Hit:
    return Hit(member.id, member.card, member.name, member.nickname, member.phone_hint, "order")
