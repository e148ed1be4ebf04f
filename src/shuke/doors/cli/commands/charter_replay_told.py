"""What `shuke charter replay` says on the screen: every event with what it moved and why, then how everybody stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shuke.doors.cli.commands.tiers import cause
from shuke.doors.cli.words import _, language
from shuke.engine.charter.document import Charter
from shuke.kit import money


class Teller:
    def __init__(self, charter: Charter, zone: ZoneInfo) -> None:
        self.zone, self.currency = zone, charter.currency
        self.code = "zh" if language().startswith("zh") else "en"
        self.tiers = {tier.key: getattr(tier.name, self.code) for tier in charter.tiers}

    def lines(self, told: dict[str, Any], first: datetime) -> Iterator[str]:
        if not told["events"]:
            yield _("Nothing has happened by then: the first event is on {day}.").format(
                day=self._at(first.isoformat())
            )
            return
        for one in told["events"]:
            yield from self._event(one)
        for one in told["by_the_clock"]:
            yield f"   ⏱  {self._at(one['at'])}  {one['member']:<10} {self._by_itself(one)}"
        yield ""
        for name, end in told["members"].items():
            yield from self._member(name, end)
        for code, card in told["gift_cards"].items():
            left = money.show(card["available_minor"], self.currency)
            yield _("gift card {card}: {state}, {money} left").format(card=code, state=state(card["state"]), money=left)

    # ---- events -----------------------------------------------------------------------------------------------------

    def _event(self, one: dict[str, Any]) -> Iterator[str]:
        me = one.get("member", "")
        sums: dict[str, int] = {}
        for entry in one["applied"]:
            if "legs" in entry:
                whose = entry.get("member", me)
                sums[whose] = sums.get(whose, 0) + entry["points"]
        points = "".join(f"  {'' if whose == me else whose + ' '}{n:+,}" for whose, n in sums.items() if n)
        yield f"{one['line']:>4}  {self._at(one['at'])}  {me:<10} {one['event']}{points}"
        if "priced" in one:
            due = money.show(one["priced"]["totals"]["due_minor"], self.currency)
            yield "          = " + _("to pay {amount}").format(amount=due)
        for entry in one["applied"]:
            yield "          + " + (self._posted(entry) if "legs" in entry else self._moved(entry, one["event"]))
        for part, sign in (("skipped", "~"), ("inapplicable", "–")):
            for entry in one[part]:
                about = entry.get("rule") or entry.get("coupon") or ""
                yield f"          {sign} {about + ': ' if about else ''}{entry['say'][self.code]}"

    def _posted(self, entry: dict[str, Any]) -> str:
        why = [f"{w['rule']} {w.get('points', w.get('growth', ''))}" for w in entry["why"] if "rule" in w]
        if entry["kind"] == "refund" and entry["why"]:
            why = [_("what is left earns {points}").format(points=f"{entry['why'][0].get('earned', 0):,}")]
        if entry.get("growth"):
            why.append(f"{_('growth value')} {entry['growth']:+,}")
        whose = f"{entry['member']} · " if "member" in entry else ""
        return whose + booked(entry["kind"], entry["points"]) + (f": {', '.join(why)}" if why else "")

    def _moved(self, moved: dict[str, Any], event: str) -> str:
        """What is no points: coupons, money paid in advance, gifts, benefits."""
        told = [] if moved["kind"] == event else [moving(moved["kind"])]
        told += [f"{label(k)} {self._figure(k, v)}" for k, v in moved.items() if k != "kind" and v not in ("", 0, None)]
        return " · ".join(told) or moving(moved["kind"])

    def _figure(self, name: str, value: Any) -> str:
        if name.endswith("_minor"):
            return money.show(value, self.currency)
        return ", ".join(value) if isinstance(value, list) else state(value) if name == "state" else str(value)

    def _by_itself(self, one: dict[str, Any]) -> str:
        if "points" in one:
            return booked(one["kind"], one["points"])
        told = self._moved({k: one[k] for k in ("kind", "template", "coupons", "coupon", "on") if k in one}, "")
        return told + (f": {one['say'][self.code]}" if "say" in one else "")

    # ---- the end ----------------------------------------------------------------------------------------------------

    def _member(self, name: str, end: dict[str, Any]) -> Iterator[str]:
        figures = (
            (_("available"), end["available"]), (_("pending"), end["pending"]), (_("held"), end["held"]),
            (_("debt"), end["debt"]), (_("growth value"), end["growth"]),
        )  # fmt: skip
        yield f"{name}: {self._tier(end['tier'])} · " + " · ".join(f"{what} {n:,}" for what, n in figures)
        for move in end["tier_history"]:
            change = f"{self._tier(move['before'])} → {self._tier(move['after'])}"
            yield f"    {self._at(move['at'])}  {change}  {cause(move['cause'], {})}"
        for lot in end["lots"]:
            if lot["remaining"]:
                until = self._at(lot["expires_at"]) if lot["expires_at"] else _("never")
                yield "    " + _("{points} points of {event}, lapse: {until}").format(
                    points=f"{lot['remaining']:,}", event=lot["key"], until=until
                )
        if value := end["stored_value"]["available_minor"]:
            yield "    " + _("stored value {amount}").format(amount=money.show(value, self.currency))
        for coupon in end["coupons"]:
            yield f"    {coupon['id']}  {coupon['template']}  {state(coupon['state'])}"

    def _tier(self, key: str) -> str:
        return self.tiers.get(key, key or "–")

    def _at(self, told: str) -> str:
        return f"{datetime.fromisoformat(told).astimezone(self.zone):%Y-%m-%d %H:%M}"


def booked(kind: str, points: int) -> str:
    """What a posting did, and with how many points; what moves none (set free, paid back on a debt) has no figure."""
    return posting(kind) + (f" {points:+,}" if points else "")


def posting(kind: str) -> str:
    """What a posting is called in the language of the terminal."""
    return {
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
        "debt": _("Taken for points owed"),
        "handed": _("Handed to another member"),
        "taken": _("Received from another member"),
        "partner": _("Spent with the partner card"),
        "partner_undo": _("Partner card file taken back"),
        "activity": _("Activity"),
        "activity_undo": _("Activity taken back"),
        "reinstate": _("Given back after expiry"),
        "growth": _("Growth value by hand"),
        "membership": _("Paid membership"),
        "membership_end": _("Paid membership given back"),
    }.get(kind, kind)


def moving(kind: str) -> str:
    """What else moves; what is called like its event needs no word."""
    return {
        "coupon_issue": _("coupon given"),
        "coupon_redeem": _("coupon used"),
        "coupon_return": _("coupon there again"),
        "coupon_refused": _("coupon not given"),
        "spend_value": _("paid from stored value"),
        "give_back_value": _("back to stored value"),
        "card_spend": _("paid by gift card"),
        "card_give_back": _("back to the gift card"),
    }.get(kind, kind)


def label(name: str) -> str:
    return {
        "amount_minor": _("amount"),
        "principal_minor": _("paid in"),
        "bonus_minor": _("bonus"),
        "available_minor": _("left"),
        "forfeited_minor": _("bonus given up"),
        "value_minor": _("value"),
        "cost_minor": _("cost"),
        "coupon": _("coupon"),
        "coupons": _("coupon"),
        "template": _("template"),
        "on": _("because of"),
        "gift": _("gift"),
        "count": _("pieces"),
        "draw": _("draw"),
        "drew": _("drawn"),
        "won": _("won"),
        "number": _("ticket number"),
        "commitment": _("promise"),
        "benefit": _("benefit"),
        "left": _("left"),
        "card": _("gift card"),
        "by": _("brought by"),
        "state": _("state"),
        "family": _("family"),
    }.get(name, name)


def state(told: str) -> str:
    return {
        "open": _("open"),
        "held": _("set aside"),
        "redeemed": _("used"),
        "void": _("void"),
        "expired": _("expired"),
        "active": _("active"),
        "made": _("not sold yet"),
        "earned": _("earned"),
        "reversed": _("taken back"),
        "unmatched": _("nobody has said whose card it is"),
    }.get(told, told)
