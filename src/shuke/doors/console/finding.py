"""Text search as the console uses it: who a few typed characters may mean."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from shuke.flows.search import find
from shuke.loyalty.models import Wallet
from shuke.members.queries import Hit
from shuke.shops.models import Merchant

MOST = 500  # members one text may stand for in a list; a text that matches more is told so


class Found(NamedTuple):
    """One hit as the search box shows it."""

    member_id: int
    title: str
    nickname: str
    phone_shown: str
    by: str
    tier: str


def hits(merchant: Merchant, text: str) -> dict[int, Hit] | None:
    """Members the text may mean, best first, by id; None when no text was typed."""
    if not text.strip():
        return None
    return {hit.member_id: hit for hit in find(merchant, text, limit=MOST)}


def closest(merchant: Merchant, text: str, limit: int) -> list[Found]:
    """The best few with what tells them apart: tier, phone, and why they are here."""
    if not text.strip():
        return []
    found = find(merchant, text, limit=limit)
    tiers = dict(
        Wallet.objects.filter(merchant=merchant, member_id__in=[h.member_id for h in found]).values_list(
            "member_id", "tier"
        )
    )
    why = {
        "card": _("by card"),
        "email": _("by e-mail"),
        "platform_id": _("by the platform's number"),
        "former_name": _("by a former nickname"),
        "order": _("by an order number"),
    }
    return [
        Found(
            h.member_id,
            h.name or h.nickname or h.card,
            h.nickname,
            h.phone_shown,
            why.get(h.matched_by, ""),
            tiers.get(h.member_id, ""),
        )
        for h in found
    ]
