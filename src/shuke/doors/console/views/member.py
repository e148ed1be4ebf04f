"""One member's page: who this is, what to do next, what they hold, everything that happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from shuke.doors.console import finding, grades, halves, happenings, member_list, person, telling, words
from shuke.doors.console.access import StaffRequest, console
from shuke.doors.console.views import complaints, coupon_codes, merging
from shuke.insight.queries.directory import neighbours
from shuke.insight.queries.portrait import portrait
from shuke.kit import numbers
from shuke.loyalty.queries import charters, stored
from shuke.loyalty.queries.member import balance, earned_by_event, explain, open_lots, why_tier
from shuke.loyalty.queries.sharing import family
from shuke.members import actions as members_actions
from shuke.members import queries as members
from shuke.members.models import Member, MemberState
from shuke.orders.queries.purchases import purchases_of
from shuke.shops import queries as shops

LINES = 15  # of the timeline, per page
ORDERS = 10
POSTINGS = 30
REASONS = ("call", "delivery", "identity", "correct", "other")


@console()
@require_GET
def member(request: StaffRequest, pk: int) -> HttpResponse:
    """The page. An id that was merged away leads on to the member it lives on in."""
    who = _member(request, pk)
    if who.pk != pk:
        asked = Member.objects.filter(merchant=request.merchant, pk=pk).first()
        said = _("Card %(card)s was merged into this member.")
        messages.info(request, said % {"card": asked.card if asked else pk})
        return redirect("console:member", who.pk)
    if who.state == MemberState.FORGOTTEN:
        return render(request, "console/member_forgotten.html", {"who": who})
    says = person.Says(request)
    seen = portrait(request.merchant, pk, now=request.now)
    before, after, query = _place(request, pk)
    context = {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "summary": says.summary(seen),
        "seen": seen,
        "score": seen.score,
        "moved": says.moved(seen),
        "strategy": says.strategy(seen.score.rfm) if seen.score else "",
        "joined": says.day(who.joined_at),
        "birthday": person.birthday(who.birth_year, who.birth_month, who.birth_day, who.birth_lunar),
        "contacts": members.contacts_of(request.merchant, pk),
        "identities": _identities(request, pk, says),
        "consents": _consents(request, pk, says),
        "attributes": _attributes(request, who),
        "suspects": _suspects(request, pk),
        "special_days": _special_days(request, pk),
        "merges": merging.merges(request, pk),
        "may_merge": shops.may(request.staff, "members"),
        "may_reveal": shops.may(request.staff, "reveal"),
        "may_record": shops.may(request.staff, "record"),
        "reasons": [(key, reason_name(key)) for key in REASONS],
        "before_url": before,
        "after_url": after,
        "list_url": reverse("console:members") + (f"?{query}" if query else ""),
        "stored_available": lambda: stored.balance(request.merchant, pk, request.now).available,
        **_points_head(request, pk, says),
        "bond": words.bond(seen.score.bond) if seen.score and seen.score.bond else "",
        "family": family(request.merchant, pk, request.now),
        **tier_box(request, pk, says),
        **coupon_codes.of_member(request, pk),
        **complaints.of_member(request, pk),
        **_timeline(request, pk, says),
    }
    return render(request, "console/member.html", context)


@console()
@require_GET
def timeline(request: StaffRequest, pk: int) -> HttpResponse:
    """The timeline alone: another tab, or older lines."""
    who = _member(request, pk)
    context = {"who": who, **_timeline(request, pk, person.Says(request))}
    older = "before" in request.GET
    if not request.htmx:
        return redirect("console:member", pk)
    return render(request, "console/member_timeline_lines.html" if older else "console/member_timeline.html", context)


@console()
@require_GET
def orders(request: StaffRequest, pk: int) -> HttpResponse:
    """The consumption archive: every order with its goods, and the points it gave."""
    who = _member(request, pk)
    says = person.Says(request)
    at, _sep, last = request.GET.get("before", "").partition("~")
    moment = _moment(at)
    before = (moment, row) if moment and (row := numbers.whole(last)) is not None else None
    found = purchases_of(request.merchant, pk, before=before, limit=ORDERS + 1)
    shown = found[:ORDERS]
    oldest = shown[-1] if len(found) > ORDERS else None
    context = {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "orders": says.purchases(shown, earned_by_event(request.merchant, [one.event for one in shown], member_id=pk)),
        "older": f"{oldest.at.isoformat()}~{oldest.order.pk}" if oldest and oldest.at else "",
        "first_page": before is None,
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "console/member_orders_part.html", context)
    return render(request, "console/member_orders.html", context)


@console()
@require_GET
def points(request: StaffRequest, pk: int) -> HttpResponse:
    """Lots and the statement: every point explained down to order and rule."""
    who = _member(request, pk)
    says = person.Says(request)
    before = _moment(request.GET.get("before", ""))
    lines = explain(request.merchant, pk, limit=POSTINGS + 1, before=before)
    try:
        terms = charters.in_force(request.merchant, request.now)
    except charters.NoCharter:
        terms = None
    shown = lines[:POSTINGS]
    context = {
        "who": who,
        "title": who.name or who.nickname or who.card,
        "lots": says.lots(open_lots(request.merchant, pk)),
        "lines": says.statement(shown, terms),
        "older": shown[-1].at.isoformat() if len(lines) > POSTINGS else "",
        "first_page": before is None,
        "shop_zone": request.merchant.zone,
        **_points_head(request, pk, says),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "console/member_points_part.html", context)
    return render(request, "console/member_points.html", context)


@console()
@require_POST
def note(request: StaffRequest, pk: int) -> HttpResponse:
    """Write a note on the timeline."""
    if not shops.may(request.staff, "record"):
        raise PermissionDenied
    who = _member(request, pk)
    text = request.POST.get("text", "").strip()
    wrong = ""
    if not text:
        wrong = _("Write something first: what was said, or what is to be done.")
    elif len(text) > 1000:
        wrong = _("A note holds at most 1,000 characters; this one has %(n)s.") % {"n": f"{len(text):,}"}
    else:
        members_actions.add_note(
            merchant=request.merchant, member_id=who.pk, text=text, actor=request.staff.username, now=request.now
        )
    if not request.htmx:
        if wrong:
            messages.warning(request, wrong)
        return redirect("console:member", pk)
    context = {
        "who": who,
        "wrong": wrong,
        "text": text if wrong else "",
        **_timeline(request, pk, person.Says(request)),
    }
    return render(request, "console/member_timeline.html", context, status=422 if wrong else 200)


@console()
@require_POST
def reveal(request: StaffRequest, pk: int, contact_id: int) -> HttpResponse:
    """Show one contact in full. Needs a reason; who looked, when and why is on the timeline and in the audit log."""
    if not shops.may(request.staff, "reveal"):
        raise PermissionDenied
    who = _member(request, pk)
    reason = request.POST.get("reason", "")
    if reason not in REASONS:
        return HttpResponse(_("Choose why you need the full contact."), status=422, content_type="text/plain")
    if contact_id not in {contact.id for contact in members.contacts_of(request.merchant, who.pk)}:
        raise Http404
    clear = members_actions.reveal(
        merchant=request.merchant,
        contact_id=contact_id,
        reason=reason,
        actor=request.staff.username,
        now=request.now,
        address=request.META.get("REMOTE_ADDR", ""),
    )
    response = render(request, "console/member_contact_clear.html", {"lines": clear.split("\n"), "who": who})
    response["Cache-Control"] = "no-store"
    return response


def reason_name(key: str) -> str:
    return {
        "call": _("To call or write to the member"),
        "delivery": _("For a delivery"),
        "identity": _("To check who is asking"),
        "correct": _("To correct the record"),
        "other": _("Another reason of the shop"),
    }[key]


def _member(request: StaffRequest, pk: int) -> Member:
    """The member, if it is one of this merchant's; else 404, as if there were none."""
    try:
        return members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error


def _place(request: StaffRequest, pk: int) -> tuple[str, str, str]:
    """Addresses of the members before and after in the list this page was opened from, and that list's query."""
    if not request.GET:
        return "", "", ""
    asked = member_list.read(request.GET)
    query = asked.query()
    hits = finding.hits(request.merchant, asked.filters.text)
    around = neighbours(
        request.merchant,
        asked.filters,
        member_id=pk,
        now=request.now,
        sort=asked.sort,
        found=None if hits is None else list(hits),
    )
    before, after = (f"{reverse('console:member', args=[i])}?{query or 'sort=-last'}" if i else "" for i in around)
    return before, after, query


def _points_head(request: StaffRequest, pk: int, says: person.Says) -> dict[str, Any]:
    held = balance(request.merchant, pk, request.now)
    soon = next(((at, n) for at, n in held.next_expiry), None)
    return {
        "held": held,
        "worth": says.money(held.worth_minor),
        "soon": {
            "day": says.last_day(soon[0]),
            "points": soon[1],
            "days": person.days_until(soon[0], request.now, request) - 1,
        }
        if soon
        else None,
    }


def tier_box(request: StaffRequest, pk: int, says: person.Says) -> dict[str, Any]:
    try:
        why = why_tier(request.merchant, pk, request.now)
        terms = charters.in_force(request.merchant, request.now)
    except charters.NoCharter:
        return {"why": None}
    return grades.Grades(request, says, terms).box(why)


def _timeline(request: StaffRequest, pk: int, says: person.Says) -> dict[str, Any]:
    tab = request.GET.get("show", "")
    kinds = happenings.TABS.get(tab)
    tab = tab if kinds else ""
    at, _sep, last = request.GET.get("before", "").partition("~")
    moment = _moment(at)
    before = (moment, row) if moment and (row := numbers.whole(last)) is not None else None
    lines = members.timeline(request.merchant, pk, kinds=kinds, before=before, limit=LINES + 1)
    shown = lines[:LINES]
    names = {
        "": _("All"),
        "orders": _("Purchases"),
        "tier": _("Tier, stage and points"),
        "rewards": _("Rewards"),
        "money": _("Stored value"),
        "notes": _("Notes"),
    }
    return {
        "lines": happenings.Timeline(request, says).lines(shown),
        "older": f"{shown[-1].at.isoformat()}~{shown[-1].id}" if len(lines) > LINES else "",
        "tab": tab,
        "timeline_tabs": [(key, names[key], key == tab) for key in names],
    }


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _identities(request: StaffRequest, pk: int, says: person.Says) -> list[dict[str, Any]]:
    kinds = {
        "card": _("Card"),
        "platform_id": _("Platform number"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "nickname": _("Nickname"),
    }
    found = members.identities_of(request.merchant, pk)
    latest: dict[tuple[str, str], datetime] = {}
    for one in found:
        key = (one.kind, one.realm)
        latest[key] = max(latest.get(key, one.last_seen_at), one.last_seen_at)
    return [
        {
            "kind": kinds.get(one.kind, one.kind),
            "realm": one.realm,
            "shown": one.shown or "•••",
            "verified": one.verified,
            "seen": says.day(one.last_seen_at),
            "former": one.kind == "nickname" and one.last_seen_at < latest[one.kind, one.realm],
        }
        for one in found
    ]


def _consents(request: StaffRequest, pk: int, says: person.Says) -> list[dict[str, Any]]:
    found = members.current_consents(request.merchant, pk)
    return [
        {
            "channel": telling.channel(channel),
            "purpose": telling.purpose(purpose),
            "granted": one.granted,
            "day": says.day(one.at),
            "source": one.source,
        }
        for (channel, purpose), one in sorted(found.items())
    ]


def _attributes(request: StaffRequest, who: Member) -> list[tuple[str, str]]:
    """Custom attributes with their labels; sensitive ones only for those who may reveal."""
    if not who.attributes:
        return []
    chinese = words.language().startswith("zh")
    may = shops.may(request.staff, "reveal")
    known = {kind.key: kind for kind in members.attribute_kinds(request.merchant)}
    found = []
    for key, value in who.attributes.items():
        kind = known.get(key)
        label = (kind.label_zh if chinese else kind.label_en) if kind else key
        if kind is not None and kind.sensitive and not may:
            shown = "•••"
        elif isinstance(value, list):
            shown = ", ".join(str(v) for v in value)
        elif isinstance(value, bool):
            shown = _("yes") if value else _("no")
        else:
            shown = str(value)
        found.append((label or key, shown))
    return found


def _special_days(request: StaffRequest, pk: int) -> list[dict[str, str]]:
    names = {"wedding": _("Wedding"), "child": _("Child's birthday"), "other": _("Special day")}
    return [
        {
            "label": " · ".join(part for part in (names[one.kind], one.name) if part),
            "day": person.birthday(one.year or None, one.month, one.day, one.lunar),
        }
        for one in members.special_days(request.merchant, pk)
    ]


def _suspects(request: StaffRequest, pk: int) -> list[dict[str, Any]]:
    return [
        {
            "other": pair.other if pair.one.pk == pk else pair.one,
            "reason": " · ".join(halves.reason(code) for code in pair.reasons),
        }
        for pair in members.suspicions_of(request.merchant, pk)
    ]
