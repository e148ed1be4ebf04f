"""The people of the shop: let in, given a role and stores, shut out, let in again.

Whoever changes an account is either a person (`by`, who must be an owner at that moment and never changes their own) or
the operator at the command line (`actor`). All accounts of the shop are locked while one is changed, so that two owners who
close each other at once cannot both succeed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from shuke.kit import audit
from shuke.shops import queries
from shuke.shops.actions.account_log import noted
from shuke.shops.actions.factors import forget_factor
from shuke.shops.actions.passwords import ONE_TIME, checked, new_password
from shuke.shops.actions.refusals import StaffRefused, UsernameTaken
from shuke.shops.actions.sessions import end_sessions
from shuke.shops.models import ApiToken, FactorAsked, Merchant, Post, Role, Staff, Store

_USERNAME = re.compile(r"[\w.@+-]{1,60}")


def create_staff(
    *,
    merchant: Merchant,
    username: str,
    password: str,
    role: Role | str,
    now: datetime,
    name: str = "",
    store: Store | None = None,
    actor: str = "",
) -> Staff:
    """Let somebody sign in with this password. Refuses a taken name and a weak password."""
    return _create(merchant, username, password, role, name, [store] if store else [], None, "", now, actor or "system")


def add_staff(
    *,
    merchant: Merchant,
    username: str,
    role: Role | str,
    reason: str,
    now: datetime,
    name: str = "",
    stores: Iterable[Store] = (),
    password: str = "",
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> tuple[Staff, str]:
    """Let a colleague in. Answers the account and its one-time password, "" where one was given (which then stays)."""
    with transaction.atomic():
        actor = _may(merchant, by, actor)
        why = _reason(reason)
        told = password or new_password()
        until = None if password else now + ONE_TIME
        person = _create(merchant, username, told, role, name, stores, until, why, now, actor, address)
    return person, "" if password else told


def _create(
    merchant: Merchant, username: str, password: str, role: Role | str, name: str, stores: Iterable[Store],
    one_time_until: datetime | None, reason: str, now: datetime, actor: str, address: str = "",
) -> Staff:  # fmt: skip
    username = unicodedata.normalize("NFKC", username).strip()
    if not _USERNAME.fullmatch(username):
        raise StaffRefused("username_wrong", username=username)
    if Staff.objects.filter(username__iexact=username).exists():  # who reads a list would take the two for one
        raise UsernameTaken(username)
    places = list(stores)
    person = Staff(
        merchant=merchant, username=username, name=name.strip()[:60], role=_role(role), one_time_until=one_time_until,
        store=places[0] if len(places) == 1 else None,
    )  # fmt: skip
    person.set_password(checked(password, person))
    with transaction.atomic():
        # Beside somebody who takes the name in the same instant the constraint decides.
        if not Staff.objects.bulk_create([person], ignore_conflicts=True) or not _is_there(person):
            raise UsernameTaken(username)
        _post(merchant, person, places)
        detail: dict[str, Any] = {"role": str(person.role)}
        if reason:
            detail |= {"stores": [one.code for one in places], "reason": reason}
        noted(person, "created", now, actor, address, detail)
    return person


def _is_there(person: Staff) -> bool:
    return Staff.objects.filter(pk=person.pk).exists()


def change_staff(
    *,
    merchant: Merchant,
    username: str,
    reason: str,
    now: datetime,
    role: Role | str | None = None,
    stores: Iterable[Store] | None = None,
    name: str | None = None,
    revision: int | None = None,
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> Staff:
    """Another role, other stores, another name; what is None stays. `revision` is the state it was changed upon.

    A person whose role changes is signed out everywhere: no page that is still open shows what they may no longer see.
    """
    with transaction.atomic():
        person, actor = _account(merchant, username, revision, by, actor)
        why = _reason(reason)
        if not person.is_active:
            raise StaffRefused("closed", username=person.username)
        detail: dict[str, Any] = {}
        if role is not None and (asked := _role(role)) != person.role:
            if person.role == Role.OWNER:
                _not_the_last_owner(merchant, person)
            detail["role"] = [person.role, str(asked)]
            person.role = asked
            end_sessions(person)
        if stores is not None:
            places = list(dict.fromkeys(stores))
            had = queries.posts(person)
            if {one.pk for one in places} != {one.pk for one in had}:
                detail["stores"] = [sorted(one.code for one in some) for some in (had, places)]
                Post.objects.filter(merchant=merchant, staff=person).delete()
                _post(merchant, person, places)
                if person.store_id not in {one.pk for one in places}:
                    person.store = None
                if len(places) == 1:
                    person.store = places[0]
        if name is not None and name.strip()[:60] != person.name:
            person.name = name.strip()[:60]
            detail["name"] = "changed"  # the log is no place for names
        if detail:
            person.revision += 1
            person.save(update_fields=["role", "store", "name", "revision"])
            noted(person, "changed", now, actor, address, detail | {"reason": why})
    return person


def reset_password(
    *,
    merchant: Merchant,
    username: str,
    reason: str,
    now: datetime,
    password: str = "",
    revision: int | None = None,
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> str:
    """A one-time password for whoever forgot theirs; "" where `password` was given, which then stays. They are signed out
    everywhere."""
    with transaction.atomic():
        person, actor = _account(merchant, username, revision, by, actor)
        why = _reason(reason)
        if not person.is_active:
            raise StaffRefused("closed", username=person.username)
        told = _fresh_password(person, password, now)
        person.revision += 1
        person.save(update_fields=["password", "one_time_until", "revision"])
        end_sessions(person)
        noted(person, "password_reset", now, actor, address, {"reason": why})
    return told


def take_factor(
    *,
    merchant: Merchant,
    username: str,
    reason: str,
    now: datetime,
    revision: int | None = None,
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> Staff:
    """The phone is gone, and the recovery codes with it: the password alone opens again, and they are signed out everywhere.
    Where the shop asks for a second factor, they set up a new one when they sign in."""
    with transaction.atomic():
        person, actor = _account(merchant, username, revision, by, actor)
        why = _reason(reason)
        if person.factor_since is None:
            raise StaffRefused("no_factor", username=person.username)
        forget_factor(person)
        person.revision += 1
        person.save(update_fields=["revision"])
        noted(person, "factor_taken", now, actor, address, {"reason": why, "sessions": end_sessions(person)})
    return person


def ask_for_factor(
    *,
    merchant: Merchant,
    asked: str,
    reason: str,
    now: datetime,
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> bool:
    """Of whom the shop wants a second factor. Who has none sets one up at their next page. False: it was so already."""
    with transaction.atomic():
        held = Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        actor = _may(merchant, by, actor)
        if asked not in FactorAsked.values:
            raise StaffRefused("no_such_rule", asked=asked, rules=", ".join(FactorAsked.values))
        why = _reason(reason)
        if held.factor_asked == asked:
            return False
        before, held.factor_asked = held.factor_asked, asked
        held.save(update_fields=["factor_asked"])
        audit.record(
            merchant_id=held.pk, at=now, actor=actor, verb="shop.factor_asked", object=f"merchant {held.pk}",
            detail={"asked": [before, asked], "reason": why}, address=address,
        )  # fmt: skip
    merchant.factor_asked = asked
    return True


def close_staff(
    *,
    merchant: Merchant,
    username: str,
    reason: str,
    now: datetime,
    revision: int | None = None,
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> Staff:
    """Shut somebody out, at once: their sessions end and their tokens are revoked. What they did stays under their name."""
    with transaction.atomic():
        person, actor = _account(merchant, username, revision, by, actor)
        why = _reason(reason)
        if not person.is_active:
            raise StaffRefused("closed_already", username=person.username)
        if person.role == Role.OWNER:
            _not_the_last_owner(merchant, person)
        person.is_active = False
        person.revision += 1
        person.save(update_fields=["is_active", "revision"])
        theirs = ApiToken.objects.filter(merchant=merchant, staff=person, revoked_at__isnull=True)
        detail = {"reason": why, "sessions": end_sessions(person), "tokens": theirs.update(revoked_at=now)}
        noted(person, "closed", now, actor, address, detail)
    return person


def reopen_staff(
    *,
    merchant: Merchant,
    username: str,
    reason: str,
    now: datetime,
    password: str = "",
    revision: int | None = None,
    by: Staff | None = None,
    actor: str = "",
    address: str = "",
) -> tuple[Staff, str]:
    """Let somebody in again, with the role they had and a new one-time password. Their tokens stay revoked."""
    with transaction.atomic():
        person, actor = _account(merchant, username, revision, by, actor)
        why = _reason(reason)
        if person.is_active:
            raise StaffRefused("open_already", username=person.username)
        told = _fresh_password(person, password, now)
        person.is_active = True
        person.revision += 1
        person.save(update_fields=["is_active", "password", "one_time_until", "revision"])
        noted(person, "reopened", now, actor, address, {"reason": why, "role": person.role})
    return person, told


def stand_at(*, staff: Staff, store: Store | None) -> None:
    """Where somebody works today, of the stores that are theirs."""
    with transaction.atomic():
        person = Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
        theirs = {one.pk for one in queries.posts(person)}
        if store is not None and (store.merchant_id != person.merchant_id or (theirs and store.pk not in theirs)):
            raise StaffRefused("not_your_post")
        person.store = store
        person.save(update_fields=["store"])
    staff.store = store


def stores_named(merchant: Merchant, named: Iterable[str]) -> list[Store]:
    """Stores by code or name, or by platform:code where two platforms use the same."""
    known, found = queries.stores(merchant), []
    for text in named:
        hits = [one for one in known if text.strip() in (one.code, one.name, f"{one.platform}:{one.code}", str(one.pk))]
        if len(hits) != 1:
            there = ", ".join(f"{one.platform}:{one.code}" for one in known)
            raise StaffRefused("no_such_store", store=text, stores=there)
        found += hits
    return list(dict.fromkeys(found))


# ---- what all of them share -----------------------------------------------------------------------------------------


def _may(merchant: Merchant, by: Staff | None, actor: str) -> str:
    """Who acts, for the log. A person must be allowed to at this moment, whatever their page said."""
    if by is None:
        return actor or "system"
    fresh = Staff.objects.filter(merchant=merchant, pk=by.pk).first()
    if fresh is None or not queries.may(fresh, "staff"):
        raise StaffRefused("not_allowed")
    return fresh.username


def _account(
    merchant: Merchant, username: str, revision: int | None, by: Staff | None, actor: str
) -> tuple[Staff, str]:
    """The account, as it is now, with all of the shop's locked in one order."""
    everybody = list(Staff.objects.select_for_update(no_key=True).filter(merchant=merchant).order_by("pk"))
    actor = _may(merchant, by, actor)
    person = next((one for one in everybody if one.username == username), None)
    if person is None:
        raise StaffRefused("no_such_person", username=username)
    if by is not None and person.pk == by.pk:
        raise StaffRefused("own_account")
    if revision is not None and revision != person.revision:
        raise StaffRefused("changed_meanwhile", username=person.username)
    return person, actor


def _not_the_last_owner(merchant: Merchant, person: Staff) -> None:
    others = Staff.objects.filter(merchant=merchant, role=Role.OWNER, is_active=True).exclude(pk=person.pk)
    if not others.exists():
        raise StaffRefused("last_owner", username=person.username)


def _role(role: Role | str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        raise StaffRefused("no_such_role", role=role, roles=", ".join(Role.values)) from error


def _reason(reason: str) -> str:
    if not reason.strip():
        raise StaffRefused("no_reason")
    return reason.strip()[:200]


def _fresh_password(person: Staff, password: str, now: datetime) -> str:
    """Sets the one given, which stays, or makes one for a single use; what to tell the person."""
    told = "" if password else new_password()
    person.set_password(checked(password, person) if password else told)
    person.one_time_until = now + ONE_TIME if told else None
    return told


def _post(merchant: Merchant, person: Staff, places: Iterable[Store]) -> None:
    Post.objects.bulk_create([Post(merchant=merchant, staff=person, store=one) for one in places])
