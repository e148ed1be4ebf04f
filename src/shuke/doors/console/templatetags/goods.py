"""What a member needs next. `{% load goods %}  {% member_needs who %}`"""

from __future__ import annotations

from typing import Any

from django import template

from shuke.members.models import Member
from shuke.shops import queries as shops

register = template.Library()


@register.inclusion_tag("console/parts/member_needs.html", takes_context=True)
def member_needs(context: template.Context, who: Member) -> dict[str, Any]:
    """A card that fetches itself: what is learnt of goods is a file to be read, and nobody should wait for it."""
    return {"who": who if shops.may(context["request"].staff, "insight") else None}
