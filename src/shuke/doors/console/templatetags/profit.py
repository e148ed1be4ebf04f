"""One member's profit, loyalty type and budget on their page. `{% load profit %}  {% member_profit who %}`"""

from __future__ import annotations

from typing import Any

from django import template

from shuke.doors.console.profit_pages import member_words
from shuke.insight.queries import profit as told
from shuke.insight.queries.profit_inputs import terms_of
from shuke.members.models import Member
from shuke.shops import queries as shops

register = template.Library()


@register.inclusion_tag("console/parts/member_profit.html", takes_context=True)
def member_profit(context: template.Context, who: Member) -> dict[str, Any]:
    """Nothing for people who may not see insight, or before the first report."""
    request = context["request"]
    found = told.of_member(request.merchant, who.pk) if shops.may(request.staff, "insight") else None
    terms = terms_of(request.merchant) if found else None
    return {
        "who": who,
        "told": found,
        "merchant": request.merchant,
        "terms": terms,
        **member_words(found, request.merchant.currency),
    }
