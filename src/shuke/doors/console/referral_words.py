"""Referral in words: states, reasons, what looks wrong, what was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shuke.loyalty.models import Referral, ReferralReward
from shuke.members.models import Member

TONES = {
    "rewarded": "good",
    "held": "warn",
    "pending": "info",
    "returned": "bad",
    "missed": "plain",
    "waiting": "plain",
}


def state(code: str) -> str:
    return {
        "waiting": _("waiting for the first order"),
        "pending": _("in its return window"),
        "held": _("to be looked at"),
        "rewarded": _("rewarded"),
        "returned": _("taken back"),
        "missed": _("no reward"),
    }[code]


def reason(code: str) -> str:
    return {
        "": "",
        "same_person": _("both turned out to be one person"),
        "brought_before": _("somebody else brought them before"),
        "left": _("came with an import that was undone"),
        "not_offered": _("the charter gave nothing for it then"),
        "not_new": _("had bought before"),
        "too_late": _("did not buy in time"),
        "refunded": _("the order came back"),
        "too_little": _("the order was below the least amount"),
        "declined": _("declined"),
        "cap": _("over the cap: only the friend is rewarded"),
    }.get(code, code)


def how(code: str) -> str:
    return {
        "link": _("by link"),
        "code": _("by code"),
        "form": _("by code, on the form"),
        "import": _("from a file"),
        "staff": _("by the staff"),
        "api": _("by a program"),
    }.get(code, code)


def signal(told: Mapping[str, Any]) -> str:
    """What one signal says; the members it names stand beside it."""
    kind, figure = told["kind"], told["figure"]
    if kind == "ring":
        return _("They brought one another, in a ring of %(count)s.") % {"count": figure}
    if kind == "rush":
        return _("%(count)s friends in a few days.") % {"count": figure}
    if kind == "once_only":
        return _("%(percent)s%% of the friends brought earlier never came back.") % {"percent": figure}
    texts = {
        "phone": ngettext("Has the same phone as %(count)s other.", "Has the same phone as %(count)s others.", figure),
        "email": ngettext("Has the same e-mail as %(count)s other.", "Has the same e-mail as %(count)s others.", figure),
        "address": ngettext("Has the same address as %(count)s other.", "Has the same address as %(count)s others.", figure),
        "device": ngettext("Joined from the same browser as %(count)s other.", "Joined from the same browser as %(count)s others.", figure),
        "name": ngettext("Has the same full name as %(count)s other.", "Has the same full name as %(count)s others.", figure),
        "known": ngettext("%(count)s member had this phone or e-mail already.", "%(count)s members had this phone or e-mail already.", figure),
        "suspicion": _("Recognition took them for one person."),
    }  # fmt: skip
    text = texts.get(kind, kind)
    return text % {"count": figure} if "%(count)s" in text else text


def reward(one: ReferralReward) -> str:
    name = one.name.get("zh" if (get_language() or "zh").startswith("zh") else "en", "") or one.what
    told = {
        "points": ngettext("%(count)s point", "%(count)s points", one.amount) % {"count": f"{one.amount:,}"},
        "growth": _("%(count)s growth value") % {"count": f"{one.amount:,}"},
        "coupon": f"{one.what} ×{one.amount}",
        "gift": name,
        "honour": name,
    }[one.kind]
    if one.owed:
        told += " · " + _("%(count)s to be taken back") % {"count": f"{one.owed:,}"}
    if one.short:
        told += " · " + _("waiting: %(why)s") % {"why": one.short}
    return told


def bond(row: Referral, rewards: Sequence[ReferralReward], people: Mapping[int, Member]) -> dict[str, Any]:
    """One bond ready to be shown."""
    given = {
        side: [reward(r) for r in rewards if r.side == side and (r.amount or r.short)]
        for side in ("friend", "referrer")
    }
    return {
        "row": row,
        "state": state(row.state),
        "tone": TONES[row.state],
        "reason": reason(row.reason),
        "how": how(row.how),
        "signals": [
            {"text": signal(s), "people": [people[m] for m in s["members"] if m in people][:6]} for s in row.signals
        ],
        **given,
    }  # fmt: skip
