"""Complaints as doors read them."""

from __future__ import annotations

from shuke.members.queries.families import family
from shuke.orders.models import Order
from shuke.service.models import Complaint
from shuke.shops.models import Merchant

# How a complaint came: code → Chinese, English.
CHANNELS: dict[str, tuple[str, str]] = {
    "counter": ("门店", "in the store"),
    "phone": ("电话", "by phone"),
    "chat": ("在线客服", "in a chat"),
    "message": ("短信或邮件", "by message"),
    "review": ("评价", "in a review"),
    "other": ("其他", "another way"),
}


class NoSuchComplaint(LookupError):
    """The merchant has no complaint of that number."""


def complaint(merchant: Merchant, complaint_id: int) -> Complaint:
    found = Complaint.objects.filter(merchant=merchant, pk=complaint_id).select_related("merchant", "member").first()
    if found is None:
        raise NoSuchComplaint(complaint_id)
    return found


def complaints_of(merchant: Merchant, member_id: int, *, limit: int = 20) -> list[Complaint]:
    """Of the member and whoever was merged into them: open ones first, then the latest."""
    rows = Complaint.objects.filter(merchant=merchant, member_id__in=family(merchant.pk, member_id))
    return sorted(rows.order_by("-opened_at", "-id")[:limit], key=lambda one: one.settled_at is not None)


def complaints(merchant: Merchant, *, only_open: bool = False, limit: int = 100) -> list[Complaint]:
    """The oldest open ones first; all: the latest first."""
    rows = Complaint.objects.filter(merchant=merchant).select_related("member")
    if only_open:
        return list(rows.filter(settled_at=None).order_by("opened_at", "id")[:limit])
    return list(rows.order_by("-opened_at", "-id")[:limit])


def bought(merchant: Merchant, member_id: int, number: str) -> bool:
    """Whether the member has an order of that number."""
    own = family(merchant.pk, member_id)
    return Order.objects.filter(merchant=merchant, number=number, member_id__in=own).exists()


def channel_name(code: str, language: str) -> str:
    return CHANNELS.get(code, (code, code))[0 if language.startswith("zh") else 1]


def timeline_ref(row: Complaint) -> str:
    """What its lines on the timeline are called, and so what is given for it."""
    return f"complaint:{row.pk}"
