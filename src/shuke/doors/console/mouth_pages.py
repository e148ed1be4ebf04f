"""The pieces of the page about word of mouth: what was measured in sentences, and the form of what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuke.engine.insight.word_of_mouth import LEAST_MATCHED, BadAssumption
from shuke.kit import money

FIELDS = ("anyway", "hear", "want", "buy")


class Box(NamedTuple):
    name: str
    label: str
    value: str
    unit: str
    own: bool


def sentences(told: dict[str, Any]) -> list[str]:
    """What the shop's own figures say, before any assumption."""
    friends = told["bonds"]
    if not friends:
        return [
            _(
                "Nobody has been recorded as brought by a member yet. Where members bring friends by link, code or at the counter, their worth will stand here."
            )
        ]
    said = [
        ngettext("Members brought %(n)s friend in all,", "Members brought %(n)s friends in all,", friends) % {"n": f"{friends:,}"}
        + " " + _("%(year)s of them in the last 365 days: %(rate)s for every 100 members.")
        % {"year": f"{told['brought_a_year']:,}", "rate": f"{100 * told['brought_a_year'] / told['members']:.1f}" if told["members"] else "–"}
    ]  # fmt: skip
    one = told["compared"]
    if one["difference"] is None:
        said.append(
            _("Too few of them (%(n)s; it takes %(least)s) can be set against others who came in the same month by the same way: whether friends are worth more cannot be told yet.")
            % {"n": one["matched"] + one["by_month"], "least": LEAST_MATCHED}
        )  # fmt: skip
        return said
    show = {
        name: money.show(round(one[name]), told["currency"]) for name in ("brought_each", "others_each", "low", "high")
    }
    verdict = {
        1: _("Friends surely spend more."), -1: _("Friends surely spend less."), 0: _("Whether friends spend more or less cannot be told."),
    }[one["surely"]]  # fmt: skip
    said.append(
        _("A friend spent %(brought_each)s so far, others who joined in the same month by the same way %(others_each)s: a difference between %(low)s and %(high)s. %(verdict)s")
        % {**show, "verdict": verdict}
    )  # fmt: skip
    said.append(_("A comparison, no proof: who is brought differs from others before the first purchase already."))
    return said


def boxes(told: dict[str, Any], typed: Mapping[str, str] | None = None) -> list[Box]:
    terms = told["terms"]
    values = {
        "anyway": f"{terms['anyway_permille'] / 10:g}",
        **{name: str(terms[name]) for name in ("hear", "want", "buy")},
    }
    labels = {
        "anyway": (_("Of friends brought, would have come anyway"), "%"),
        "hear": (_("One satisfied member tells"), _("people")),
        "want": (_("Of these would like to buy"), _("people")),
        "buy": (_("Of these buy"), _("people")),
    }
    own = {"anyway_permille": "anyway"}
    stated = {own.get(name, name) for name in terms["own"]}
    return [Box(name, *_label(labels[name], (typed or values).get(name, "")), name in stated) for name in FIELDS]


def _label(told: tuple[str, str], value: str) -> tuple[str, str, str]:
    return told[0], value[:20], told[1]


def read(typed: Mapping[str, str]) -> dict[str, int | None]:
    """The form as typed; an empty box gives an own figure up. Raises BadAssumption."""
    found: dict[str, int | None] = {}
    for name in FIELDS:
        text = typed.get(name, "").strip().rstrip("%")
        if not text:
            found["anyway_permille" if name == "anyway" else name] = None
            continue
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        scaled = number * 10 if name == "anyway" else number
        if not number.is_finite() or scaled != int(scaled) or abs(scaled) > 10**6:
            raise BadAssumption("bad_anyway" if name == "anyway" else "bad_saying", f"{text[:20]!r} is no number.")
        found["anyway_permille" if name == "anyway" else name] = int(scaled)
    return found


def complaint(error: BadAssumption) -> str:
    if error.code == "bad_anyway":
        return _("The share who would have come anyway lies between 0 and 100 %.")
    return _(
        "Of those who hear of it fewer want to buy, and of those fewer buy: whole numbers, each at most the one before."
    )
