"""A visitor joins from the page of a member's link. No account is needed, so nothing may be learnt here about anybody."""

from __future__ import annotations

import re
from datetime import datetime

from shuke.flows.join import Said, holders_of, join
from shuke.loyalty.models import ReferralCode
from shuke.members import values
from shuke.members.models import Member
from shuke.shops.models import Merchant

_MOBILE = re.compile(r"\+861[3-9][0-9]{9}|\+(?!86)[1-9][0-9]{6,14}")


class BadVisitor(ValueError):
    """What was filled in cannot be a person's; `field` says what: name | phone."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


def join_by_link(
    *, merchant: Merchant, code: ReferralCode, name: str, phone: str, device: bytes, now: datetime
) -> Member | None:
    """The new member, bound to whoever's link it is; None where the phone is known already, of which the page says nothing.

    Raises BadVisitor.
    """
    name, number = name.strip(), values.typed_number(phone)
    if not 1 <= len(name) <= 40 or values.is_masked(name) or any(c.isdigit() for c in name):
        raise BadVisitor("name")
    if not _MOBILE.fullmatch(number):
        raise BadVisitor("phone")
    if holders_of(merchant, number):
        return None
    said = Said({"name": name, "acquired_by": "referral"}, phones=[number], code=code, device=device)
    return join(merchant=merchant, said=said, source="link", now=now, actor="link").member
