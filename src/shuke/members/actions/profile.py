"""What staff do to a member's profile by hand. Each deed leaves a line on the timeline that names fields, not values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.engine.facts import Birthday
from shuke.kit import bulk
from shuke.kit.refusal import Refusal
from shuke.members import terms, values
from shuke.members.actions.timeline import Note, note
from shuke.members.actions.writing import find_by
from shuke.members.models import Identity, Member, MemberState
from shuke.members.queries import NoSuchMember
from shuke.shops.models import Merchant, Staff, Store

_TEXTS = {
    "name": 100,
    "nickname": 100,
    "gender": 1,
    "province": 40,
    "city": 40,
    "acquired_by": 60,
    "note": 10_000,
    "occupation": 60,
    "income_band": 30,
}
_LINKS = {"home_store": Store, "served_by": Staff, "referred_by": Member}


REFUSALS = {
    "too_long": (
        "{field}: at most {most} characters, this has {count}.",
        "{field}：最多 {most} 个字符，现有 {count} 个。",
    ),
    "bad_gender": ("gender: f, m or empty, not “{told}”.", "性别：f、m 或留空，不能是“{told}”。"),
    "bad_birthday": ("birthday: there is no day {day} of month {month}.", "生日：{month} 月没有 {day} 日。"),
    "no_birthday": (
        "birthday: a facts.Birthday, or None where it is not known.",
        "生日：应为 facts.Birthday，未知时为 None。",
    ),
    "bad_cost": (
        "acquisition_cost_minor: a whole number of minor units, not below 0.",
        "获客成本：以最小货币单位计的整数，不能小于 0。",
    ),
    "no_such_link": ("{field}: this merchant has no {what} {told}.", "{field}：本商家没有 {what} {told}。"),
    "own_referrer": ("referred_by: nobody can have brought themselves.", "推荐人：不能是会员本人。"),
    "no_such_field": (
        "{field}: no such field. Custom attributes are set by set_attributes.",
        "{field}：没有这个字段。自定义属性请用 set_attributes 设置。",
    ),
    "empty_note": ("note: there is nothing written in it.", "备注：内容为空。"),
    "bad_tag": ("tag: 1 to 30 characters, not “{told}”.", "标签：1 到 30 个字符，不能是“{told}”。"),
}


class BadProfile(Refusal):
    """A field that cannot be set so; the message says which and what is allowed."""

    sentences = REFUSALS


def edit_profile(
    *, merchant: Merchant, member_id: int, changes: Mapping[str, Any], now: datetime, actor: str
) -> Member:
    """Change profile fields of one member; returns the member as it is now.

    Fields: name, nickname, gender (f, m or empty), birthday (facts.Birthday or None), province, city, occupation,
    income_band, acquired_by, acquisition_cost_minor, note, and home_store, served_by, referred_by by id or None. Then the search is brought up
    to date, and one "profile.edited" line is written. Numbers and addresses inside texts are masked: they belong
    among the contacts. Raises BadProfile, NoSuchMember.
    """
    with transaction.atomic():
        member = _locked(merchant, [member_id])[0]
        before = _texts_of(merchant, member)
        changed = []
        for field, value in changes.items():
            if _set(merchant, member, field, value, now):
                changed.append(field)
        if not changed:
            return member
        member.save()
        if "name" in changed or "nickname" in changed:
            refresh_terms(merchant, member, before)
        note(
            merchant=merchant,
            lines=[Note(member.id, now, "profile.edited", "", {"fields": sorted(changed), "by": actor})],
            now=now,
        )
    return member


def _set(merchant: Merchant, member: Member, field: str, value: Any, now: datetime) -> bool:
    if field in _TEXTS:
        text = values.without_contacts(str(value or "").strip())
        if len(text) > _TEXTS[field]:
            raise BadProfile("too_long", field=field, most=_TEXTS[field], count=len(text))
        if field == "gender" and text not in ("", "f", "m"):
            raise BadProfile("bad_gender", told=text)
        if getattr(member, field) == text:
            return False
        setattr(member, field, text)
        if field == "nickname":
            member.nickname_at = now
        return True
    if field == "birthday":
        if value is not None and not isinstance(value, Birthday):
            raise BadProfile("no_birthday")
        new = (None, None, None, False) if value is None else (value.year or None, value.month, value.day, value.lunar)
        if new[1] is not None and not (1 <= new[1] <= 12 and 1 <= (new[2] or 0) <= 31):
            raise BadProfile("bad_birthday", day=new[2], month=new[1])
        if new == (member.birth_year, member.birth_month, member.birth_day, member.birth_lunar):
            return False
        member.birth_year, member.birth_month, member.birth_day, member.birth_lunar = new
        return True
    if field == "acquisition_cost_minor":
        if value is not None and (not isinstance(value, int) or value < 0):
            raise BadProfile("bad_cost")
        if member.acquisition_cost_minor == value:
            return False
        member.acquisition_cost_minor = value
        return True
    if field in _LINKS:
        if value is not None and not _LINKS[field]._default_manager.filter(merchant=merchant, id=value).exists():
            raise BadProfile("no_such_link", field=field, what=_LINKS[field].__name__.lower(), told=value)
        if value == member.id and field == "referred_by":
            raise BadProfile("own_referrer")
        if getattr(member, field + "_id") == value:
            return False
        setattr(member, field + "_id", value)
        return True
    raise BadProfile("no_such_field", field=field)


def _locked(merchant: Merchant, member_ids: Iterable[int]) -> list[Member]:
    wanted = sorted(set(member_ids))
    members = list(Member.objects.filter(merchant=merchant, id__in=wanted).order_by("id").select_for_update())
    missing = sorted(set(wanted) - {member.id for member in members})
    if missing:
        raise NoSuchMember(missing[0])
    return members


def _texts_of(merchant: Merchant, member: Member) -> list[str]:
    """Every text this member is found by."""
    former = Identity.objects.filter(merchant=merchant, member=member, kind="nickname").values_list("shown", flat=True)
    return [member.name, member.nickname, *former]


def refresh_terms(merchant: Merchant, member: Member, before: Sequence[str]) -> None:
    """After a change of names: take out the terms that no name has any more, add the new ones."""
    texts = _texts_of(merchant, member)
    now_found_by = set().union(*[terms.of_text(text) for text in texts])
    gone = set().union(*[terms.of_text(text) for text in before]) - now_found_by
    for term in sorted(gone):
        bulk.execute(
            "DELETE FROM members_search_term WHERE merchant_id = %s AND term = %s AND member_id = %s",
            [merchant.id, term, member.id],
        )
    find_by(merchant.id, [(member.id, text) for text in texts])


def add_note(*, merchant: Merchant, member_id: int, text: str, now: datetime, actor: str) -> None:
    """Put a remark of a member of staff on the timeline ("comment"). Numbers in it are masked."""
    text = values.without_contacts(text.strip())
    if not text:
        raise BadProfile("empty_note")
    with transaction.atomic():
        _locked(merchant, [member_id])
        note(merchant=merchant, lines=[Note(member_id, now, "comment", "", {"text": text, "by": actor})], now=now)


def add_tags(*, merchant: Merchant, member_ids: Sequence[int], tags: Sequence[str], now: datetime, actor: str) -> int:
    """Tag members; returns how many did not have all of the tags already."""
    wanted = _tags(tags)
    return _retag(merchant, member_ids, lambda own: own + [tag for tag in wanted if tag not in own], now, actor)


def remove_tags(
    *, merchant: Merchant, member_ids: Sequence[int], tags: Sequence[str], now: datetime, actor: str
) -> int:
    """Take tags off members; returns how many had one of them."""
    unwanted = set(_tags(tags))
    return _retag(merchant, member_ids, lambda own: [tag for tag in own if tag not in unwanted], now, actor)


def _tags(tags: Sequence[str]) -> list[str]:
    plain = list(dict.fromkeys(tag.strip() for tag in tags))
    for tag in plain:
        if not tag or len(tag) > 30:
            raise BadProfile("bad_tag", told=tag)
    return plain


def _retag(merchant: Merchant, member_ids: Sequence[int], change, now: datetime, actor: str) -> int:
    with transaction.atomic():
        changed, lines = [], []
        for member in _locked(merchant, member_ids):
            own = list(member.tags)
            member.tags = change(own)
            if member.tags != own:
                changed.append(member)
                body = {
                    "added": [t for t in member.tags if t not in own],
                    "removed": [t for t in own if t not in member.tags],
                }
                lines.append(Note(member.id, now, "tags.changed", "", {**body, "by": actor}))
        Member.objects.bulk_update(changed, ["tags"], batch_size=500)
        note(merchant=merchant, lines=lines, now=now)
    return len(changed)


def undo_created(*, merchant: Merchant, member_ids: Sequence[int], now: datetime, actor: str = "") -> int:
    """Put away members that an undone import had made; returns how many. They wake up when they are met again.

    The caller has made sure that nothing else hangs on them. Already undone, merged or forgotten ones stay as they are.
    """
    with transaction.atomic():
        active = [m for m in _locked(merchant, member_ids) if m.state == MemberState.ACTIVE]
        if active:
            condition, parameter = bulk.among("id", [m.id for m in active])
            bulk.execute(
                f"UPDATE members_member SET state = %s WHERE merchant_id = %s AND {condition}",
                [MemberState.UNDONE.value, merchant.id, parameter],
            )
        note(merchant=merchant, lines=[Note(m.id, now, "undone", "", {"by": actor}) for m in active], now=now)
    return len(active)
