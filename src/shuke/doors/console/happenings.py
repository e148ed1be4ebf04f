"""Lines of a member's timeline in words: what happened, with a picture, the figures, and who saw to it.

Every kind written anywhere has its title here and in `cli/commands/members.py`; a test reads the source and compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.doors.console.person import Kind, Says, Told
from shuke.doors.console.templatetags.console import by_whom
from shuke.loyalty.queries import coupons
from shuke.loyalty.queries.activities import name_of
from shuke.members.models import TimelineLine

# Tabs above the timeline: name → kinds of lines, or how such kinds begin.
TABS: dict[str, tuple[str, ...]] = {
    "orders": ("order.placed", "order.paid", "order.shipped", "order.finished", "order.refunded", "order.closed"),
    "tier": ("tier.up", "tier.down", "tier.renamed", "tier.at_risk", "points.expired", "points.given", "points.received", "activity.undone", "stage.changed"),
    "rewards": (
        "coupon.issued", "coupon.redeemed", "coupon.used", "benefit.used", "benefit.handed", "benefit.undone", "gift.ordered", "gift.taken",
        "gift.cancelled", "gift.returned", "draw.ticket", "draw.handed", "referral.bound", "referral.rewarded",
        "referral.returned", "referral.gift", "coalition.linked", "coalition.left", "points.used_elsewhere", "points.came_back",
        "cobrand.bound", "cobrand.ended", "points.card_partner", "points.card_returned",
    ),
    "money": (
        "stored.top_up", "stored.spent", "stored.returned", "stored.paid_out", "stored.adjusted", "stored.redeemed",
        "stored.lapsed", "refund.not_given_back",
    ),
    "notes": ("comment", "complaint.opened", "complaint.settled", "complaint.reopened", "profile.edited", "tags.changed", "contact.added", "contact.removed"),
}  # fmt: skip


class Timeline:
    """Reads lines aloud for one reader."""

    def __init__(self, request: StaffRequest, says: Says) -> None:
        self._request = request
        self._says = says
        self._currency = request.merchant.currency
        self._coupons: dict[str, str] = {}  # key → what the template is called

    def lines(self, lines: Iterable[TimelineLine]) -> list[Told]:
        known, lines = titles(), list(lines)
        keys = {
            str(line.body["key"]) for line in lines if line.kind.startswith("coupon.") and (line.body or {}).get("key")
        }
        for key, row in coupons.latest_of(self._request.merchant, keys).items() if keys else ():
            self._coupons[key] = getattr(coupons.terms_of(row).name, self._language())
        return [self._line(line, known) for line in lines]

    def _line(self, line: TimelineLine, known: Mapping[str, Kind]) -> Told:
        body: Mapping[str, Any] = line.body or {}
        icon, title = known.get(line.kind, Kind(icon="point", title=line.kind))
        room = line.kind.partition(".")[0]
        amount = points = detail = note = ""
        if room == "order":
            detail, amount = self._order(line.kind, body)
        elif line.kind in ("tier.up", "tier.down", "tier.renamed"):
            before, after = (self._tier(body.get(k)) for k in ("before", "after"))
            detail = f"{before or '–'} → {after}"
        elif line.kind == "tier.at_risk":
            detail = _("%(tier)s until the review on %(day)s, otherwise %(lower)s") % {
                "tier": self._tier(body.get("tier")),
                "day": self._day(body.get("review_at")),
                "lower": self._tier(body.get("falls_to")),
            }
        elif line.kind in ("points.given", "points.received"):
            detail = f"{body.get('points', 0):,}"
        elif line.kind in ("points.used_elsewhere", "points.came_back"):
            detail, points = str(body.get("name") or body.get("at") or ""), f"{int(body.get('points', 0)):,}"
        elif line.kind in ("points.card_partner", "points.card_returned"):
            sign = "+" if line.kind == "points.card_partner" else "−"
            detail, points = str(body.get("name", "")), f"{sign}{int(body.get('points', 0)):,}"
        elif room == "cobrand":
            detail = f"{body.get('name', '')} ···{body.get('end', '')}"
        elif line.kind == "points.expired":
            points = f"−{int(body.get('points', 0)):,}"
        elif line.kind == "joined":
            detail = self._joined(body)
        elif line.kind == "comment" or room == "complaint":
            note = str(body.get("text", ""))
            detail = str(body.get("by", ""))
        elif line.kind == "tags.changed":
            changes = [f"+{tag}" for tag in body.get("added", [])] + [f"−{tag}" for tag in body.get("removed", [])]
            detail = " ".join([*changes, "·", str(body.get("by", ""))])
        elif line.kind == "stage.changed":
            was, now = (words.stage(str(body.get(k, ""))) for k in ("before", "after"))
            detail = f"{was or '–'} → {now or '–'}"
        elif line.kind in ("merged", "merged.away", "unmerged", "frozen", "unfrozen") or room == "card":
            detail = " · ".join(str(body[k]) for k in ("card", "by") if body.get(k))
            note = str(body.get("reason", ""))
        elif room == "refund":
            detail = self._order(line.kind, body)[0]
            note = str((body.get("why") or {}).get(self._language(), ""))
        elif room == "coupon":
            detail, amount = self._coupon(body)
        elif room == "referral":
            detail = self._referral(body)
        elif room == "coalition":
            detail = str(body.get("name", ""))
        elif room in ("benefit", "gift", "draw"):
            detail, points = self._reward(line.kind, body)
        elif room == "activity":
            detail, points = self._undone(body)
        elif room == "stored":
            detail, amount = self._stored(body)
        elif "by" in body:
            detail = str(body["by"])
        return Told(line.at, icon, title, detail, amount, points, line.kind, note)

    def _tier(self, code: object) -> str:
        return tiers.look(self._request, str(code or ""))[0]

    def _day(self, moment: object) -> str:
        return self._says.day(datetime.fromisoformat(str(moment))) if moment else "–"

    def _order(self, kind: str, body: Mapping[str, Any]) -> tuple[str, str]:
        number, currency = str(body.get("number", "")), str(body.get("currency", "")) or self._currency
        amount = ""
        if kind == "order.refunded":
            amount = self._says.money(-int(body.get("refunded_minor", 0)), currency)
        elif "net_minor" in body and kind in ("order.paid", "order.placed"):
            amount = self._says.money(int(body["net_minor"]), currency)
        return (_("Order %(number)s") % {"number": number} if number else ""), amount

    def _coupon(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """Which coupon, how many, and what it took off."""
        key = str(body.get("key") or "")
        detail = str(body.get("campaign") or self._coupons.get(key, key))
        if int(body.get("count") or 1) > 1:
            detail += f" ×{body['count']}"
        return detail, self._says.money(-int(body["amount_minor"])) if body.get("amount_minor") else ""

    def _stored(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """What came or went in all; of it bonus, and who booked it."""
        principal, bonus = int(body.get("principal_minor", 0)), int(body.get("bonus_minor", 0))
        told = [_("of it bonus %(money)s") % {"money": self._says.money(bonus)}] if bonus and principal else []
        told += [_("bonus")] if bonus and not principal else []
        return " · ".join([*told, str(body.get("by", ""))]).strip(" ·"), self._says.money(principal + bonus)

    def _referral(self, body: Mapping[str, Any]) -> str:
        """On which side of the bond this member stands, and what there was for it."""
        sides = {"friend": _("was brought by a member"), "referrer": _("brought a friend")}
        told = [sides.get(str(body.get("side", "")), "")]
        gives = {
            "points": _("%(n)s points"),
            "growth": _("growth value %(n)s"),
            "coupon": _("coupon ×%(n)s"),
            "gift": _("gift ×%(n)s"),
            "honour": _("honour ×%(n)s"),
        }
        told += [text % {"n": f"{int(body[key]):,}"} for key, text in gives.items() if body.get(key)]
        label = body.get("label")
        told.append(str(label.get(self._language(), "")) if isinstance(label, Mapping) else str(label or ""))
        return " · ".join(part for part in told if part)

    def _undone(self, body: Mapping[str, Any]) -> tuple[str, str]:
        """Which activity was taken back by whom, and the points that went with it."""
        kind, points, growth = str(body.get("activity", "")), int(body.get("points", 0)), int(body.get("growth", 0))
        name = name_of(self._request.merchant, kind, self._request.now).get(self._language(), kind)
        more = _("growth value %(n)s") % {"n": f"−{growth:,}"} if growth else ""
        return " · ".join(
            p for p in (name, more, by_whom(str(body.get("by", "")))) if p
        ), f"−{points:,}" if points else ""

    def _reward(self, kind: str, body: Mapping[str, Any]) -> tuple[str, str]:
        """What was handed out, and the points it took."""
        chosen = self._language()
        named = [str((body.get(k) or {}).get(chosen, "")) for k in ("label", "prize")]
        if body.get("number"):
            named.append(_("ticket %(n)s") % {"n": body["number"]})
        count, spent = int(body.get("count", 1)), int(body.get("points", 0))
        sign = {"gift.taken": "−", "gift.returned": "+"}.get(kind, "")
        detail = " · ".join(part for part in named if part) + (f" ×{count}" if count > 1 else "")
        return detail, f"{sign}{spent:,}" if spent and sign else ""

    def _joined(self, body: Mapping[str, Any]) -> str:
        realm = str(body.get("realm", ""))
        if not body.get("by"):
            return ""
        known = {
            "platform_id": _("by the platform's number"),
            "card": _("by card"),
            "phone": _("by phone"),
            "email": _("by e-mail"),
            "nickname": _("by nickname"),
            "name_address": _("by name and address"),
        }.get(str(body["by"]), "")
        return " · ".join(part for part in (realm, known) if part)

    def _language(self) -> str:
        return "zh" if words.language().startswith("zh") else "en"


def titles() -> dict[str, Kind]:
    """Kind of line → picture and title in the reader's language."""
    return {
        "joined": Kind(icon="user-plus", title=_("Joined")),
        "woken": Kind(icon="user-plus", title=_("Recognised again")),
        "order.placed": Kind(icon="clock", title=_("Order placed, not paid")),
        "order.paid": Kind(icon="shopping-bag", title=_("Bought")),
        "order.shipped": Kind(icon="truck", title=_("Shipped")),
        "order.finished": Kind(icon="circle-check", title=_("Order finished")),
        "order.refunded": Kind(icon="receipt-refund", title=_("Refund")),
        "order.closed": Kind(icon="x", title=_("Order closed before payment")),
        "tier.up": Kind(icon="arrow-up", title=_("Tier up")),
        "tier.down": Kind(icon="arrow-down", title=_("Tier down")),
        "tier.renamed": Kind(icon="pencil", title=_("Tier called otherwise by a new charter")),
        "tier.at_risk": Kind(icon="alert-triangle", title=_("Tier at risk")),
        "points.expired": Kind(icon="coins", title=_("Points expired")),
        "points.given": Kind(icon="gift", title=_("Points handed to another member")),
        "points.received": Kind(icon="gift", title=_("Points received from another member")),
        "comment": Kind(icon="message", title=_("Note")),
        "card.lost": Kind(icon="alert-triangle", title=_("Card reported lost")),
        "card.found": Kind(icon="circle-check", title=_("Card found again")),
        "card.replaced": Kind(icon="pencil", title=_("New card")),
        "frozen": Kind(icon="alert-triangle", title=_("Frozen")),
        "unfrozen": Kind(icon="circle-check", title=_("Free again")),
        "merged": Kind(icon="users", title=_("Merged with another record")),
        "merged.away": Kind(icon="users", title=_("Merged into another record")),
        "unmerged": Kind(icon="users", title=_("A merge was taken back")),
        "undone": Kind(icon="x", title=_("Put away: the import that made this member was undone")),
        "profile.edited": Kind(icon="pencil", title=_("Profile changed")),
        "identity.added": Kind(icon="user-plus", title=_("Account or number added")),
        "contact.added": Kind(icon="phone", title=_("Contact added")),
        "contact.removed": Kind(icon="phone", title=_("Contact removed")),
        "tags.changed": Kind(icon="tag", title=_("Tags changed")),
        "stage.changed": Kind(icon="activity", title=_("Stage of life changed")),
        "import.undone": Kind(icon="arrow-back-up", title=_("An import with orders of this member was undone")),
        "complaint.opened": Kind(icon="alert-circle", title=_("Complaint")),
        "complaint.reopened": Kind(icon="alert-circle", title=_("Complaint opened again")),
        "complaint.settled": Kind(icon="heart-handshake", title=_("Complaint settled")),
        "activity.undone": Kind(icon="arrow-back-up", title=_("Taking part taken back")),
        "coupon.issued": Kind(icon="ticket", title=_("Coupon received")),
        "coupon.redeemed": Kind(icon="ticket", title=_("Coupon redeemed")),
        "coupon.used": Kind(icon="ticket", title=_("Coupon used")),
        "benefit.used": Kind(icon="heart-handshake", title=_("Benefit handed out")),
        "benefit.handed": Kind(icon="package", title=_("What went with the points was handed over")),
        "benefit.undone": Kind(icon="arrow-back-up", title=_("Benefit taken back")),
        "gift.ordered": Kind(icon="gift", title=_("Gift set aside")),
        "gift.taken": Kind(icon="gift", title=_("Gift handed over")),
        "gift.cancelled": Kind(icon="gift", title=_("Gift not picked up")),
        "gift.returned": Kind(icon="gift", title=_("Gift came back")),
        "draw.ticket": Kind(icon="confetti", title=_("Lucky draw")),
        "draw.handed": Kind(icon="confetti", title=_("Prize handed over")),
        "referral.bound": Kind(icon="users", title=_("Referral")),
        "referral.rewarded": Kind(icon="gift", title=_("Reward for a referral")),
        "referral.returned": Kind(icon="arrow-back-up", title=_("Reward for a referral taken back")),
        "referral.gift": Kind(icon="gift", title=_("Gift for a referral handed over")),
        "coalition.linked": Kind(icon="world", title=_("Joined a coalition")),
        "coalition.left": Kind(icon="world", title=_("Left a coalition")),
        "cobrand.bound": Kind(icon="heart-handshake", title=_("Co-branded card bound")),
        "cobrand.ended": Kind(icon="heart-handshake", title=_("Co-branded card unbound")),
        "points.card_partner": Kind(icon="shopping-bag", title=_("Points for spending with a co-branded card")),
        "points.card_returned": Kind(icon="receipt-refund", title=_("Points taken back: card spending came back")),
        "stored.top_up": Kind(icon="cash-register", title=_("Stored value topped up")),
        "stored.spent": Kind(icon="cash-register", title=_("Paid with stored value")),
        "stored.returned": Kind(icon="receipt-refund", title=_("Stored value came back")),
        "stored.paid_out": Kind(icon="cash-register", title=_("Stored value paid out")),
        "stored.adjusted": Kind(icon="pencil", title=_("Stored value corrected")),
        "stored.redeemed": Kind(icon="gift", title=_("Gift card redeemed")),
        "stored.lapsed": Kind(icon="clock", title=_("Bonus lapsed")),
        "refund.not_given_back": Kind(icon="alert-triangle", title=_("Refund not given back in full")),
        "points.used_elsewhere": Kind(icon="world", title=_("Points spent at a partner")),
        "points.came_back": Kind(icon="world", title=_("Points back from a partner")),
    }
