"""The people of the shop: who signs in, as what, where; let in, changed, given a new password, shut out and let in again.

Owners change, auditors look. Every deed asks why, and is refused when somebody else changed the account after this page was
opened. A password that was made is on the page that answers, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from shuke.doors.console import person, words
from shuke.doors.console.access import StaffRequest, console
from shuke.kit.models import AuditLine
from shuke.members import queries as members
from shuke.members.actions.own_cards import tell_own_card
from shuke.members.queries.own_cards import own_member
from shuke.shops import actions
from shuke.shops import queries as shops
from shuke.shops.models import FactorAsked, Role, Staff

READERS = (Role.OWNER, Role.AUDITOR)


@console(*READERS)
@never_cache
@sensitive_variables("password")
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: StaffRequest) -> HttpResponse:
    """Everybody with an account, what each role may do, and the form to let somebody in."""
    status = 200
    if request.method == "POST" and request.POST.get("do") == "factor":
        return _ask_for_factor(request)
    if request.method == "POST":
        _may_change(request)
        try:
            one, password = actions.add_staff(
                merchant=request.merchant,
                username=request.POST.get("username", ""),
                name=request.POST.get("name", ""),
                role=request.POST.get("role", ""),
                stores=_stores(request),
                reason=request.POST.get("reason", ""),
                now=request.now,
                by=request.staff,
                address=request.META.get("REMOTE_ADDR", ""),
            )
        except actions.StaffRefused as refused:
            messages.warning(request, refused.say(words.language()))
            status = 422
        else:
            return _show_password(request, one, password)
    says, posts = person.Says(request), shops.posts_of_all(request.merchant)
    found = shops.staff(request.merchant)
    context = {
        "people": [
            {"one": one, "stores": posts.get(one.pk, []), "seen": _seen(request, says, one), "own": one.pk == request.staff.pk}
            for one in found
        ],
        "roles": roles(),
        "stores": shops.stores(request.merchant),
        "told": request.POST,
        "chosen": request.POST.getlist("stores"),
        "may_change": shops.may(request.staff, "staff"),
        "factor_rules": [
            {"code": code, "name": name, "holds": code == request.merchant.factor_asked} for code, name in factor_rules()
        ],
        "alone": len(shops.deciders(request.merchant)) < 2,
    }  # fmt: skip
    return render(request, "console/people.html", context, status=status)


def _ask_for_factor(request: StaffRequest) -> HttpResponse:
    _may_change(request)
    try:
        changed = actions.ask_for_factor(
            merchant=request.merchant,
            asked=request.POST.get("asked", ""),
            reason=request.POST.get("reason", ""),
            now=request.now,
            by=request.staff,
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except actions.StaffRefused as refused:
        messages.warning(request, refused.say(words.language()))
    else:
        said = _("Saved. It holds from everybody's next page on.") if changed else _("It was so already.")
        messages.success(request, said)
    return redirect("console:people")


def factor_rules() -> list[tuple[str, str]]:
    """Of whom a second factor can be asked, in words."""
    return [
        (FactorAsked.NOBODY, _("Everybody decides for themselves")),
        (FactorAsked.OFFICE, _("Asked of everybody but assistants")),
        (FactorAsked.ALL, _("Asked of everybody")),
    ]


@console(*READERS)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account_of(request: StaffRequest, pk: int) -> HttpResponse:
    """One account: role, stores, password, open or closed, and what was done with it."""
    one = next((found for found in shops.staff(request.merchant) if found.pk == pk), None)
    if one is None:
        raise Http404
    status = 200
    if request.method == "POST":
        _may_change(request)
        deed = DEEDS.get(request.POST.get("do", ""))
        if deed is None:
            raise Http404
        revision = request.POST.get("revision", "")
        told: dict[str, Any] = {
            "merchant": request.merchant,
            "username": one.username,
            "reason": request.POST.get("reason", ""),
            "revision": int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 10 else 0,
            "now": request.now,
            "by": request.staff,
            "address": request.META.get("REMOTE_ADDR", ""),
        }
        try:
            return deed(request, one, told)
        except actions.StaffRefused as refused:
            messages.warning(request, refused.say(words.language()))
            if refused.code != "no_reason":
                return redirect("console:people-one", one.pk)
            status = 422
    says = person.Says(request)
    posts = [store.pk for store in shops.posts(one)]
    kept = status == 422 and request.POST.get("do") == "change"  # what was typed is shown again
    context = {
        "one": one,
        "own": one.pk == request.staff.pk,
        "seen": _seen(request, says, one),
        "one_time": says.minute(one.one_time_until) if one.one_time_until else "",
        "roles": roles(),
        "stores": [{"one": store, "theirs": store.pk in posts} for store in shops.stores(request.merchant)],
        "told": {
            "name": request.POST.get("name", "") if kept else one.name,
            "role": request.POST.get("role", "") if kept else one.role,
            "stores": request.POST.getlist("stores") if kept else [str(pk) for pk in posts],
        },
        "tokens": [t for t in shops.tokens(request.merchant) if t.staff_id == one.pk],
        "history": [_line(says, line) for line in shops.account_history(request.merchant, one)],
        "may_change": shops.may(request.staff, "staff") and one.pk != request.staff.pk,
        "member": own_member(request.merchant, one.username),
    }
    return render(request, "console/people_one.html", context, status=status)


Deed = Callable[[StaffRequest, Staff, dict[str, Any]], HttpResponse]


def _change(request: StaffRequest, one: Staff, told: dict[str, Any]) -> HttpResponse:
    changed = actions.change_staff(
        role=request.POST.get("role", ""), stores=_stores(request), name=request.POST.get("name", ""), **told
    )
    said = _("%(who)s: saved.") if changed.revision != one.revision else _("%(who)s: nothing was different.")
    messages.success(request, said % {"who": changed})
    return redirect("console:people-one", one.pk)


@sensitive_variables("password")
def _reset(request: StaffRequest, one: Staff, told: dict[str, Any]) -> HttpResponse:
    password = actions.reset_password(**told)
    return _show_password(request, one, password)


def _close(request: StaffRequest, one: Staff, told: dict[str, Any]) -> HttpResponse:
    actions.close_staff(**told)
    said = _("%(who)s is signed out everywhere and cannot sign in any more. What they did stays under their name.")
    messages.success(request, said % {"who": one})
    return redirect("console:people-one", one.pk)


@sensitive_variables("password")
def _reopen(request: StaffRequest, one: Staff, told: dict[str, Any]) -> HttpResponse:
    _person, password = actions.reopen_staff(**told)
    return _show_password(request, one, password)


def _take_factor(request: StaffRequest, one: Staff, told: dict[str, Any]) -> HttpResponse:
    actions.take_factor(**told)
    messages.success(
        request, _("%(who)s signs in with the password alone, and is signed out everywhere.") % {"who": one}
    )
    return redirect("console:people-one", one.pk)


def _card(request: StaffRequest, one: Staff, told: dict[str, Any]) -> HttpResponse:
    """Which member they are; nothing typed: none."""
    asked, member = request.POST.get("card", "").strip()[:40], None
    if not told["reason"].strip():
        raise actions.StaffRefused("no_reason")
    if asked:
        try:
            member = members.member_of(request.merchant.pk, asked)
        except members.NoSuchMember:
            messages.warning(request, _("There is no member with this card."))
            return redirect("console:people-one", one.pk)
    news = tell_own_card(
        merchant=request.merchant, staff=one, member_id=member.pk if member else None, reason=told["reason"],
        now=request.now, actor=request.staff.username, address=told["address"],
    )  # fmt: skip
    said = _("%(who)s: saved.") if news else _("%(who)s: nothing was different.")
    messages.success(request, said % {"who": one})
    return redirect("console:people-one", one.pk)


DEEDS: dict[str, Deed] = {
    "card": _card, "change": _change, "password": _reset, "factor": _take_factor, "close": _close, "reopen": _reopen,
}  # fmt: skip


@sensitive_variables("password")
def _show_password(request: StaffRequest, one: Staff, password: str) -> HttpResponse:
    """The one time it is seen. Nothing is kept of it but its hash."""
    one.refresh_from_db(fields=["one_time_until"])
    until = person.Says(request).minute(one.one_time_until) if one.one_time_until else ""
    response = render(request, "console/people_password.html", {"one": one, "password": password, "until": until})
    response["Cache-Control"] = "no-store, private"
    return response


def roles() -> list[dict[str, Any]]:
    """Every role with what it may do, in the words of the page."""
    return [{"code": role.value, "name": words.ROLES[role], "may": words.may_do(role)} for role in Role]


def _stores(request: StaffRequest) -> list[Any]:
    return actions.stores_named(request.merchant, request.POST.getlist("stores"))


def _may_change(request: StaffRequest) -> None:
    if not shops.may(request.staff, "staff"):
        raise PermissionDenied


def _seen(request: StaffRequest, says: person.Says, one: Staff) -> str:
    """When they were last here, on the shop's clock."""
    if one.seen_at is None:
        return ""
    return says.minute(one.seen_at + timedelta(seconds=request.merchant.clock_shift))


def _line(says: person.Says, line: AuditLine) -> dict[str, str]:
    """One line of what was done with an account."""
    verbs = {
        "staff.created": _("Let in"),
        "staff.changed": _("Account changed"),
        "staff.password_reset": _("New one-time password"),
        "staff.password": _("Chose a password"),
        "staff.card": _("Own member card"),
        "staff.closed": _("Account closed"),
        "staff.reopened": _("Account reopened"),
        "staff.signed_in": _("Signed in"),
        "staff.code_failed": _("Wrong code after the right password"),
        "staff.factor_on": _("Second factor set up"),
        "staff.factor_replaced": _("Second factor on another phone"),
        "staff.factor_off": _("Second factor taken away by themselves"),
        "staff.factor_taken": _("Second factor taken away"),
        "staff.recovery_codes": _("New recovery codes"),
        "staff.signed_out_elsewhere": _("Signed out other browsers"),
    }
    told, detail = [], line.detail
    if isinstance(detail.get("role"), list):
        told.append(" → ".join(str(words.ROLES.get(role, role)) for role in detail["role"]))
    elif detail.get("role"):
        told.append(str(words.ROLES.get(detail["role"], detail["role"])))
    if line.verb == "staff.changed" and "stores" in detail:
        told.append(" → ".join(", ".join(codes) or _("all stores") for codes in detail["stores"]))
    if detail.get("by") == "recovery":
        told.append(_("with a recovery code"))
    if detail.get("name"):
        told.append(_("another name"))
    if detail.get("tokens"):
        told.append(_("tokens revoked: %(n)s") % {"n": detail["tokens"]})
    return {
        "what": verbs.get(line.verb, line.verb),
        "at": says.minute(line.at),
        "by": line.actor,
        "told": " · ".join(told),
        "reason": str(detail.get("reason", "")),
    }
