"""What the channels and purposes of consent, and the special days of a life, are called on screen."""

from __future__ import annotations

from django.utils.translation import gettext as _


def channels() -> dict[str, str]:
    return {
        "sms": _("SMS"),
        "email": _("E-mail"),
        "wecom": _("WeCom"),
        "phone": _("Phone call"),
        "post": _("Post"),
        "any": _("Any channel"),
    }


def purposes() -> dict[str, str]:
    return {
        "order": _("orders"),
        "care": _("care"),
        "promotion": _("promotions"),
        "new_goods": _("new goods"),
        "event": _("events"),
        "survey": _("surveys"),
    }


def channel(code: str) -> str:
    return channels().get(code, code)


def purpose(code: str) -> str:
    return {**purposes(), "coalition": _("coalition")}.get(code, code)
