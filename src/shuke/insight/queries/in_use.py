"""Words members carry, for the choices of filters."""

from __future__ import annotations

from shuke.members.models import Member, MemberState
from shuke.shops.models import Merchant


def tags_in_use(merchant: Merchant) -> list[str]:
    """All tags any member carries, for the filter's choices. Walks the tagged members: doors keep it for a while."""
    used: set[str] = set()
    tagged = Member.objects.filter(merchant=merchant, state=MemberState.ACTIVE).exclude(tags=[])
    for tags in tagged.values_list("tags", flat=True).iterator():
        used.update(tags)
    return sorted(used)


def sources_in_use(merchant: Merchant) -> list[str]:
    """All ways members came by, for the filter's choices. Doors keep it for a while."""
    found = Member.objects.filter(merchant=merchant).exclude(acquired_by="").values_list("acquired_by", flat=True)
    return sorted(set(found.order_by().distinct()))
