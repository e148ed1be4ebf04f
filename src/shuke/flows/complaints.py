"""A complaint is settled, and the charter may give the member a coupon for it: at once, once, and said to whoever settled it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from shuke.flows import coupons
from shuke.kit.refusal import LANGUAGES
from shuke.loyalty.actions.coupons import Issued
from shuke.loyalty.queries import coupons as stored
from shuke.loyalty.queries.charters import NoCharter
from shuke.loyalty.queries.coupons.occasions import of_complaint
from shuke.service import actions
from shuke.service.models import Complaint
from shuke.service.queries import timeline_ref
from shuke.shops.models import Merchant

SAID = {
    "given": ("The member gets a coupon for it: {name}.", "已按章程发给会员优惠券：{name}。"),
    "before": (
        "The member had {name} for it before; it is given once.",
        "会员此前已因该投诉得到 {name}，同一投诉只发一次。",
    ),
    "none": ("The charter gives no coupon for it.", "章程没有为此发券的规则。"),
    "refused": ("{name} is not given: {why}", "未发 {name}：{why}"),
}


class Settled(NamedTuple):
    complaint: Complaint
    coupons: int  # that the member got by it now
    told: dict[str, str]  # language → what was given, for whoever settled it

    def say(self, language: str) -> str:
        return self.told["zh" if language.startswith("zh") else "en"]


def settle(*, merchant: Merchant, complaint_id: int, note: str, now: datetime, actor: str) -> Settled:
    """Settle a complaint. Raises ComplaintRefused. A coupon that is not given hinders nothing."""
    with transaction.atomic():
        row = actions.settle(merchant=merchant, complaint_id=complaint_id, note_text=note, now=now, actor=actor)
        occasion = of_complaint(row.member_id, timeline_ref(row))
        try:
            answers = coupons.issue_for(merchant=merchant, on="complaint", occasion=occasion, now=now)
        except NoCharter:
            answers = []
    told = {spoken: _told(merchant, answers, spoken) for spoken in LANGUAGES}
    return Settled(row, sum(len(one.coupons) for one in answers), told)


def _told(merchant: Merchant, answers: list[Issued], spoken: str) -> str:
    if not answers:
        return SAID["none"][LANGUAGES.index(spoken)]
    return " ".join(_say(merchant, one, spoken) for one in answers)


def _say(merchant: Merchant, one: Issued, spoken: str) -> str:
    row = stored.latest(merchant, one.asked.key)
    name = getattr(stored.terms_of(row).name, spoken) if row is not None else one.asked.key
    if len(one.coupons) > 1:
        name += f" ×{len(one.coupons)}"
    code = "given" if one.coupons else "before" if one.again else "refused"
    why = coupons.refusal_of(merchant, one).say(spoken) if one.code else ""
    return SAID[code][LANGUAGES.index(spoken)].format(name=name, why=why)
