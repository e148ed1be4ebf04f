"""The parts of the pages of co-branded cards: terms and files in words, rows by what becomes of them, what a form said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from shuke.doors.console import words
from shuke.doors.console.access import StaffRequest
from shuke.engine.partner_cards.terms import BadTerms, Terms, rules_of, rules_text
from shuke.flows.partner_card import SHOWN, Seen
from shuke.kit import money
from shuke.kit.clock import day_of
from shuke.loyalty.actions.partner_cards import CardRefused
from shuke.loyalty.actions.partner_cards.refusals import reason
from shuke.loyalty.models import CardFile, CardStatement
from shuke.loyalty.queries import partner_cards as stored
from shuke.loyalty.queries.partner_cards import Tally
from shuke.members.models import Member

TONES = {"waiting": "plain", "running": "info", "done": "good", "undone": "warn"}


def today(request: StaffRequest) -> date:
    return day_of(request.now, request.merchant.tz)


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def states() -> dict[str, str]:
    return {"waiting": _("To be looked at"), "running": _("Being taken"), "done": _("Taken"), "undone": _("Taken back")}


def kinds() -> dict[str, str]:
    """What becomes of a row, in the order that asks for attention."""
    return {
        "rejected": _("Rejected"),
        "unmatched": _("Waiting for a member"),
        "reversed": _("Came back"),
        "earned": _("Earns"),
        "nothing": _("Too small to earn"),
        "same": _("Known already"),
        "undone": _("Taken back"),
    }


def fields() -> list[tuple[str, str]]:
    return [
        ("token", _("Card token")), ("amount", _("Amount")), ("spent_on", _("Day")), ("reference", _("Reference")),
        ("category", _("Merchant category")), ("kind", _("Purchase or return")), ("original", _("Reference of what was returned")),
    ]  # fmt: skip


def terms(request: StaffRequest, told: Terms | None) -> dict[str, Any] | None:
    if told is None:
        return None
    currency = request.merchant.currency
    return {
        "starts": told.starts,
        "points": told.points,
        "per": money.show(told.per_minor, currency),
        "price": price(told.price_micro, currency),
        "most": told.month_most,
        "rules": rules_text(told.rules),
    }


def price(micro: int, currency: str) -> str:
    """As short as it can be said; nothing where the shop bears the points."""
    return f"{Decimal(micro).scaleb(-6 - money.digits(currency)).normalize():f}" if micro else ""


def file(request: StaffRequest, one: CardFile, tally: Tally) -> dict[str, Any]:
    return {
        "pk": one.pk,
        "name": one.name,
        "programme": one.programme.name,
        "state": states()[one.state],
        "tone": TONES[one.state],
        "at": one.taken_at.astimezone(request.merchant.tz).strftime("%Y-%m-%d %H:%M"),
        "by": one.taken_by,
        "tally": tally,
        "points": tally.points - tally.taken,
    }


def counts(tally: Tally) -> list[tuple[str, str, int]]:
    return [(key, label, getattr(tally, key)) for key, label in kinds().items() if key != "undone" or tally.undone]


def told(tally: Tally) -> str:
    text = _("%(given)s points given, %(taken)s taken back, %(rejected)s rows rejected, %(waiting)s wait for a member.")
    return text % {
        "given": f"{tally.points:,}", "taken": f"{tally.taken:,}", "rejected": f"{tally.rejected:,}",
        "waiting": f"{tally.unmatched:,}",
    }  # fmt: skip


def seen(one: CardFile) -> list[Seen]:
    """The first rows of each kind of a file that was taken."""
    rows = [line for state in kinds() for line in stored.lines(one, state, limit=SHOWN)]
    back = ("no_original", "other_card", "too_much")
    return [
        Seen(
            line.row, line.state, line.code, line.value, line.shown,
            -line.amount_minor if line.amount_minor is not None and (line.about_id is not None or line.code in back) else line.amount_minor,
            line.spent_on, line.points, line.member_id,
        )
        for line in rows
    ]  # fmt: skip


def parts(request: StaffRequest, rows: Iterable[Seen]) -> list[dict[str, Any]]:
    """Rows by what becomes of them."""
    rows = list(rows)
    wanted = {row.member for row in rows if row.member is not None}
    names = {one.pk: one for one in Member.objects.filter(merchant=request.merchant, pk__in=wanted)}
    return [
        {
            "key": key,
            "label": label,
            "open": key in ("rejected", "unmatched"),
            "rows": [
                {"row": row, "why": reason(row.code, row.value, words.language()) if row.code else "", "who": names.get(row.member or 0)}
                for row in rows
                if row.state == key
            ],
        }
        for key, label in kinds().items()
        if any(row.state == key for row in rows)
    ]  # fmt: skip


def statement(request: StaffRequest, made: CardStatement) -> dict[str, Any]:
    names = {
        "given": _("points given"), "reversed": _("spending came back"), "undone": _("file taken back"),
        "restored": _("return taken back"), "capped": _("limit after a merge"), "carried": _("carried over"),
    }  # fmt: skip
    currency = request.merchant.currency
    return {
        "one": made,
        "before": day_of(made.until, request.merchant.tz),
        "lines": [
            {**x, "what": names.get(x["kind"], x["kind"]), "price": price(x["price_micro"], currency)}
            for x in made.document["lines"]
        ],
    }


def download(data: bytes, name: str, kind: str) -> HttpResponse:
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}"', "Cache-Control": "no-store"}
    return HttpResponse(data, content_type=kind, headers=headers)


# ---- what a form said ---------------------------------------------------------------------------------------------


def day(request: StaffRequest, name: str) -> date | None:
    try:
        return date.fromisoformat(request.POST.get(name, ""))
    except ValueError:
        return None


def programme_told(request: StaffRequest, key: str) -> dict[str, Any]:
    told = request.POST
    return {
        "merchant": request.merchant, "key": key, "name": told.get("name", ""), "issuer": told.get("issuer", ""),
        "token_kind": told.get("token", ""), "in_minor": told.get("unit") == "minor", "ends_on": day(request, "ends"),
        "now": request.now, "actor": request.staff.username,
    }  # fmt: skip


def terms_told(request: StaffRequest) -> Terms:
    """Raises CardRefused."""
    told, currency = request.POST, request.merchant.currency
    starts = day(request, "starts")
    try:
        points, most = (whole(told.get(name, "")) for name in ("points", "most"))
        per_minor = money.parse(told.get("per", ""), currency)
        micro = Decimal(told.get("pays", "").strip().replace("，", ".") or "0").scaleb(money.digits(currency) + 6)
        rules = rules_of(told.get("rules", ""))
        if starts is None or points is None or not micro.is_finite() or micro != micro.to_integral_value():
            raise BadTerms("–")
    except (money.NotMoney, InvalidOperation, BadTerms, ValueError) as error:
        raise CardRefused("terms_invalid", problem=str(error) or "–") from error
    return Terms(starts, points, per_minor, int(micro), most, rules)


def whole(text: str) -> int | None:
    """Raises ValueError."""
    bare = text.strip().replace(",", "").replace("，", "")
    if not bare:
        return None
    if not bare.isdecimal() or len(bare) > 12:
        raise ValueError(text)
    return int(bare)
