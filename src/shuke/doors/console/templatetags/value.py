"""What to expect of one member. `{% load value %}  {% member_value who %}`"""

from __future__ import annotations

from typing import Any

from django import template

from shuke.doors.console import value_pages, words
from shuke.doors.console.words import percent_of
from shuke.insight.queries import value_told
from shuke.members.models import Member

register = template.Library()


@register.inclusion_tag("console/parts/member_value.html", takes_context=True)
def member_value(context: template.Context, who: Member) -> dict[str, Any]:
    """Nothing before the first purchase, and where the shop's history is too thin."""
    merchant = context["request"].merchant
    told = value_told.one(merchant, who.pk, words.language())
    if told is None:
        return {"told": None}
    known = told["expected_spend"] is not None
    return {
        "told": told,
        "percent_30": percent_of(told["chance_30"]),
        "percent_90": percent_of(told["chance_90"]),
        "band": value_pages.band(told["low"], told["high"], merchant.currency) if known else "",
    }
