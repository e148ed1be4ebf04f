"""What the desks of a replayed list share: the merchant, and how the list calls members, coupons, baskets and bonds."""

from __future__ import annotations

from datetime import datetime

from shuke.engine.replay.outcome import Names, own_name
from shuke.loyalty.models import Coupon
from shuke.members.models import Member
from shuke.shops.models import Merchant

ACTOR = "replay"


class Shop:
    def __init__(self, merchant: Merchant, taken: set[str]) -> None:
        self.merchant = merchant
        self.members: dict[str, Member] = {}
        self.names = Names()
        self.coupons: dict[str, int] = {}  # name → row
        self.bearers: dict[int, str] = {}  # row → code of the list, of coupons that nobody has claimed
        self._taken = taken
        self._seen = 0

    def member(self, name: str) -> int:
        return self.members[name].pk

    def name_of(self, pk: int) -> str:
        return next(name for name, member in self.members.items() if member.pk == pk)

    def fresh_coupons(self, named: str = "", copies: int = 1) -> list[str]:
        """Coupons made since the last call, in the order in which they were; how the list calls them."""
        rows = Coupon.objects.filter(merchant=self.merchant, pk__gt=self._seen).order_by("pk")
        found = []
        for n, (pk, source) in enumerate(rows.values_list("pk", "source"), 1):
            if named and n <= copies:
                name = named if copies == 1 else f"{named}-{n}"
                self._taken.add(name)
            else:
                name = own_name(source, self._taken)
            self.coupons[name] = self._seen = pk
            found.append(name)
        return found

    def claimed_coupon(self, pk: int, named: str) -> str:
        """A coupon that was there before it was a member's."""
        if pk not in self.coupons.values():
            del self.bearers[pk]
            self.coupons[named] = pk
            self._taken.add(named)
        return self.coupon_name(pk)

    def pass_over(self, pk: int) -> None:
        """Coupons made up to this one are nobody's yet and have no name."""
        self._seen = max(self._seen, pk)

    def coupon_name(self, pk: int) -> str:
        if pk in self.bearers:
            return self.bearers[pk]
        return next(name for name, row in self.coupons.items() if row == pk)


def told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
