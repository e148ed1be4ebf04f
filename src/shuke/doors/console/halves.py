"""Two records side by side, in words: pairs to look at, and the two halves of a merge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from shuke.doors.console import person, telling, words
from shuke.doors.console.access import StaffRequest
from shuke.flows.merge_members import Half, MergeRefused
from shuke.insight.models import MemberScore
from shuke.loyalty.models import Wallet
from shuke.loyalty.queries.merging import Standing
from shuke.members import queries as members
from shuke.members.models import Member
from shuke.members.profiles import Field
from shuke.members.queries import Pair
from shuke.shops.models import Staff, Store


def reason(code: str) -> str:
    """Why two records may be one person."""
    return {
        "same_phone": _("The same phone number and the same name"),
        "same_number": _("The same phone number under two accounts"),
        "same_name_address": _("The same name at the same address"),
        "two_matches": _("One order matched both"),
        "other_platform_id": _(
            "One order matched both, but each has an own number on one platform: probably two people"
        ),
        "renamed": _("The same order was seen under two account names"),
        "told": _("Somebody of the shop said so"),
    }.get(code, code.replace("_", " "))


def refusal(refused: MergeRefused) -> str:
    """Why a merge cannot be done, in the reader's language."""
    said = {
        "same_member": _("This is one member already. Choose another to merge with."),
        "already_merged": _("Card %(card)s was merged into another member already. Open that member, or take that merge back first."),
        "forgotten": _("Card %(card)s was erased on request. What is left has no person to merge."),
        "undone": _("Card %(card)s was put away with an undone import. Import it again first."),
        "in_chain": _("Others live on in card %(card)s, so it cannot be merged away. Merge the other way round, or take the earlier merge back first."),
        "money_held": _("Stored value is set aside for a basket (%(hold)s). Wait until the till has finished with it or it times out, or release it first."),
        "holds_open": _("%(points)s points are set aside for a basket (%(hold)s). Wait until the till has finished with them or they time out, or release them first."),
        "no_reason": _("Say in a few words why these two are the same person: it is kept with the merge."),
        "no_merge": _("There is no such merge."),
    }  # fmt: skip
    return said[refused.code] % refused.params if refused.code in said else str(refused)


def pairs(request: StaffRequest, found: Iterable[Pair]) -> list[dict[str, Any]]:
    """Both records of each pair with what helps to tell, fetched together."""
    found = list(found)
    ids = sorted({m.pk for pair in found for m in (pair.one, pair.other)})
    scores = MemberScore.objects.filter(merchant=request.merchant).in_bulk(ids)
    wallets = Wallet.objects.filter(merchant=request.merchant).in_bulk(ids)
    says = person.Says(request)
    return [
        {
            "one": pair.one,
            "other": pair.other,
            "reasons": [reason(code) for code in pair.reasons],
            "doubtful": "other_platform_id" in pair.reasons,
            "day": says.day(pair.noted_at),
            "sides": [_side(request, says, m, scores.get(m.pk), wallets.get(m.pk)) for m in (pair.one, pair.other)],
        }
        for pair in found
    ]


def _side(
    request: StaffRequest, says: person.Says, member: Member, score: MemberScore | None, wallet: Wallet | None
) -> dict[str, Any]:
    known = [f"{i.realm or i.kind}: {i.shown}" for i in members.identities_of(request.merchant, member.pk) if i.shown]
    return {
        "member": member,
        "facts": [
            (_("Card"), member.card),
            (_("Phone"), member.phone_hint),
            (_("Place"), f"{member.province} {member.city}".strip()),
            (_("Birthday"), person.birthday(member.birth_year, member.birth_month, member.birth_day, member.birth_lunar)),
            (_("Known as"), " · ".join(known[:4])),
            (_("Joined"), says.day(member.joined_at)),
            (_("Orders"), f"{score.order_count:,} · {says.money(score.net_minor)}" if score and score.order_count else ""),
            (_("Last purchase"), says.day(score.last_paid_at) if score and score.last_paid_at else ""),
            (_("Points"), f"{wallet.balance:,}" if wallet else ""),
        ],
    }  # fmt: skip


def half(request: StaffRequest, one: Half) -> dict[str, Any]:
    return {
        "member": one.member,
        "orders": one.orders,
        "net": person.Says(request).money(one.net_minor),
        "identities": [f"{realm or kind}: {shown or '•••'}" for kind, realm, shown in one.identities],
        "contacts": one.contacts,
        "lines": one.lines,
        "standing": standing(one.standing),
    }


def standing(one: Standing | None) -> dict[str, Any] | None:
    if one is None:
        return None
    language = "zh" if words.language().startswith("zh") else "en"
    return {**one._asdict(), "tier_name": one.tier_name[language]}


def consents(rows: Sequence[tuple[str, str, bool | None, bool | None, bool]]) -> list[dict[str, Any]]:
    return [
        {"what": f"{telling.channel(channel)} · {telling.purpose(purpose)}", "mine": a, "theirs": b, "holds": holds}
        for channel, purpose, a, b, holds in rows
    ]


def field(request: StaffRequest, one: Field) -> dict[str, Any]:
    """A line of the comparison with both values as a person reads them."""
    return {
        "key": one.key,
        "label": _label(request, one.key),
        "mine": _shown(request, one.key, one.survivor),
        "theirs": _shown(request, one.key, one.absorbed),
        "wins": one.wins,
        "choose": one.can_choose and one.key != "joined_at",
    }


def _label(request: StaffRequest, key: str) -> str:
    if key.startswith("attribute:"):
        plain = key.removeprefix("attribute:")
        kind = next((k for k in members.attribute_kinds(request.merchant) if k.key == plain), None)
        if kind is None:
            return plain
        return kind.label_zh if words.language().startswith("zh") else kind.label_en
    return {
        "name": _("Name"),
        "nickname": _("Nickname"),
        "gender": _("Gender"),
        "birthday": _("Birthday"),
        "place": _("Place"),
        "phone": _("Phone"),
        "occupation": _("Occupation"),
        "income_band": _("Income band"),
        "home_store": _("Home store"),
        "served_by": _("Served by"),
        "referred_by": _("Brought by"),
        "acquisition": _("Came by"),
        "tags": _("Tags"),
        "note": _("Remark"),
        "joined_at": _("Joined"),
    }[key]


def _shown(request: StaffRequest, key: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if key == "birthday":
        return person.birthday(*value)
    if key == "gender":
        return _("female") if value == "f" else _("male")
    if key == "joined_at":
        return person.Says(request).day(value)
    if key == "acquisition":
        how, cost = value
        return f"{how} · {person.Says(request).money(cost)}" if cost is not None else how
    if key == "home_store":
        return next((s.name for s in Store.objects.filter(merchant=request.merchant, pk=value)), "")
    if key == "served_by":
        return next((s.name or s.username for s in Staff.objects.filter(merchant=request.merchant, pk=value)), "")
    if key == "referred_by":
        return next((str(m) for m in Member.objects.filter(merchant=request.merchant, pk=value)), "")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    return str(value)
