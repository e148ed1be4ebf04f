"""Finding whoever stands at the counter, and what can be done for them."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from shuke.doors.counter.access import CounterRequest, counter
from shuke.doors.counter.joining import starts_with
from shuke.doors.counter.panel import panel
from shuke.flows.search import find
from shuke.loyalty.models import Wallet
from shuke.members import queries as members
from shuke.members.models import Member, MemberState
from shuke.shops import queries as shops
from shuke.shops.actions import StaffRefused, stand_at

SHOWN = 8


@counter()
@require_GET
def home(request: CounterRequest) -> HttpResponse:
    """The box. Enter (or a scanner, which types and presses it) opens the first hit; nobody found says so."""
    text = request.GET.get("q", "").strip()
    if text:
        found = find(request.merchant, text, SHOWN)
        if found:
            return redirect("counter:member", found[0].member_id)
    context = {"text": text, "starts": starts_with(text), "may_act": shops.may(request.staff, "record")}
    return render(request, "counter/home.html", context)


@counter()
@require_GET
def hits(request: CounterRequest) -> HttpResponse:
    """The closest few while somebody types."""
    text = request.GET.get("q", "").strip()
    found = find(request.merchant, text, SHOWN) if len(text) > 1 else []
    tiers = dict(
        Wallet.objects.filter(merchant=request.merchant, member_id__in=[h.member_id for h in found]).values_list(
            "member_id", "tier"
        )
    )
    shown = [(hit, hit.name or hit.nickname or hit.card, tiers.get(hit.member_id, "")) for hit in found]
    return render(request, "counter/hits.html", {"text": text, "hits": shown})


@counter()
@require_GET
def member(request: CounterRequest, pk: int) -> HttpResponse:
    return render(request, "counter/member.html", panel(request, who_is(request, pk)))


@counter(acts=True)
def stand(request: CounterRequest) -> HttpResponse:
    """Whoever works at several stores says at which they stand: it is booked there."""
    asked = request.POST.get("store", "")
    store = next((one for one in shops.posts(request.staff) if str(one.pk) == asked), None)
    if asked and store is None:
        messages.warning(request, StaffRefused("not_your_post").say(get_language() or "zh"))
    else:
        stand_at(staff=request.staff, store=store)
    return redirect("counter:home")


def who_is(request: CounterRequest, pk: int) -> Member:
    """The member as they live on. Another merchant's is not found."""
    try:
        found = members.member_for(request.staff, pk)
    except members.NoSuchMember as error:
        raise Http404(str(error)) from error
    if found.state != MemberState.ACTIVE:
        raise Http404(f"No member {pk}.")
    return found
