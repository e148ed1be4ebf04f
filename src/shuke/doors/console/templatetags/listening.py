"""Complaints in words, for console and counter. `{% load listening %}`

{{ complaint.channel|came }}  {% complaint_ways as ways %}: code and name of each way a complaint can come
"""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from shuke.service.queries import CHANNELS, channel_name

register = template.Library()


@register.filter
def came(channel: str) -> str:
    return channel_name(channel, get_language() or "zh")


@register.simple_tag
def complaint_ways() -> list[tuple[str, str]]:
    return [(code, came(code)) for code in CHANNELS]
