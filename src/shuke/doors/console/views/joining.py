"""Somebody joins, or their profile is changed; and what the shop wants to know about its members."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shuke.doors.console import together
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.person_form import PersonForm, known, tags_in
from shuke.flows.join import IdentityTaken, PhoneKnown, holders_of, join, tell
from shuke.kit.refusal import Refusal
from shuke.members import actions as members_actions
from shuke.members import queries as members
from shuke.members.actions import BadAttribute, BadContact, BadDay, BadDefinition, BadProfile, Definition
from shuke.members.models import AttributeKind, Member
from shuke.shops import queries as shops

WRONG = (BadAttribute, BadContact, BadDay, BadProfile)


@console()
@require_http_methods(["GET", "POST"])
def add(request: StaffRequest) -> HttpResponse:
    """A new member with all that is told. A phone somebody has already is said, with a way to open that member."""
    _may(request, "record")
    form = PersonForm(request, request.POST if request.method == "POST" else None)
    holders: list[Member] = []
    if request.method == "POST" and form.is_valid():
        try:
            done = join(
                merchant=request.merchant,
                said=form.said(),
                anyway=request.POST.get("anyway") == "1",
                source="counter",
                now=request.now,
                actor=request.staff.username,
            )
        except PhoneKnown as there:
            holders = there.holders
        except IdentityTaken as taken:
            form.add_error("account", _taken(taken))
        except WRONG as error:
            form.add_error(None, _wrong(error))
        else:
            messages.success(request, _("Welcome: card %(card)s.") % {"card": done.member.card})
            return redirect("console:member", done.member.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "console/person_form.html", {"form": form, "who": None, "holders": holders}, status=status)


@console()
@require_http_methods(["GET", "POST"])
def edit(request: StaffRequest, pk: int) -> HttpResponse:
    """Change what is known; contacts, accounts and consents are added to."""
    _may(request, "record")
    who = _member(request, pk)
    told = request.POST if request.method == "POST" else None
    now_known = known(request, who)
    form = PersonForm(request, told, member=who, initial=now_known)
    if told is not None:
        data, wrong = together.meet(form, told, now_known, form.rows_of_days)
        form = PersonForm(request, data, member=who, initial=now_known)
        form.is_valid()
        for name, said in wrong.items():
            form.add_error(name, said)
    if told is not None and form.is_valid():
        try:
            tell(
                merchant=request.merchant,
                member_id=who.pk,
                said=form.said(),
                source="counter",
                now=request.now,
                actor=request.staff.username,
            )
            _retag(request, who, tags_in(form.cleaned_data["tags"]))
        except IdentityTaken as taken:
            form.add_error("account", _taken(taken))
        except WRONG as error:
            form.add_error(None, _wrong(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:member", who.pk)
    status = 422 if told is not None else 200
    return render(
        request,
        "console/person_form.html",
        {"form": form, "who": who, "holders": [], "shown": together.shown(form, now_known)},
        status=status,
    )


def _retag(request: StaffRequest, who: Member, wanted: list[str]) -> None:
    told: dict[str, Any] = {
        "merchant": request.merchant,
        "member_ids": [who.pk],
        "now": request.now,
        "actor": request.staff.username,
    }
    if gone := [tag for tag in who.tags if tag not in wanted]:
        members_actions.remove_tags(tags=gone, **told)
    if new := [tag for tag in wanted if tag not in who.tags]:
        members_actions.add_tags(tags=new, **told)


@console()
@require_GET
def phone(request: StaffRequest) -> HttpResponse:
    """While a phone is typed: who has it already."""
    number = request.GET.get("phone", "").strip()
    holders = holders_of(request.merchant, number) if len(number) >= 7 else []
    return render(request, "console/person_phone.html", {"holders": holders})


@console()
@require_POST
def remove_contact(request: StaffRequest, pk: int, contact_id: int) -> HttpResponse:
    """Forget a contact of a member."""
    _may(request, "record")
    who = _member(request, pk)
    if contact_id not in {contact.id for contact in members.contacts_of(request.merchant, who.pk)}:
        raise Http404
    members_actions.remove_contacts(
        merchant=request.merchant, contact_ids=[contact_id], now=request.now, actor=request.staff.username
    )
    messages.success(request, _("The contact is forgotten."))
    return redirect("console:member", who.pk)


@console()
@require_http_methods(["GET", "POST"])
def attributes(request: StaffRequest) -> HttpResponse:
    """What the shop wants to know about its members: custom attributes with their types."""
    _may(request, "members")
    wrong = ""
    if request.method == "POST":
        told = request.POST
        options = tuple(o.strip() for o in told.get("options", "").replace("，", ",").split(",") if o.strip())
        definition = Definition(
            told.get("key", "").strip(), told.get("type", ""), told.get("label_zh", "").strip(),
            told.get("label_en", "").strip(), options, told.get("sensitive") == "1",
        )  # fmt: skip
        try:
            members_actions.define_attributes(merchant=request.merchant, definitions=[definition])
        except BadDefinition as error:
            wrong = str(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:attributes")
    context = {
        "kinds": members.attribute_kinds(request.merchant),
        "types": [(t.value, type_name(t.value)) for t in AttributeKind.Type],
        "wrong": wrong,
        "told": request.POST,
    }
    return render(request, "console/attributes.html", context, status=422 if wrong else 200)


def type_name(code: str) -> str:
    return {
        "text": _("text"),
        "number": _("a number"),
        "date": _("day"),
        "yes_no": _("yes or no"),
        "choice": _("one of several"),
        "choices": _("some of several"),
    }[code]


def _taken(taken: IdentityTaken) -> str:
    said = _("This account belongs to card %(card)s. Open that member, or merge the two if they are one person.")
    return said % {"card": taken.holder.card}


def _wrong(error: Refusal) -> str:
    if isinstance(error, BadContact):
        return _("A phone needs its whole number, an e-mail looks like name@example.org; neither may have stars.")
    if isinstance(error, BadDay):
        return _("One of the special days is in no calendar.")
    return error.say(get_language() or "zh")


def _may(request: StaffRequest, what: str) -> None:
    if not shops.may(request.staff, what):
        raise PermissionDenied


def _member(request: StaffRequest, pk: int) -> Member:
    try:
        return members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
