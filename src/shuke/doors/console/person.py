"""The member's page in words: who this is, why this tier, what each line of the timeline and of the statement says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuke.doors.console import tiers, words
from shuke.doors.console.access import StaffRequest
from shuke.engine import tenders
from shuke.engine.charter.terms import Terms
from shuke.engine.facts import OrderStatus
from shuke.engine.insight import wording
from shuke.engine.ledger.books import Lot
from shuke.flows.statement_words import Saying
from shuke.insight.queries.portrait import Portrait
from shuke.kit import clock, money
from shuke.loyalty.queries.member import StatementLine
from shuke.orders.queries.purchases import Bought, Purchase


class Told(NamedTuple):
    """One line of a timeline or a statement, ready to be shown."""

    at: datetime
    icon: str
    title: str
    detail: str = ""
    amount: str = ""
    points: str = ""
    kind: str = ""
    note: str = ""


class Kind(NamedTuple):
    """How a kind of line looks. (The build finds pictures in use by the keyword `icon`.)"""

    icon: str
    title: str = ""


class Says:
    """Sentences in the reader's language about one merchant's members."""

    def __init__(self, request: StaffRequest) -> None:
        self._request = request
        self._zone = request.merchant.tz
        self._currency = request.merchant.currency
        self._now = request.now

    def day(self, moment: datetime | None) -> str:
        return "–" if moment is None else f"{moment.astimezone(self._zone):%Y-%m-%d}"

    def last_day(self, end: datetime) -> str:
        """The last day before an exclusive bound: points that end at midnight can be used the day before."""
        return self.day(end - timedelta(seconds=1))

    def minute(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}"

    def money(self, minor: int, currency: str = "") -> str:
        return money.show(minor, currency or self._currency)

    # ---- who is this ----------------------------------------------------------------------------------------------

    def summary(self, seen: Portrait) -> list[tuple[str, str]]:
        """(tone, sentence): what a colleague would say first. Tones: "" plain, good, warn, bad."""
        score = seen.score
        if score is None:
            return [("", _("Joined since the last night run: figures come with the next one."))]
        if score.last_paid_at is None or not score.order_count:
            return [("warn", _("Has never bought anything so far."))]
        said = [("", self._bought(seen))]
        said.append(self._silence(seen))
        if seen.favourites:
            liked = ", ".join(f"{f.category} ({f.share:.0%})" for f in seen.favourites)
            said.append(("", _("Spends most on %(categories)s.") % {"categories": liked}))
        return said

    def _bought(self, seen: Portrait) -> str:
        score = seen.score
        assert score is not None
        text = ngettext(
            "Bought once, on %(since)s, for %(money)s net.",
            "Bought %(count)s times since %(since)s, for %(money)s net.",
            score.order_count,
        ) % {
            "count": f"{score.order_count:,}",
            "since": self.day(score.first_paid_at),
            "money": self.money(score.net_minor),
        }
        if seen.usual_gap_days and score.order_days > 1:
            days = max(1, round(seen.usual_gap_days))
            usually = ngettext("Usually comes about every day.", "Usually comes about every %(days)s days.", days)
            text += " " + usually % {"days": days}
        return text

    def _silence(self, seen: Portrait) -> tuple[str, str]:
        days = seen.silence_days or 0
        if days == 0:
            return "good", _("Last purchase today.")
        if not seen.usual_gap_days:
            said = ngettext("Last purchase yesterday.", "Last purchase %(days)s days ago.", days)
        elif seen.late == "very_late":
            said = ngettext(
                "Last purchase yesterday, far later than usual.",
                "Last purchase %(days)s days ago, far later than usual.",
                days,
            )
        elif seen.late == "late":
            said = ngettext(
                "Last purchase yesterday, later than usual.", "Last purchase %(days)s days ago, later than usual.", days
            )
        else:
            said = ngettext(
                "Last purchase yesterday, within the usual rhythm.",
                "Last purchase %(days)s days ago, within the usual rhythm.",
                days,
            )
        tone = {"late": "warn", "very_late": "bad"}.get(seen.late, "good" if seen.usual_gap_days else "")
        return tone, said % {"days": days}

    def moved(self, seen: Portrait) -> list[str]:
        """What changed lately: "2017-05-02: class Regulars → Champions"."""
        names = {"rfm": words.rfm_class, "layer": words.layer, "stage": words.stage}
        kinds = {"rfm": _("Class"), "layer": _("Layer"), "stage": _("Stage")}
        return [
            f"{m.day:%Y-%m-%d} {kinds[m.what]}: {names[m.what](m.before) or '–'} → {names[m.what](m.after) or '–'}"
            for m in seen.moved
            if m.what in names
        ]

    def strategy(self, rfm: str) -> str:
        return words.said(wording.RFM_STRATEGIES[rfm]) if rfm in wording.RFM_STRATEGIES else ""

    # ---- points ---------------------------------------------------------------------------------------------------

    def statement(self, lines: Iterable[StatementLine], terms: Terms | None) -> list[Told]:
        """Every posting with its reason down to order and rule."""
        saying = Saying(self._request.merchant, words.language())
        return [
            Told(
                line.at,
                _POSTING_ICONS.get(line.kind, Kind(icon="coins")).icon,
                self.posting(line.kind),
                self.event(line.event),
                "",
                f"{line.amount:+,}" if line.amount else "0",
                line.kind,
                " · ".join(
                    [
                        *(self._why(entry, terms) for entry in line.why if isinstance(entry, dict)),
                        saying.given_for(line),
                    ]
                ).strip(" ·"),
            )
            for line in lines
        ]

    def lots(self, lots: Iterable[Lot]) -> list[dict[str, Any]]:
        """What is left, lot by lot, each with the event it came from."""
        return [
            {
                "earned": self.day(lot.earned_at),
                "from": self.event(lot.key) or lot.key,
                "granted": lot.granted,
                "remaining": lot.remaining,
                "held": lot.held,
                "pending": lot.available_at > self._now,
                "usable": self.day(lot.available_at),
                "until": self.last_day(lot.expires_at) if lot.expires_at else "",
            }
            for lot in lots
        ]

    def posting(self, kind: str) -> str:
        named = {
            "earn": _("Earned by buying"),
            "burn": _("Redeemed"),
            "expire": _("Expired"),
            "refund": _("Taken back for a refund"),
            "return": _("Given back"),
            "adjust": _("Adjusted by hand"),
            "opening": _("Brought over from another system"),
            "hold": _("Set aside for a basket"),
            "capture": _("Redeemed from what was set aside"),
            "release": _("Set free again"),
            "timeout": _("Set free again, the basket was forgotten"),
            "correct": _("Corrected after a later statement"),
            "debt": _("Taken for points owed"),
            "handed": _("Handed to another member"),
            "taken": _("Received from another member"),
            "pool_out": _("Spent at a partner of the coalition"),
            "pool_back": _("Back from a partner of the coalition"),
            "pool_spent": _("Coalition points spent here"),
            "pool_returned": _("Coalition points given back"),
            "partner": _("Spent with the partner card"),
            "partner_undo": _("Partner card file taken back"),
            "activity": _("Activity"),
            "activity_undo": _("Activity taken back"),
            "reinstate": _("Given back after expiry"),
            "growth": _("Growth value by hand"),
            "membership": _("Paid membership"),
            "membership_end": _("Paid membership given back"),
            "cancelled": _("Turned out never to have been"),
        }
        return named.get(kind, kind)

    def event(self, event: str) -> str:
        """What a posting is about: an order's number out of its full name."""
        if event.startswith("order:"):
            return _("Order %(number)s") % {"number": event.split(":", 3)[-1]}
        if event.startswith("refund:order:"):
            return _("Refund of order %(number)s") % {"number": event.split(":", 4)[-1].split(":")[0]}
        return ""

    def _why(self, entry: Mapping[str, Any], terms: Terms | None) -> str:
        if "order" in entry:
            return _("of %(money)s net left, %(earned)s earned, %(lost)s taken back") % {
                "money": self.money(int(entry.get("net", 0))),
                "earned": entry.get("earned", 0),
                "lost": entry.get("taken_back", 0),
            }
        rule = entry.get("rule", "")
        if rule == "goods_not_told":
            return _("which goods came back was not told: shared among them all")
        if rule == "taken_back":
            return _("noted by mistake and taken back")
        if rule == "rounding":
            return _("fraction dropped %(points)s") % {"points": entry["points"]}
        name = self._rule_name(rule, terms)
        if "base" in entry:
            return _("%(rule)s: %(points)s points on %(money)s") % {
                "rule": name,
                "points": entry["points"],
                "money": self.money(int(entry["base"])),
            }
        if "times" in entry:
            return _("%(rule)s ×%(times)s: %(points)s points more") % {
                "rule": name,
                "times": entry["times"],
                "points": entry["points"],
            }
        if "points" in entry:
            return _("%(rule)s: %(points)s points") % {"rule": name, "points": entry["points"]}
        return name or ", ".join(f"{k} {v}" for k, v in entry.items())

    def _rule_name(self, key: str, terms: Terms | None) -> str:
        chinese = words.language().startswith("zh")
        if terms is not None:
            for rule in terms.charter.earning:
                if rule.key == key:
                    return rule.name.zh if chinese else rule.name.en
        if key.startswith("tier:"):
            return tiers.look(self._request, key.removeprefix("tier:"))[0]
        return key

    # ---- orders ---------------------------------------------------------------------------------------------------

    def purchases(self, found: Iterable[Purchase], earned: Mapping[str, int]) -> list[dict[str, Any]]:
        """Orders with their goods, money in words, and the points each gave."""
        return [
            {
                "number": one.order.number,
                "at": self.minute(one.at) if one.at else "–",
                "store": one.store,
                "status": self.status(one.order.status),
                "net": self.money(one.order.net_minor, one.order.currency),
                "freight": self.money(one.order.freight_minor, one.order.currency) if one.order.freight_minor else "",
                "discount": self.money(one.order.discount_minor, one.order.currency)
                if one.order.discount_minor
                else "",
                "refunded": self.money(one.order.refunded_minor, one.order.currency)
                if one.order.refunded_minor
                else "",
                "tax": self.money(one.order.tax_minor, one.order.currency) if one.order.tax_minor else "",
                "tenders": [
                    (tenders.name(code, words.language()), self.money(minor, one.order.currency))
                    for code, minor in one.order.tenders or ()
                ],
                "excluded": one.order.excluded,
                "points": earned.get(one.event, 0),
                "notes": [note for note in (one.order.buyer_note, one.order.seller_note) if note],
                "lines": [
                    {
                        "title": line.title or "–",
                        "spec": line.spec,
                        "quantity": f"{line.quantity_milli / 1000:g}",
                        "amount": self.money(line.amount_minor, one.order.currency),
                        "refunded": self._came_back(line, one.order.currency),
                    }
                    for line in one.lines
                ],
                "more": max(0, one.order.line_count - len(one.lines)),
            }
            for one in found
        ]

    def _came_back(self, line: Bought, currency: str) -> str:
        """That a line came back, or how much of its money."""
        if 0 < line.refunded_minor < line.amount_minor:
            return _("%(money)s refunded") % {"money": self.money(line.refunded_minor, currency)}
        return _("refunded") if line.refunded_minor > 0 else ""

    def status(self, status: int) -> tuple[str, str]:
        """(tone, name) of an order's status."""
        return {
            OrderStatus.UNPAID: ("warn", _("Not paid")),
            OrderStatus.PAID: ("info", _("Paid")),
            OrderStatus.PART_SHIPPED: ("info", _("Partly shipped")),
            OrderStatus.SHIPPED: ("info", _("Shipped")),
            OrderStatus.RECEIVED: ("good", _("Received")),
            OrderStatus.FINISHED: ("good", _("Finished")),
            OrderStatus.CLOSED_UNPAID: ("plain", _("Closed, never paid")),
            OrderStatus.CLOSED_REFUNDED: ("bad", _("Refunded in full")),
        }[OrderStatus(status)]


_POSTING_ICONS = {
    "earn": Kind(icon="coins"),
    "burn": Kind(icon="gift"),
    "expire": Kind(icon="clock"),
    "refund": Kind(icon="receipt-refund"),
    "adjust": Kind(icon="pencil"),
}


def birthday(year: int | None, month: int | None, day: int | None, lunar: bool) -> str:
    """The birthday as it is known; a lunar one says so."""
    if not month or not day:
        return ""
    text = f"{year:04d}-{month:02d}-{day:02d}" if year else f"{month:02d}-{day:02d}"
    return f"{text} {_('(lunar)')}" if lunar else text


def age(year: int | None, today: date) -> int | None:
    return today.year - year if year and 1900 < year <= today.year else None


def days_until(moment: datetime, now: datetime, request: StaffRequest) -> int:
    zone = request.merchant.tz
    return (clock.day_of(moment, zone) - clock.day_of(now, zone)).days
