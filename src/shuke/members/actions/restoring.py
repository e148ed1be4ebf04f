"""What a file of customers told about members who were known already, so that it can be taken back.

`profiles` looks at members before and after a chunk of such a file, `difference` says what it filled in or changed, and
`give_back` puts back what has not been changed again since. A value that somebody has corrected meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from shuke.kit import bulk
from shuke.members.actions.consents import UNDONE, Statement, consent
from shuke.members.actions.contacts import remove_contacts
from shuke.members.actions.profile import refresh_terms
from shuke.members.models import Consent, Contact, Identity, Member, MemberState
from shuke.shops.models import Merchant

_FIELDS = (
    "name", "nickname", "nickname_at", "gender", "birth_year", "birth_month", "birth_day", "birth_lunar", "province", "city",
    "home_store_id", "acquired_by", "joined_at", "note",
)  # fmt: skip
_TOGETHER = (
    ("birth_year", "birth_month", "birth_day", "birth_lunar"),
    ("province", "city"),
    ("nickname", "nickname_at"),
)
_BOOKED = ("birth_month", "joined_at")  # what points are reckoned by
_MISSING = None  # an attribute that is not there: none is kept without a value


class Profile(NamedTuple):
    """One member as far as a file of customers can change it. Moments in ISO form, so that JSON can hold it."""

    fields: dict[str, Any]
    attributes: dict[str, Any]
    identities: dict[int, str]  # id → when it was last met
    contacts: dict[int, str]


class GivenBack(NamedTuple):
    """What was put back."""

    members: int
    fields: int
    kept: int  # values that something later changed: they stay
    rebooked: set[int]  # members whose books depend on what was put back


def profiles(*, merchant: Merchant, member_ids: Iterable[int]) -> dict[int, Profile]:
    """These members as they are now; those that are not active are left out."""
    wanted = sorted(set(member_ids))
    found: dict[int, Profile] = {}
    for start in range(0, len(wanted), 5_000):
        part = wanted[start : start + 5_000]
        rows = Member.objects.filter(merchant=merchant, id__in=part, state=MemberState.ACTIVE)
        for member in rows.only("id", "attributes", *(f.removesuffix("_id") for f in _FIELDS)):
            fields = {name: _plain(getattr(member, name)) for name in _FIELDS}
            found[member.id] = Profile(fields, dict(member.attributes), {}, {})
        mine = {"merchant": merchant, "member_id__in": part}
        place = ("member_id", "id", "last_seen_at")
        for member_id, pk, last in Identity.objects.filter(**mine).values_list(*place):
            if member_id in found:
                found[member_id].identities[pk] = last.isoformat()
        for member_id, pk, last in Contact.objects.filter(**mine).values_list(*place):
            if member_id in found:
                found[member_id].contacts[pk] = last.isoformat()
    return found


def difference(before: Profile, after: Profile) -> dict[str, Any] | None:
    """What changed between two looks at one member, as JSON can hold it; None if nothing did."""
    fields = {n: [before.fields[n], after.fields[n]] for n in _FIELDS if before.fields[n] != after.fields[n]}
    keys = sorted(before.attributes.keys() | after.attributes.keys())
    pairs = {key: [before.attributes.get(key, _MISSING), after.attributes.get(key, _MISSING)] for key in keys}
    told = {
        "fields": fields,
        "attributes": {key: pair for key, pair in pairs.items() if pair[0] != pair[1]},
        "identities": {str(pk): last for pk, last in after.identities.items() if pk not in before.identities},
        "contacts": {str(pk): last for pk, last in after.contacts.items() if pk not in before.contacts},
    }
    return told if any(told.values()) else None


def together(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """Two differences of one member, one after the other, as one."""
    joined: dict[str, Any] = {}
    for part in ("fields", "attributes"):
        pairs = {name: list(pair) for name, pair in first[part].items()}
        for name, (before, after) in then[part].items():
            pairs[name] = [pairs[name][0] if name in pairs else before, after]
        joined[part] = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    for part in ("identities", "contacts"):
        joined[part] = {**first[part], **then[part]}
    return joined


def give_back(
    *, merchant: Merchant, changes: Mapping[int, Mapping[str, Any]], batch_id: int, now: datetime, actor: str
) -> GivenBack:
    """Put back what `changes` (by member, as `difference` says it) did, as far as nothing has changed it again.

    Identities and contacts the file had brought go, unless they were met since. Consents it stated are answered by a
    statement that says again what held before: what was said is proof and is never erased. Members who are no longer
    active are left alone.
    """
    fields = kept = 0
    touched: set[int] = set()
    rebooked: set[int] = set()
    with transaction.atomic():
        members = Member.objects.filter(merchant=merchant, id__in=list(changes), state=MemberState.ACTIVE)
        for member in members.order_by("id").select_for_update():
            told = changes[member.id]
            texts = _texts_of(merchant, member)
            put_back, left = _put_fields_back(member, told["fields"])
            for key, (before, after) in told["attributes"].items():
                if member.attributes.get(key, _MISSING) != after:
                    left += 1
                    continue
                put_back.append(f"attributes.{key}")
                if before is _MISSING:
                    del member.attributes[key]
                else:
                    member.attributes[key] = before
            if put_back:
                member.save()
            gone = _unmet(merchant, Identity, member, told["identities"])
            Identity.objects.filter(merchant=merchant, id__in=gone).delete()
            contacts = _unmet(merchant, Contact, member, told["contacts"])
            remove_contacts(merchant=merchant, contact_ids=contacts, now=now, actor=actor)
            if {"name", "nickname"} & set(put_back) or gone:
                refresh_terms(merchant, member, texts)
            if "joined_at" in put_back:
                bulk.execute(
                    "UPDATE members_timeline SET at = %s WHERE merchant_id = %s AND member_id = %s AND kind = 'joined'",
                    [bulk.moment()(member.joined_at), merchant.id, member.id],
                )
            if set(_BOOKED) & set(put_back):
                rebooked.add(member.id)
            if put_back or gone or contacts:
                touched.add(member.id)
            fields += len(put_back) + len(gone) + len(contacts)
            kept += left
        _answer_consents(merchant, batch_id, now, actor)
    return GivenBack(len(touched), fields, kept, rebooked)


def _put_fields_back(member: Member, told: Mapping[str, Sequence[Any]]) -> tuple[list[str], int]:
    """Names of the fields put back, and how many were left because they differ from what the file had made of them."""
    changed_since = {name for name, (_, after) in told.items() if _plain(getattr(member, name)) != after}
    for group in _TOGETHER:  # half of a birthday is none
        if changed_since & set(group):
            changed_since |= set(group) & told.keys()
    put_back = []
    for name, (before, _) in told.items():
        if name not in changed_since:
            is_moment = name.endswith("_at") and before is not None
            setattr(member, name, datetime.fromisoformat(before) if is_moment else before)
            put_back.append(name)
    return put_back, len(changed_since)


def _unmet(merchant: Merchant, model: Any, member: Member, brought: Mapping[str, str]) -> list[int]:
    """Of what the file brought: still this member's, and not met again since."""
    rows = model.objects.filter(merchant=merchant, member=member, id__in=[int(pk) for pk in brought])
    return [pk for pk, last in rows.values_list("id", "last_seen_at") if last.isoformat() == brought[str(pk)]]


def _answer_consents(merchant: Merchant, batch_id: int, now: datetime, actor: str) -> None:
    """Say again what held before the file spoke, where what it said still holds."""
    source = f"import:{batch_id}"
    spoken = Consent.objects.filter(merchant=merchant, source=source, member__state=MemberState.ACTIVE)
    statements = []
    for member_id, channel, purpose in spoken.values_list("member_id", "channel", "purpose").distinct():
        said = Consent.objects.filter(merchant=merchant, member_id=member_id, channel=channel, purpose=purpose)
        latest = said.order_by("-at", "-id").first()
        if latest is None or latest.source != source:
            continue
        before = said.exclude(source=source).order_by("-at", "-id").first()
        granted = before.granted if before is not None else False
        if granted != latest.granted:
            undone = f"{UNDONE}{batch_id}"
            statements.append(Statement(member_id, channel, purpose, granted, now, undone, actor=actor))
    consent(merchant=merchant, statements=statements, now=now)


def _texts_of(merchant: Merchant, member: Member) -> list[str]:
    former = Identity.objects.filter(merchant=merchant, member=member, kind="nickname").values_list("shown", flat=True)
    return [member.name, member.nickname, *former]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
